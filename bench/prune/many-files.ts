/**
 * A table of very many files of which nothing exists but what their footers would say: one real file is written, and
 * its footer stands for all, with row groups whose bounds follow from the number of the file. From there on everything
 * is the catalog's own: the join of footers, the skeleton, the index.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readFooter, type Footer } from '../../cache/footer.ts'
import { LocalStore } from '../../cache/local-store.ts'
import { hiveLayout } from '../../catalog/hive.ts'
import { joinFooters } from '../../catalog/parquet-files.ts'
import { dataFiles, skeletonColumns } from '../../catalog/parquet-table.ts'
import { skeletonBytes } from '../../catalog/skeleton.ts'
import type { Table } from '../../catalog/table.ts'
import { DuckDBInstance } from '../../test/duckdb.ts'

export const ROWS_PER_FILE = 20_000
/** Files of one day; days are Hive keys. */
export const FILES_PER_DAY = 250
const GROUPS_PER_FILE = 2
const FILE_BYTES = 8_000_000

/** `id` counts over all files; `device` begins with the number of its file. */
const COLUMNS = `i AS id, (TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND) AS "at", 'device ' || i AS device,
  i * 0.5 AS value, (i % 50)::INTEGER AS kind, 'note ' || (i % 7) AS note`

export async function manyFiles(folder: string, count: number): Promise<Table> {
  await mkdir(folder, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (SELECT ${COLUMNS} FROM range(100) t(i)) TO '${join(folder, 'one.parquet')}'`)
  instance.closeSync()
  const store = new LocalStore('lake', folder)
  const footer = await readFooter(store, await keyOf(store))
  const files = Array.from({ length: count }, (_, i) => ({
    bucket: 'lake', key: `events/day=${Math.floor(i / FILES_PER_DAY)}/part-${i}.parquet`, etag: `etag ${i}`,
    sizeBytes: FILE_BYTES,
  }))
  const described = columns.map((name, i) => ({ name, type: types[i] ?? 'VARCHAR' }))
  const examples = [{ columns: described, refused: {} }]
  const joined = joinFooters(files.map((_, i) => footerOf(footer, i)), { columns: described, examples }, [])
  const hive = hiveLayout(files, { hivePartitioning: true, hiveTypes: {}, hiveAutocast: true })
  const made = skeletonColumns(joined, hive)
  const skeletonPath = join(folder, `skeleton-${count}.parquet`)
  await writeFile(skeletonPath, skeletonBytes({
    columns: made.map(({ skeleton }) => skeleton), rowCount: joined.rowCount, rowCountIs: 'exact',
    footer: joined.schema,
  }))
  return {
    name: { catalog: 'lake', schema: 'main', table: 'events' }, version: String(count), format: 'parquet',
    columns: made.map(({ column }) => column), shapes: [], filename: null, hiveKeys: hive.keys, readOptions: {},
    rowCount: joined.rowCount, sizeBytes: count * FILE_BYTES, skeletonPath, distinctCounts: made.map(() => null),
    ...dataFiles(files, joined, hive),
  }
}

const columns = ['id', 'at', 'device', 'value', 'kind', 'note']
const types = ['BIGINT', 'TIMESTAMP', 'VARCHAR', 'DECIMAL(20,1)', 'INTEGER', 'VARCHAR']

async function keyOf(store: LocalStore) {
  for await (const { key, etag, sizeBytes } of store.list('', { wants: key => key === 'one.parquet' })) {
    if (key === 'one.parquet') return { bucket: 'lake', key, etag, sizeBytes }
  }
  throw new Error('the file that was written is not there')
}

/** Of file `i`: as the real one, with its own bounds. */
function footerOf(footer: Footer, i: number): Footer {
  const [group] = footer.rowGroups
  if (group === undefined) throw new Error('a footer without row groups')
  const rows = ROWS_PER_FILE / GROUPS_PER_FILE
  return {
    ...footer, rowCount: ROWS_PER_FILE,
    rowGroups: Array.from({ length: GROUPS_PER_FILE }, (_, g) => {
      const from = BigInt(i * ROWS_PER_FILE + g * rows)
      const to = from + BigInt(rows) - 1n
      const device = `device ${String(i).padStart(6, '0')}`
      const bounds = [
        [from, to], [from * 1_000_000n, to * 1_000_000n], [`${device} a`, `${device} z`], [from * 5n, to * 5n],
        [0n, 49n], ['note 0', 'note 6'],
      ] as const
      return {
        rowCount: rows,
        columns: group.columns.map((chunk, column) => {
          const [min = null, max = null] = bounds[column] ?? []
          return { ...chunk, min, max, nullCount: 0, sizeBytes: 100_000, distinctCount: null }
        }),
      }
    }),
  }
}
