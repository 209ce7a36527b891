/**
 * What exchanges cost, in nanoseconds of CPU over all tasks, from estimated rows and the types of their columns. Only
 * the order of magnitude counts: the estimates are DuckDB's, made without distinct counts. The constants are rounded
 * from measurements of DuckDB 1.5 writing and reading Parquet on one thread (bench/results.md, cost).
 *
 *   hash         a stage, write, divide, read             of each side that moves; one hash table
 *   broadcast    a stage, write, tasks x (read, build)    of the side that is copied
 *   repeat       tasks x (scan, build)                    of the side that every task makes for itself
 *                                                         (of either, the part that a task needs: see restrict.ts)
 *   gather       no choice here: few rows, or nothing else is right
 *   sample       scan of the keys, or a stage, write, read  of what is sorted by ranges
 */

import type { DuckType } from '../../proto/types.ts'
import type { Order } from '../expression.ts'
import type { Plan, Scan } from '../plan.ts'
import { columnTypes } from './columns.ts'
import { addColumns, typeOf } from './expressions.ts'
import { anyOperator } from './operator.ts'
import type { CutContext } from './spread.ts'

export const WRITE_NUMBER_NS = 10
export const WRITE_TEXT_NS = 50
export const READ_NUMBER_NS = 3
export const READ_TEXT_NS = 16
/** Of a table. Texts of few kinds are as cheap as numbers: a filter looks at each kind once. */
export const SCAN_NUMBER_NS = 5
export const SCAN_TEXT_NS = 45
/** One stage more: its tasks, some three, are made, sent, bound, run and reported. */
const STAGE_NS = 25_000_000
/** To which file a row goes. */
export const DIVIDE_ROW_NS = 45
/** Into the hash table of a join. */
export const BUILD_ROW_NS = 70
const GUESSED_TOLERANCE = 1.5
/** How many tasks write parts or read copies: the planner does not know the cluster. */
export const ASSUMED_TASKS = 4

/** Not to copy more to every task, where all of the other side is read: each builds a hash table of it in memory. */
const BROADCAST_LIMIT_BYTES = 128 * 1024 * 1024
/** Every executor fetches all of a table that is repeated; of one that can be divided, its part alone. */
const REPEAT_LIMIT_BYTES = 16 * 1024 * 1024
/** A plan with several readers is copied to all tasks up to this: written once, read a few times. */
const SHARED_LIMIT_BYTES = 16 * 1024 * 1024
/**
 * So many rows are rather gathered than divided over tasks: another stage costs more. Estimates of groups are no better
 * than the number of rows that are grouped, so what is gathered is nearly always far less.
 */
const GATHER_ROWS = 1_500_000

/** True if the keys of the plan, which only reads the scans, are rather read twice than all of its rows written. */
export function isCheapToSample(
  plan: Plan, scans: readonly Scan[], orders: readonly Order[], context: CutContext,
): boolean {
  const keyNs = orders.reduce((sum, { expression }) =>
    sum + (widthBytes(typeOf(expression)) > NUMBER_BYTES ? SCAN_TEXT_NS : SCAN_NUMBER_NS), 0)
  const sampleNs = scans.reduce((sum, scan) => sum
    + wholeScan(scan, context).rows * (keyNs + scanRowNs({ ...scan, columns: [] }, context)), 0)
  const { writeNs, readNs } = rowNs(plan, context)
  return sampleNs <= STAGE_NS + plan.rows * (writeNs + readNs)
}

/** True if one task may work on all the rows, of no aggregate yet; never when shuffles are forced. */
export function isFewToMove(rows: number, { thresholds }: CutContext): boolean {
  return thresholds.broadcastRows > 0 && rows <= thresholds.broadcastRows
}

/** True if one task may combine all the rows; never when shuffles are forced. */
export function isFewToGather(rows: number, { thresholds }: CutContext): boolean {
  return thresholds.broadcastRows > 0 && rows <= GATHER_ROWS
}

/** True if a plan that several readers share should rather be read by all tasks than stay apart. */
export function isCheapToShare(shared: Plan, context: CutContext): boolean {
  const { broadcastRows } = context.thresholds
  return broadcastRows > 0 && (shared.rows <= broadcastRows || sizeBytes(shared, context) <= SHARED_LIMIT_BYTES)
}

/**
 * True if the side may be copied at all, short of there being no other way. `isStreamed`: of the other side a LIMIT
 * takes the beginning, which only a copy leaves it, be it that its hash tables spill.
 */
export function mayBroadcast(plan: Plan, isStreamed: boolean, context: CutContext): boolean {
  const { broadcastRows } = context.thresholds
  if (broadcastRows === 0) return false
  return isStreamed || plan.rows <= broadcastRows || sizeBytes(plan, context) <= BROADCAST_LIMIT_BYTES
}

/** What a task needs of a side that is copied to it: `share` of its rows, because it needs no more of `scan`. */
export interface Part {
  readonly share: number
  readonly scan: Scan | null
}

export const WHOLE: Part = { share: 1, scan: null }
/** Of two tables that lie in the order of their keys: ranges overlap, and end within files. */
const ORDERED_SHARE = 1.5 / ASSUMED_TASKS
/** The same of one that can be divided: only the ends of a task's files lie within files of the other. */
const DIVIDED_SHARE = 1.1 / ASSUMED_TASKS

export function partOf(scan: Scan, context: CutContext): Part {
  return { share: isDivided(scan, context) ? DIVIDED_SHARE : ORDERED_SHARE, scan }
}

function isDivided({ table }: Scan, { tableDivided }: CutContext): boolean {
  return tableDivided[table]?.includes(true) === true
}

/**
 * Besides making the rows once. `otherRows`: of the side that it is copied to. `scans`: of the tables that are split,
 * if the plan may be repeated; else null. Where tasks need a part of either side, the smaller one is built.
 */
export function copyNs(
  plan: Plan, otherRows: number, scans: readonly Scan[] | null, context: CutContext, part: Part,
): number {
  const builtRows = part.scan === null ? plan.rows : Math.min(plan.rows, otherRows)
  const builtNs = ASSUMED_TASKS * part.share * builtRows * BUILD_ROW_NS
  const isRepeated = scans !== null && isCheapToRepeat(plan, scans, context, part)
  return builtNs + (isRepeated ? repeatNs(scans, context, part) : broadcastNs(plan, context, part))
}

function broadcastNs(plan: Plan, context: CutContext, { share }: Part): number {
  const { writeNs, readNs } = rowNs(plan, context)
  return STAGE_NS + plan.rows * (writeNs + ASSUMED_TASKS * share * readNs)
}

/** True if every task should rather read the tables of the plan than what one fragment made of them. */
export function isCheapToRepeat(plan: Plan, scans: readonly Scan[], context: CutContext, part: Part): boolean {
  if (context.thresholds.broadcastRows === 0) return false
  const bytes = scans.reduce((sum, scan) => {
    if (scan === part.scan && isDivided(scan, context)) return sum
    return sum + shareOf(scan, part) * sizeBytes(wholeScan(scan, context), context)
  }, 0)
  return bytes <= REPEAT_LIMIT_BYTES && repeatNs(scans, context, part) <= broadcastNs(plan, context, part)
}

/** Of all rows of their tables that tasks need, once without. */
function repeatNs(scans: readonly Scan[], context: CutContext, part: Part): number {
  return scans.reduce((sum, scan) => sum
    + (ASSUMED_TASKS * shareOf(scan, part) - 1) * wholeScan(scan, context).rows * scanRowNs(scan, context), 0)
}

function shareOf(scan: Scan, part: Part): number {
  return scan === part.scan ? part.share : 1
}

function wholeScan(scan: Scan, { tableRows }: CutContext): Scan {
  return { ...scan, rows: tableRows[scan.table] ?? 0 }
}

/**
 * How much dearer than a hash exchange a copy may look: DuckDB guesses that a fifth of the rows pass a filter that it
 * has no statistics for, and most filters leave less. Without a filter the rows are known.
 */
export function copyTolerance(plan: Plan): number {
  return anyOperator(plan, operator => operator.kind === 'Filter' || (operator.kind === 'Scan'
    && operator.filters.length > 0)) ? GUESSED_TOLERANCE : 1
}

/** Of the columns that come out, and of those that are only filtered by. */
function scanRowNs({ table, columns, filters }: Scan, { tableTypes, tableDistinct }: CutContext): number {
  const touched = new Set(columns.filter(position => position !== null))
  for (const filter of filters) addColumns(filter, touched)
  return [...touched].reduce((sum, column) => {
    const type = tableTypes[table]?.[column]
    const isText = type !== undefined && widthBytes(type) > NUMBER_BYTES
    const isOfFewKinds = (tableDistinct[table]?.[column] ?? null) !== null
    return sum + (isText && !isOfFewKinds ? SCAN_TEXT_NS : SCAN_NUMBER_NS)
  }, 0)
}

/** Of the sides that move; `builtRows`: of the smaller side. */
export function hashNs(moved: readonly Plan[], builtRows: number, context: CutContext): number {
  const sides = moved.map(plan => {
    const { writeNs, readNs } = rowNs(plan, context)
    return STAGE_NS + plan.rows * (writeNs + DIVIDE_ROW_NS + readNs)
  })
  return sides.reduce((sum, side) => sum + side, builtRows * BUILD_ROW_NS)
}

/** To write a row and to read it again. */
export function moveRowNs(plan: Plan, context: CutContext): number {
  const { writeNs, readNs } = rowNs(plan, context)
  return writeNs + readNs
}

/** True if every task may hold so many columns of the plan's rows in a hash table. */
export function isSmallToRead({ rows }: Plan, columns: number): boolean {
  return rows * columns * NUMBER_BYTES <= BROADCAST_LIMIT_BYTES
}

function valuesOf(plan: Plan, { tableTypes }: CutContext): { readonly numbers: number; readonly texts: number } {
  const types = columnTypes(plan, tableTypes)
  const texts = types.filter(type => widthBytes(type) > NUMBER_BYTES).length
  return { numbers: types.length - texts, texts }
}

function rowNs(plan: Plan, context: CutContext): { readonly writeNs: number; readonly readNs: number } {
  const { numbers, texts } = valuesOf(plan, context)
  return {
    writeNs: numbers * WRITE_NUMBER_NS + texts * WRITE_TEXT_NS, readNs: numbers * READ_NUMBER_NS + texts * READ_TEXT_NS,
  }
}

/** What is wider costs as a text does. */
const NUMBER_BYTES = 16

export function sizeBytes(plan: Plan, { tableTypes }: CutContext): number {
  return plan.rows * columnTypes(plan, tableTypes).reduce((sum, type) => sum + widthBytes(type), 0)
}

/** Of one value in an exchange file, roughly. */
export function widthBytes(type: DuckType): number {
  switch (type.kind) {
    case 'scalar': return scalarBytes(type.name)
    case 'decimal': return type.width <= 9 ? 4 : type.width <= 18 ? 8 : 16
    case 'enum': return 8
    case 'list': return 4 * widthBytes(type.child)
    case 'array': return type.size * widthBytes(type.child)
    case 'map': return 4 * (widthBytes(type.key) + widthBytes(type.value))
    case 'struct': return type.fields.reduce((sum, field) => sum + widthBytes(field.type), 0)
    case 'union': return type.members.reduce((sum, member) => sum + widthBytes(member.type), 0)
  }
}

function scalarBytes(name: string): number {
  switch (name) {
    case 'BOOLEAN': case 'TINYINT': case 'UTINYINT': return 1
    case 'SMALLINT': case 'USMALLINT': return 2
    case 'INTEGER': case 'UINTEGER': case 'FLOAT': case 'DATE': return 4
    case 'HUGEINT': case 'UHUGEINT': case 'UUID': case 'INTERVAL': return 16
    case 'VARCHAR': case 'BLOB': case 'JSON': case 'BIT': case 'BIGNUM': return 24
    default: return 8
  }
}
