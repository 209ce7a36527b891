/**
 * Leaves out of every exchange the columns that nobody reads. DuckDB prunes columns inside of a fragment by itself, but
 * it does not see across the cut.
 *
 *   Exchange > x    Project (NULL for the columns left out) > Exchange > Project (the columns read) > x
 *
 * Positions above the exchange stay as they are, so nothing else changes. A shared exchange keeps what any of its
 * readers reads. One column stays in any case: rows are counted by it.
 */

import { unreachable } from '../../proto/errors.ts'
import type { Expression } from '../expression.ts'
import { inputs, isUncut, type Exchange, type Join, type Plan } from '../plan.ts'
import { columnTypes, select, type TableTypes } from './columns.ts'
import { widthBytes } from './cost.ts'
import { addColumns, column, moveColumns } from './expressions.ts'
import { expressionsOf, mapKeys } from './operator.ts'
import { withInputs } from './with-inputs.ts'

type Columns = ReadonlySet<number>

export function narrowExchanges(plan: Plan, tables: TableTypes): Plan {
  const read = new Map<Exchange | number, Set<number>>()
  collect(plan, every(columnTypes(plan, tables).length), tables, read)
  const made = new Map<Exchange | number, Plan>()
  const rewrite = (below: Plan): Plan => {
    if (below.kind !== 'Exchange') return withInputs(below, inputs(below).map(rewrite))
    const known = made.get(identity(below))
    if (known !== undefined) return readAs(known, below.reads)
    if (isUncut(below.to)) return withInputs(below, [rewrite(below.input)])
    const narrowed = narrow({ ...below, input: rewrite(below.input) }, read.get(identity(below)) ?? new Set(), tables)
    made.set(identity(below), narrowed)
    return narrowed
  }
  return rewrite(plan)
}

/** The narrowed exchange for a reader that may want more of it, or less, than the first one. */
function readAs(plan: Plan, reads: Exchange['reads']): Plan {
  if (plan.kind === 'Exchange') return plan.reads === reads ? plan : { ...plan, reads }
  return withInputs(plan, inputs(plan).map(input => readAs(input, reads)))
}

function identity(exchange: Exchange): Exchange | number {
  return exchange.shared ?? exchange
}

function every(width: number): Columns {
  return new Set(Array.from({ length: width }, (_, i) => i))
}

function narrow(exchange: Exchange, read: Columns, tables: TableTypes): Plan {
  const types = columnTypes(exchange.input, tables)
  const kept = types.map((_, i) => i).filter(i => read.has(i))
  if (kept.length === 0) kept.push(...narrowest(types.map(widthBytes)))
  if (kept.length === types.length) return exchange
  const { rows } = exchange
  const columns = types.map((type, i) => column(i, type))
  const input: Plan = { kind: 'Project', input: exchange.input, expressions: select(columns, kept), rows }
  const position = (index: number): number => kept.indexOf(index)
  const to = mapKeys(exchange.to, key => moveColumns(key, position))
  const expressions = types.map((type, i): Expression =>
    kept.includes(i) ? column(position(i), type) : { kind: 'Constant', value: { kind: 'null' }, type })
  return { kind: 'Project', input: { ...exchange, input, to }, expressions, rows }
}

function narrowest(widths: readonly number[]): readonly number[] {
  const least = widths.indexOf(Math.min(...widths))
  return least < 0 ? [] : [least]
}

/** Notes for each exchange below which of its columns are read, given which of the plan's own are. */
function collect(plan: Plan, needed: Columns, tables: TableTypes, read: Map<Exchange | number, Set<number>>): void {
  const of = inputs(plan)
  if (plan.kind === 'Exchange') {
    const all = new Set([...needed, ...columnsIn(expressionsOf(plan))])
    read.set(identity(plan), new Set([...read.get(identity(plan)) ?? [], ...all]))
    return collect(plan.input, all, tables, read)
  }
  const widths = of.map(input => columnTypes(input, tables).length)
  neededOf(plan, needed, widths).forEach((columns, i) => {
    const input = of[i]
    if (input !== undefined) collect(input, columns, tables, read)
  })
}

function columnsIn(expressions: readonly Expression[]): Set<number> {
  const columns = new Set<number>()
  for (const expression of expressions) addColumns(expression, columns)
  return columns
}

/** Which columns of each input an operator reads, to make those of its own columns that are needed. */
function neededOf(plan: Exclude<Plan, Exchange>, needed: Columns, widths: readonly number[]): readonly Columns[] {
  const own = columnsIn(expressionsOf(plan))
  const [width = 0] = widths
  switch (plan.kind) {
    case 'Scan': case 'TableFunction': case 'OneRow': case 'Empty': case 'DelimScan': case 'CteScan': return []
    case 'Project': return [columnsIn(plan.expressions.filter((_, i) => needed.has(i)))]
    case 'Aggregate': {
      const calls = plan.calls.filter((_, i) => needed.has(plan.groups.length + i))
      return [columnsIn([...plan.groups, ...calls])]
    }
    case 'Filter': case 'Sort': {
      const passed = plan.output === null ? needed : plan.output.filter((_, i) => needed.has(i))
      return [new Set([...own, ...passed])]
    }
    case 'Window': case 'Unnest': {
      const calls = plan.kind === 'Window' ? plan.calls.filter((_, i) => needed.has(width + i)) : plan.calls
      return [new Set([...columnsIn(calls), ...[...needed].filter(i => i < width)])]
    }
    case 'Lateral': {
      const kept = plan.kept.filter((_, i) => needed.has(plan.columns.length + i))
      return [new Set([...own, ...kept])]
    }
    case 'TopN': case 'Limit': return [new Set([...own, ...needed])]
    case 'Distinct': return [plan.on ? new Set([...own, ...needed]) : every(width)]
    case 'SetOperation': return plan.op === 'UNION' && plan.all ? widths.map(() => needed) : widths.map(every)
    case 'Join': return joinNeeds(plan, needed, widths)
    case 'CrossProduct': return [needed, new Set([...needed].map(i => i - width))]
    case 'Values': case 'DelimJoin': case 'Cte': return widths.map(every)
    default: return unreachable(plan)
  }
}

function joinNeeds(join: Join, needed: Columns, widths: readonly number[]): readonly Columns[] {
  const [leftWidth = 0, rightWidth = 0] = widths
  const left = columnsIn(join.conditions.map(condition => condition.left))
  const right = columnsIn(join.conditions.map(condition => condition.right))
  const both = columnsIn(join.predicate === null ? [] : [join.predicate])
  for (const i of both) (i < leftWidth ? left : right).add(i < leftWidth ? i : i - leftWidth)
  const leftOutput = select([...every(leftWidth)], join.leftOutput)
  const rightOutput = select([...every(rightWidth)], join.rightOutput)
  const isRight = join.type === 'RIGHT_SEMI' || join.type === 'RIGHT_ANTI'
  const ofLeft = isRight ? [] : leftOutput
  const ofRight = join.type === 'SEMI' || join.type === 'ANTI' || join.type === 'MARK' ? [] : rightOutput
  ofLeft.forEach((position, i) => { if (needed.has(i)) left.add(position) })
  ofRight.forEach((position, i) => { if (needed.has(ofLeft.length + i)) right.add(position) })
  return [left, right]
}
