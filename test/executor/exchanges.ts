/** Rows that one task writes and another reads, for tests of exchanges of any size. */

import type { WrittenFile } from '../../executor/exchange-writer.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { toResult, type Workbench } from './workbench.ts'

export interface Exchanged {
  readonly written: { readonly files: readonly WrittenFile[] }
  /** Of all partitions together: the number of rows, and the sum of the first column, which is their number from 0. */
  readonly totals: readonly (string | null)[]
}

/** `width`: columns, all but the first of values that Parquet cannot make small. */
export async function exchanged(
  bench: Workbench, rows: number, partitionCount: number, width: number,
): Promise<Exchanged> {
  const columns = Array.from({ length: width }, () => ({ type: 'BIGINT', wireType: 'BIGINT' }))
  const list = columns.map((_, i) => i === 0 ? 'i AS c0' : `(hash(i + ${i}) // 2)::BIGINT AS c${i}`)
  const written = await bench.run({
    sql: `SELECT ${list.join(', ')} FROM range(${rows}) t(i)`,
    output: { case: 'exchange', value: { columns, hashKeys: partitionCount > 1 ? ['c0'] : [], partitionCount } },
  })
  if (written.kind === 'failed') throw written.cause
  const { root: folder, markerPath, markerToken } = bench.exchangeFiles
  const source = { executorId: 'e1', address: 'nowhere:1', folder, markerPath, markerToken }
  const files = written.files.map(({ path, sizeBytes, rowCount }) =>
    ({ source, path, sizeBytes: BigInt(sizeBytes), rowCount: BigInt(rowCount) }))
  const { outcome, frames } = await bench.result({
    sql: 'SELECT count(*), coalesce(sum(c0), 0)::BIGINT FROM ex0', inputs: [{ name: 'ex0', columns, files }],
    output: toResult([{ name: 'n', type: 'BIGINT' }, { name: 's', type: 'BIGINT' }]),
  })
  if (outcome.kind === 'failed') throw outcome.cause
  const table = toTable(frames)
  return { written, totals: [0, 1].map(i => columnTexts(table, i)[0] ?? null) }
}
