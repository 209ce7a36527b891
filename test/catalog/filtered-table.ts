/** A table of one file whose row groups only Bloom filters tell apart, and what they leave of it. */

import type { Test } from 'tap'
import { type PruneFilter, type PrunedFile, pruneFiles } from '../../catalog/prune.ts'
import type { Table } from '../../catalog/table.ts'
import { type FilteredColumn, GROUP_ROWS, PRESENT } from './filtered-file.ts'
import { type Lake, openLake } from './lake.ts'

export interface Filtered {
  readonly lake: Lake
  readonly table: Table
  /** The row groups that are left. */
  prune(...filters: PruneFilter[]): Promise<readonly number[]>
}

/** `write` makes the file t.parquet. */
export async function openFiltered(t: Test, write: (lake: Lake) => Promise<void>): Promise<Filtered> {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await write(lake)
  const catalog = lake.catalog({ t: 't.parquet' })
  const [table] = await catalog.resolve([['t']], { catalog: 'c', schema: 'main' })
  if (table === undefined) throw new Error('no table')
  const columns = table.columns.map((_, i) => i)
  return {
    lake, table,
    prune: async (...filters) => {
      const kept: readonly PrunedFile[] =
        await catalog.bloomFilters.prune(table, filters, columns, pruneFiles(table, filters, columns))
      return kept.flatMap(({ rowGroups }) => rowGroups)
    },
  }
}

/** Each value of each column against DuckDB: row groups kept and needed, and what was left out wrongly. */
export async function pruned({ lake, table, prune }: Filtered, columns: readonly FilteredColumn[]): Promise<{
  readonly kept: number
  readonly needed: number
  readonly wrong: readonly string[]
}> {
  let [kept, needed] = [0, 0]
  const wrong: string[] = []
  for (const { name, literal, value, below = Infinity } of columns) {
    const column = table.columns.findIndex(each => each.name === name)
    for (const n of PRESENT.filter(each => each < below)) {
      const left = await prune({ kind: 'compare', column, op: '=', value: value(n) })
      const judge = await lake.rows(`SELECT DISTINCT (file_row_number // ${GROUP_ROWS})::INTEGER AS g
        FROM read_parquet('${lake.path('t.parquet')}', file_row_number = true)
        WHERE ${name} = ${literal(n)} ORDER BY g`)
      const holding = judge.map(([group]) => Number(group))
      const isRight = holding.every(group => left.includes(group))
      if (!isRight) wrong.push(`${name} = ${n} is in ${String(holding)}, not ${String(left)}`)
      kept += left.length
      needed += holding.length
    }
  }
  return { kept, needed, wrong }
}
