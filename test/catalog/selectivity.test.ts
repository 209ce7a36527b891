/** What part of the rows filters leave, estimated: against the rows that DuckDB counts. */

import t, { type Test } from 'tap'
import type { StatValue } from '../../cache/statistics.ts'
import { pruneFiles, type PruneFilter } from '../../catalog/prune.ts'
import { GUESSED_SELECTIVITY, selectivity } from '../../catalog/selectivity.ts'
import type { Table } from '../../catalog/table.ts'
import { openLake, type Lake } from './lake.ts'

const ROWS = 40_960

/** Four files, each with values from all over the columns but `n`, which lies in order. */
async function openTable(t: Test): Promise<{ lake: Lake; table: Table }> {
  const lake = await openLake()
  t.teardown(() => lake.close())
  for (const file of [0, 1, 2, 3]) {
    const [from, to] = [file * ROWS / 4, (file + 1) * ROWS / 4]
    await lake.write(`s/${file}.parquet`, `SELECT i::INTEGER AS n, (i * 7919 % 1000)::BIGINT AS k,
      DATE '2020-01-01' + (i * 31 % 730)::INTEGER AS d, (i * 97 % 1000) / 10.0::DOUBLE AS x,
      'kind ' || i * 13 % 8 AS kind, CASE WHEN i % 4 > 0 THEN i % 10 END AS u, md5(i::VARCHAR) AS text
      FROM range(${from}, ${to}) t(i)`, ', ROW_GROUP_SIZE 2048')
  }
  return { lake, table: await lake.table('s/*.parquet') }
}

/** Of the rows that pruning leaves. */
function part(table: Table, filters: readonly PruneFilter[]): number {
  const groups = pruneFiles(table, filters).flatMap(({ file, rowGroups }) =>
    file.rowGroups.filter((_, i) => rowGroups.includes(i)))
  return selectivity(filters, groups, table)
}

const compare = (column: number, op: '=' | '<' | '<=' | '>' | '>=', value: StatValue): PruneFilter =>
  ({ kind: 'compare', column, op, value })
const every = (...filters: PruneFilter[]): PruneFilter => ({ kind: 'and', filters })
const some = (...filters: PruneFilter[]): PruneFilter => ({ kind: 'or', filters })
const [N, K, D, X, KIND, U, TEXT] = [0, 1, 2, 3, 4, 5, 6]
const day = (date: string): bigint => BigInt(Date.parse(date) / 86_400_000)

t.test('near what DuckDB counts', async t => {
  const { lake, table } = await openTable(t)
  const cases: readonly (readonly [filters: readonly PruneFilter[], where: string])[] = [
    [[compare(K, '<', 100n)], 'k < 100'], [[compare(K, '>=', 990n)], 'k >= 990'],
    [[every(compare(K, '>=', 500n), compare(K, '<', 510n))], 'k >= 500 AND k < 510'],
    [[compare(K, '>', 498n), compare(K, '<=', 518n)], 'k > 498 AND k <= 518'],
    [[every(compare(D, '>=', day('2020-03-01')), compare(D, '<', day('2020-04-01')))],
      `d >= '2020-03-01' AND d < '2020-04-01'`],
    [[compare(X, '>', 75)], 'x > 75'], [[compare(K, '=', 7n)], 'k = 7'],
    [[compare(KIND, '=', 'kind 3')], `kind = 'kind 3'`],
    [[{ kind: 'in', column: KIND, values: ['kind 1', 'kind 2'] }], `kind IN ('kind 1', 'kind 2')`],
    [[some(compare(K, '<', 50n), compare(K, '>=', 900n))], 'k < 50 OR k >= 900'],
    [[{ kind: 'is-null', column: U }], 'u IS NULL'], [[{ kind: 'is-not-null', column: U }], 'u IS NOT NULL'],
    [[compare(U, '<', 5n)], 'u < 5'],
    [[compare(K, '<', 200n), compare(KIND, '=', 'kind 0')], `k < 200 AND kind = 'kind 0'`],
    [[{ kind: 'in', column: KIND, values: ['kind 1'] }, compare(KIND, '=', 'kind 1')], `kind = 'kind 1'`],
  ]
  for (const [filters, where] of cases) {
    const [[count]] = await lake.rows(
      `SELECT count(*) FROM read_parquet('${lake.path('s')}/*.parquet') WHERE ${where}`) as [[bigint]]
    const [found, true_] = [part(table, filters), Number(count) / ROWS]
    t.ok(found > true_ / 1.3 && found < true_ * 1.3, `${found}, and it is ${true_}: ${where}`)
  }
})

t.test('row groups in which there is none do not count', async t => {
  const { table } = await openTable(t)
  t.equal(part(table, [compare(N, '<', 4_096n)]), 1)
  t.equal(part(table, [compare(N, '<', 3_072n)]), 0.75)
  t.equal(selectivity([compare(N, '<', 0n)], table.files.flatMap(({ rowGroups }) => rowGroups), table), 0)
})

t.test('of what footers do not tell it is a guess, and of no filter all', async t => {
  const { table } = await openTable(t)
  t.equal(part(table, [compare(TEXT, '<', 'c')]).toFixed(9), GUESSED_SELECTIVITY.toFixed(9))
  t.equal(part(table, [compare(TEXT, '=', 'c')]).toFixed(9), GUESSED_SELECTIVITY.toFixed(9))
  t.equal(part(table, []), 1)
})
