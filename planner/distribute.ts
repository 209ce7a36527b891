/**
 * Puts exchanges into a plan, so that every operator finds the rows it needs in its task. Walks bottom up and asks one
 * rule an operator (planner/cut). Rows of the result stay in the tasks that make them: who wants them in one task, for
 * a limit or a short sort, has gathered them. What has nothing split below it stays as it is: every task can make it.
 *
 * Computed once, in one task, and never again by each reader: volatile functions, and what depends on the order of
 * rows. Otherwise two readers, or two attempts, could see other values.
 */

import type { DuckType } from '../proto/types.ts'
import { unreachable } from '../proto/errors.ts'
import { delimSides, inputs, type DelimJoin, type Join, type Plan } from './plan.ts'
import type { PlannerTable, PlanThresholds } from './planned-query.ts'
import { cutAggregate } from './cut/aggregate.ts'
import { cutShared, readersOf } from './cut/cte.ts'
import { cutDelimSource, ownDelimJoin, ownDelimScan } from './cut/delim-join.ts'
import { cutDistinct } from './cut/distinct.ts'
import { columnOf } from './cut/expressions.ts'
import { cutCrossProduct, cutJoin } from './cut/join.ts'
import { nameStructs } from './cut/named-structs.ts'
import { narrowExchanges } from './cut/narrow.ts'
import { anyOperator } from './cut/operator.ts'
import { cutScan, isSplitTable } from './cut/scan.ts'
import { cutSetOperation } from './cut/set-operation.ts'
import { cutResultSort, cutSort, resultOrder, type ResultOrder } from './cut/sort.ts'
import { simplify } from './cut/simplify.ts'
import { COPIED, gather, isApart, renamed, SINGLE, type CutContext, type Placed } from './cut/spread.ts'
import { cutLimit, cutTopN } from './cut/top-n.ts'
import { cutWindow } from './cut/window.ts'
import { joinsUnderLimits } from './enough-rows.ts'
import { dependsOnOrder, isVolatile, needsSortedInput } from './order-sensitivity.ts'
import { Unsupported } from './unsupported.ts'

export interface DistributeOptions {
  readonly tables: readonly PlannerTable[]
  /** Types of the columns of each table. */
  readonly tableTypes: readonly (readonly DuckType[])[]
  readonly thresholds: PlanThresholds
  /** Names of the functions that may give another value at each call. */
  readonly volatileFunctions: ReadonlySet<string>
}

/** What CteScans and DelimScans read where they stand. */
interface Scope {
  readonly ctes: ReadonlyMap<number, Placed>
  readonly delim: Placed | null
}

interface Walk {
  readonly context: CutContext
  readonly isVolatile: (plan: Plan) => boolean
  readonly nextIdentity: () => number
  /** True so many times: who tries one way of a plan and then takes another places what is below it twice. */
  readonly mayTry: () => boolean
  readonly order: ResultOrder | null
}

/** Correlated subqueries in each other double the work; more of them than that share by exchanges. */
const MAX_TRIES = 16

export function contextOf({ tables, tableTypes, thresholds, volatileFunctions }: DistributeOptions): CutContext {
  return {
    tableTypes, thresholds, volatileFunctions,
    tableDistinct: tables.map(table => table.distinctCounts ?? []),
    tableOrdered: tables.map(table => table.orderedColumns ?? []),
    tableDivided: tables.map(table => table.dividedColumns ?? []), delims: new Map(), limited: new Set(),
    tableRows: tables.map(table => table.rowCount), isSplit: tables.map(table => isSplitTable(table, thresholds)),
  }
}

/** The plan with its exchanges; what it puts out may be in several tasks, in their order or in none. */
export function distribute(plan: Plan, context: CutContext): Plan {
  if (anyOperator(plan, needsSortedInput)) throw new Unsupported('rows are taken in the order of a subquery')
  let [identity, tries] = [0, 0]
  const isVolatileHere = (operator: Plan): boolean => isVolatile(operator, context.volatileFunctions)
  const walk: Walk = {
    context: { ...context, limited: joinsUnderLimits(plan) }, isVolatile: isVolatileHere,
    nextIdentity: () => identity++, mayTry: () => tries++ < MAX_TRIES,
    order: resultOrder(plan, isVolatileHere),
  }
  const root = place(plan, { ctes: new Map(), delim: null }, walk)
  return simplify(nameStructs(narrowExchanges(root.plan, context.tableTypes), context.tableTypes))
}

function place(plan: Plan, scope: Scope, walk: Walk): Placed {
  const isOnce = (operator: Plan): boolean => walk.isVolatile(operator) || dependsOnOrder(operator)
  if (isLocal(plan, walk.context, new Set(), false)) {
    return { plan, spread: anyOperator(plan, isOnce) ? SINGLE : COPIED }
  }
  const input = (below: Plan): Placed => place(below, scope, walk)
  const once = (below: Plan): Placed => gather(input(below), 'a volatile function: computed once')
  const placed = operator(plan, walk.isVolatile(plan) ? once : input, scope, walk)
  return placed.spread.kind === 'copied' && isOnce(plan) ? { ...placed, spread: SINGLE } : placed
}

/** True if it reads nothing that is split, and nothing that a plan around it defines. */
function isLocal(plan: Plan, context: CutContext, ctes: ReadonlySet<number>, inDelim: boolean): boolean {
  const local = (input: Plan): boolean => isLocal(input, context, ctes, inDelim)
  switch (plan.kind) {
    case 'Scan': return context.isSplit[plan.table] !== true
    case 'CteScan': return ctes.has(plan.index)
    case 'DelimScan': return inDelim
    case 'Cte': return local(plan.definition) && isLocal(plan.query, context, new Set([...ctes, plan.index]), inDelim)
    case 'DelimJoin': {
      const [from, to] = delimSides(plan)
      return local(from) && isLocal(to, context, ctes, true)
    }
    default: return inputs(plan).every(local)
  }
}

function operator(plan: Plan, input: (plan: Plan) => Placed, scope: Scope, walk: Walk): Placed {
  const { context } = walk
  switch (plan.kind) {
    case 'Scan':
      if (walk.isVolatile(plan)) throw new Unsupported('a volatile filter of a scan')
      return cutScan(plan, walk.nextIdentity(), context)
    case 'OneRow': case 'Empty': case 'TableFunction': return { plan, spread: COPIED }
    case 'Project': {
      const below = input(plan.input)
      return { plan: { ...plan, input: below.plan }, spread: renamed(below.spread, plan.expressions.map(columnOf)) }
    }
    case 'Filter': {
      const below = input(plan.input)
      const spread = plan.output === null ? below.spread : renamed(below.spread, plan.output)
      return { plan: { ...plan, input: below.plan }, spread }
    }
    case 'Unnest': {
      const below = input(plan.input)
      return { plan: { ...plan, input: below.plan }, spread: below.spread }
    }
    case 'Lateral': {
      const below = input(plan.input)
      const spread = renamed(below.spread, [...plan.columns.map(() => null), ...plan.kept])
      return { plan: { ...plan, input: below.plan }, spread }
    }
    case 'Values': {
      const below = input(plan.input)
      return { plan: { ...plan, input: below.plan }, spread: renamed(below.spread, []) }
    }
    case 'Aggregate': return cutAggregate(plan, input(plan.input), context)
    case 'Join': return cutJoin(plan, input(plan.left), input(plan.right), walk.nextIdentity, context)
    case 'CrossProduct': return cutCrossProduct(plan, input(plan.left), input(plan.right), context)
    case 'DelimJoin': return delimJoin(plan, scope, walk)
    case 'Window': return cutWindow(plan, input(plan.input), context)
    case 'Distinct': return cutDistinct(plan, input(plan.input), context)
    case 'Sort':
      return plan === walk.order?.sort ? cutResultSort(plan, input(plan.input), walk.nextIdentity, context)
        : cutSort(plan, input(plan.input))
    case 'TopN': return cutTopN(plan, input(plan.input))
    case 'Limit': {
      const below = input(plan.input)
      // of ranges in order it is known how many rows each has: see slice.ts
      const isCounted = plan === walk.order?.limit && isApart(below)
      return isCounted ? { plan: { ...plan, input: below.plan }, spread: below.spread } : cutLimit(plan, below)
    }
    case 'SetOperation': return cutSetOperation(plan, plan.inputs.map(input), context)
    case 'Cte': {
      const readers = readersOf(plan.index, plan.query)
      const shared = cutShared(input(plan.definition), readers, walk.nextIdentity(), context)
      return place(plan.query, { ...scope, ctes: new Map([...scope.ctes, [plan.index, shared]]) }, walk)
    }
    case 'CteScan': return scope.ctes.get(plan.index) ?? unknown(`CTE ${plan.index}`)
    case 'DelimScan': return scope.delim ?? unknown('DelimScan outside of a DelimJoin')
    case 'Exchange': return unknown('exchange before cutting')
    default: return unreachable(plan)
  }
}

function unknown(what: string): never {
  throw new Unsupported(what)
}

/** The DelimScans of the other side belong to this join; those of the source belong to the join around it. */
function delimJoin(delim: DelimJoin, scope: Scope, walk: Walk): Placed {
  const { join } = delim
  if (walk.isVolatile(delim)) throw new Unsupported('a volatile condition of a correlated subquery')
  const [from, to] = delimSides(delim)
  const source = place(from, scope, walk)
  const own = ownDelim(delim, source, scope, walk)
  if (own !== null) return own
  const cut = cutDelimSource(delim, source, walk.nextIdentity(), walk.context)
  const other = place(to, { ...scope, delim: cut.scan }, walk)
  const placed = joined(join, delim.source, cut.source, other, walk)
  return placed.spread.kind === 'copied' && dependsOnOrder(join) ? { ...placed, spread: SINGLE } : placed
}

/** As a DelimJoin in every task, over its own rows; null if it cannot be. */
function ownDelim(delim: DelimJoin, source: Placed, scope: Scope, walk: Walk): Placed | null {
  const own = walk.mayTry() ? ownDelimScan(delim, source, walk.context) : null
  if (own === null) return null
  const { scan, context } = own
  const [, to] = delimSides(delim)
  const other = place(to, { ...scope, delim: scan }, { ...walk, context })
  const { plan: join, spread } = joined(delim.join, delim.source, source, other, { ...walk, context })
  const plan = join.kind === 'Join' ? ownDelimJoin(delim, join, source, scan.plan) : null
  return plan === null ? null : { plan, spread }
}

function joined(
  join: Join, sourceIs: DelimJoin['source'], source: Placed, other: Placed, { context, nextIdentity }: Walk,
): Placed {
  const [left, right] = sourceIs === 'left' ? [source, other] : [other, source]
  return cutJoin(join, left, right, nextIdentity, context)
}
