/**
 * Which columns a statement reads of each table, for text that runs as it was written: from the plan in which DuckDB
 * has left out the columns that nothing needs, and done nothing else. Whoever runs the text optimises further and reads
 * no column more; should it ask for one that is not there, its file counts as damaged and comes anew, with all columns.
 */

import { scannedTables } from './authority.ts'
import type { PlannerTable } from './planned-query.ts'

/** `plan`: authorised. By position of the table: positions of its columns; a table that is not read has none. */
export function columnsRead(plan: unknown, tables: readonly PlannerTable[]): ReadonlyMap<number, readonly number[]> {
  const read = new Map<number, Set<number>>()
  for (const node of scansIn(plan)) {
    for (const table of scannedTables(node, tables)) {
      const all = (tables[table]?.columns ?? []).map((_, position) => position)
      const own = 'column_indexes' in node ? positionsIn(node.column_indexes, all.length) : all
      read.set(table, new Set([...read.get(table) ?? [], ...own]))
    }
  }
  return new Map([...read].map(([table, columns]) => [table, [...columns].sort((a, b) => a - b)]))
}

/** The scans of a plan as DuckDB tells it, wherever they stand. */
export function* scansIn(plan: unknown): Generator<object> {
  const left: unknown[] = [plan]
  while (left.length > 0) {
    const node = left.pop()
    if (typeof node !== 'object' || node === null) continue
    left.push(...Object.values(node))
    if ('type' in node && node.type === 'LOGICAL_GET') yield node
  }
}

/** Those that are no column of the table are made by the reader: file_row_number and the like. */
function positionsIn(indexes: unknown, count: number): number[] {
  if (!Array.isArray(indexes)) throw new Error('a scan without a list of its columns')
  return (indexes as readonly { readonly index: number }[]).flatMap(({ index }) => index < count ? [index] : [])
}
