/**
 * Which columns a statement reads of the cluster's tables, from the plan in which DuckDB has left out the columns that
 * nothing needs and done nothing else: what runs reads no column more (planner/columns-read.ts does the same for text
 * that no session's objects are in). Should it read one that is not here, its file counts as damaged and comes anew.
 */

import type { DuckConnection } from '../instances.ts'

/** Of one table: its position in the list that was bound, and names as its files have them. */
export interface ColumnsRead {
  readonly table: number
  readonly columns: readonly string[]
}

/** On the session's own instance, which runs one statement at a time, so no other is planned meanwhile. */
export async function leavingOptimizer<T>(admin: DuckConnection, step: string, plan: () => Promise<T>): Promise<T> {
  const all = await admin.texts('SELECT name FROM duckdb_optimizers()', [0])
  const others = all.flatMap(([name]) => name === step ? [] : [name])
  await admin.run(`SET disabled_optimizers = '${others.join(',')}'`)
  try {
    return await plan()
  } finally {
    await admin.run('RESET disabled_optimizers')
  }
}

/** `tableOf`: the position of the table that has the file. */
export function columnsRead(plans: unknown, tableOf: (path: string) => number | undefined): ColumnsRead[] {
  const read = new Map<number, Set<string>>()
  const left: unknown[] = [plans]
  while (left.length > 0) {
    const node = left.pop()
    if (typeof node !== 'object' || node === null) continue
    for (const child of Object.values(node)) left.push(child)
    if (!('type' in node) || node.type !== 'LOGICAL_GET') continue
    const { names = [], column_indexes: indexes = [], function_data: data } = node as Scan
    for (const table of new Set(data?.files?.map(tableOf))) {
      if (table === undefined) continue
      const own = read.get(table) ?? new Set()
      // those that are no column of the file are made by the reader: file_row_number and the like
      for (const { index } of indexes) if (index < names.length) own.add(names[index] ?? '')
      read.set(table, own)
    }
  }
  return [...read].map(([table, columns]) => ({ table, columns: [...columns] }))
}

/** Of DuckDB's plan. */
interface Scan {
  readonly names?: readonly string[]
  readonly column_indexes?: readonly { readonly index: number }[]
  readonly function_data?: { readonly files?: readonly string[] }
}
