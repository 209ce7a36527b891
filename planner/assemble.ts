/**
 * From cuts to fragments as the coordinator runs them: their SQL, what they scan and read, where their rows go and how
 * many tasks they have. What is missing is the types of their columns, which binding tells: see dry-bind.ts.
 *
 * How many tasks a fragment has follows from what it reads:
 *
 *   partitions   another fragment's rows by hash or range, or as kept by the same task; or it keeps its own
 *   splits       no such thing, but a table in splits
 *   one          rows gathered, copied, or made from nothing
 */

import { unreachable } from '../proto/errors.ts'
import type { DuckType } from '../proto/types.ts'
import { columnTypes } from './cut/columns.ts'
import { sizeBytes } from './cut/cost.ts'
import { addColumns, typeOf } from './cut/expressions.ts'
import { restrictions } from './cut/restrict.ts'
import { slicedInputs } from './cut/sliced.ts'
import { isHashable, type CutContext } from './cut/spread.ts'
import { emit, emitKeys, emitSortKey } from './emit.ts'
import { enoughRows, mapStreamed } from './enough-rows.ts'
import { explainFragment } from './explain-operators.ts'
import type { Expression, Order } from './expression.ts'
import { firstRows } from './first-rows.ts'
import {
  inputName, scanName, type Cut, type Fragment, type FragmentInput, type FragmentOutput, type FragmentRestriction,
  type FragmentScan, type FragmentTasks,
} from './fragment.ts'
import { isOrderSensitive } from './order-sensitivity.ts'
import { inputs, type Exchange, type Plan, type Scan } from './plan.ts'
import type { PlannerTable } from './planned-query.ts'
import { boundingExchange, maxRows } from './row-bound.ts'
import { scanFilters } from './scan-filters.ts'
import { withoutSlice } from './slice.ts'

/** A fragment before it is bound. */
export interface FragmentDraft extends Omit<Fragment, 'columns'> {
  /** Types of its columns as the plan has them. */
  readonly types: readonly DuckType[]
}

/** `isSplit` is false for all tables of a query that runs whole. `tables` for the names of their columns. */
export function assemble(
  cuts: readonly Cut[], tables: readonly PlannerTable[], context: CutContext, explain = false,
): readonly FragmentDraft[] {
  const { tableTypes, thresholds } = context
  let nextScan = 0
  const written = new Map(cuts.map(cut => [cut.id, cut]))
  const firsts = new Map(cuts.map(cut => [cut.id, firstRows(cut.root)]))
  return cuts.map(cut => {
    const scans = scansOf(cut.root).map(scan => ({ scan, id: nextScan++ }))
    const ids = new Map(scans.map(({ scan, id }) => [scan, id]))
    const idOf = (scan: Scan): number => ids.get(scan) ?? -1
    const isSplit = (scan: Scan): boolean => context.isSplit[scan.table] === true && !cut.repeated.has(scan)
    const filters = scanFilters(cut.root)
    const stageRows = cut.output.kind === 'gather' ? rowsRead(cut, cuts, firsts) : null
    const bounding = boundingExchange(cut.root)
    const enough = enoughRows(cut.root, context.volatileFunctions)
    const described = scans.map(({ scan, id }) => withFirstRows(firsts.get(cut.id)?.get(scan),
      describeScan(scan, id, isSplit(scan), filters.get(scan) ?? scan.filters, cut.divided.get(scan))))
    const read = withSlices(inputsOf(cut, written), cut, written, described, thresholds.skewRows)
    const tasks = tasksOf(cut, read, described)
    const types = columnTypes(cut.root, tableTypes)
    const { root, slice } = withoutSlice(cut.root)
    const nameOfRelation = (relation: Scan | Exchange): string => relation.kind === 'Scan'
      ? scanName(idOf(relation)) : inputName(inputOf(relation, cut, written))
    const restricted = tasks !== 'splits' ? []
      : restrictions(cut.root, { tableTypes, smallRows: thresholds.replicateRows, isSplit, nameOf: nameOfRelation })
    return {
      id: cut.id,
      sql: emit(root, {
        scan: nameOfRelation,
        exchange: nameOfRelation,
        columnName: (table, column) => nameOf(tables, table, column),
      }).sql,
      types, scans: described, inputs: read, tasks,
      output: cut.output.kind === 'result' && slice !== null ? { ...cut.output, slice } : outputOf(cut, types),
      restrictions: restricted.map(({ relation, column, by, byColumn }): FragmentRestriction => ({
        relation: nameOfRelation(relation), column, by: { scan: idOf(by), column: byColumn },
      })),
      orderSensitive: isOrderSensitive(cut, context.volatileFunctions),
      maxRows: maxRows(cut.root), rows: cut.root.rows, bytes: sizeBytes(cut.root, context),
      ...(bounding === null ? {} : { boundingInput: positionOf(bounding, read, nameOfRelation) }),
      ...(enough === null ? {} : { enough: { ...enough, streamed: mapStreamed(enough.streamed, idOf) } }),
      ...(stageRows === null ? {} : { stageRows }),
      ...(explain ? { explained: explainFragment(cut, tables, restricted) } : {}),
    }
  })
}

/** So many rows of what a cut writes are enough for all that read it; null: they need all. */
function rowsRead(
  { id }: Cut, cuts: readonly Cut[], firsts: ReadonlyMap<number, ReturnType<typeof firstRows>>,
): number | null {
  const enough = cuts.flatMap(reader => [...reader.inputs].flatMap(
    ([exchange, from]) => from === id ? [firsts.get(reader.id)?.get(exchange) ?? Infinity] : [],
  ))
  const most = Math.max(...enough)
  return Number.isSafeInteger(most) ? most : null
}

function nameOf(tables: readonly PlannerTable[], table: number, column: number): string {
  const name = tables[table]?.columns[column]?.name
  if (name === undefined) throw new Error(`table ${table} has no column ${column}`)
  return name
}

/** The scans of the fragment itself, once each. */
function scansOf(plan: Plan): readonly Scan[] {
  const found = new Set<Scan>()
  const collect = (below: Plan): void => {
    if (below.kind === 'Scan') found.add(below)
    if (below.kind !== 'Exchange') inputs(below).forEach(collect)
  }
  collect(plan)
  return [...found]
}

function describeScan(
  scan: Scan, id: number, isSplit: boolean, filters: readonly Expression[], divided: ReadonlySet<number> = new Set(),
): FragmentScan {
  const columns = new Set(scan.columns.filter(position => position !== null))
  for (const filter of scan.filters) addColumns(filter, columns)
  return {
    id, table: scan.table, columns: [...columns].sort((a, b) => a - b), filters,
    ...(filters.length > 0 ? { filtered: filteredIn(scan, filters) } : {}),
    reads: isSplit ? 'split' : 'all', ...(divided.size > 0 ? { dividedBy: [...divided] } : {}),
  }
}

function filteredIn(scan: Scan, filters: readonly Expression[]): NonNullable<FragmentScan['filtered']> {
  return { inside: scan.filters.length > 0, above: filters.length > scan.filters.length }
}

function withFirstRows(firstRows: number | undefined, scan: FragmentScan): FragmentScan {
  return firstRows === undefined ? scan : { ...scan, firstRows }
}

function inputsOf(cut: Cut, written: ReadonlyMap<number, Cut>): readonly FragmentInput[] {
  const read = [...cut.inputs.keys()].map(exchange => inputOf(exchange, cut, written))
  const bounds: FragmentInput[] = cut.bounds === null ? [] : [{ fragment: cut.bounds, kind: 'bounds' }]
  return [...new Map(read.map(input => [inputName(input), input])).values(), ...bounds]
}

function inputOf(exchange: Exchange, cut: Cut, written: ReadonlyMap<number, Cut>): FragmentInput {
  const fragment = cut.inputs.get(exchange) ?? -1
  const output = written.get(fragment)?.output
  if (output === undefined || output.kind === 'result' || output.kind === 'sample') {
    throw new Error(`nobody writes fragment ${fragment}`)
  }
  return { fragment, kind: exchange.reads === 'all' ? 'all' : output.kind }
}

function positionOf(
  exchange: Exchange, read: readonly FragmentInput[], nameOf: (exchange: Exchange) => string,
): number {
  return read.findIndex(input => inputName(input) === nameOf(exchange))
}

/** Those that may be read in slices are marked. */
function withSlices(
  read: readonly FragmentInput[], cut: Cut, written: ReadonlyMap<number, Cut>, scans: readonly FragmentScan[],
  skewRows: number | undefined,
): readonly FragmentInput[] {
  const isOfRows = cut.output.kind !== 'keep' && cut.output.kind !== 'range' && cut.output.kind !== 'sample'
  const isElse = read.some(({ kind }) => kind === 'keep' || kind === 'range' || kind === 'bounds')
  if (skewRows === undefined || !isOfRows || isElse || scans.some(({ reads }) => reads === 'split')) return read
  const sliced = slicedInputs(cut.root, exchange => inputName(inputOf(exchange, cut, written)))
  return read.map(input => sliced.has(inputName(input)) ? { ...input, slicedFrom: skewRows } : input)
}

const APART: ReadonlySet<FragmentInput['kind']> = new Set(['hash', 'range', 'keep'])

function tasksOf({ output }: Cut, read: readonly FragmentInput[], scans: readonly FragmentScan[]): FragmentTasks {
  if (output.kind === 'keep' || read.some(({ kind }) => APART.has(kind))) return 'partitions'
  return scans.some(({ reads }) => reads === 'split') ? 'splits' : 'one'
}

/** Keys are cast to the type that the plan compares: bound again, a sum may come out wider and hash to another task. */
function outputOf({ output, root }: Cut, types: readonly DuckType[]): FragmentOutput {
  switch (output.kind) {
    case 'hash': return { kind: 'hash', keys: emitKeys(output.keys.map(exact)) }
    case 'range': {
      const ties = types.flatMap((type, i) => isHashable(type) ? [`c${i}`] : []).slice(0, MAX_TIES)
      return { kind: 'range', key: sortKey(output.orders), ties }
    }
    case 'sample': {
      const percent = Math.min(100, 100 * SAMPLE_ROWS / Math.max(1, root.rows))
      return { kind: 'sample', key: sortKey(output.orders), percent }
    }
    case 'gather': case 'broadcast': case 'keep': case 'result': return output
    default: return unreachable(output)
  }
}

/** Keys in all samples of a sort together: ranges of 64 tasks differ by some 6 % in their rows then. */
const SAMPLE_ROWS = 20_000
/** Columns that tell rows of one key apart: more would only be hashed for nothing. */
const MAX_TIES = 8

function sortKey(orders: readonly Order[]): string {
  return emitSortKey(orders.map(by => ({ ...by, expression: exact(by.expression) })))
}

function exact(key: Expression): Expression {
  return { kind: 'Cast', child: key, type: typeOf(key), try: false, origin: null }
}
