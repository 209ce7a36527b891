/** Pruning of files and row groups; the rows themselves are the judge. */

import t from 'tap'
import type { StatValue } from '../../cache/statistics.ts'
import { type PruneFilter, type PruneOp, pruneFiles } from '../../catalog/prune.ts'
import type { ColumnChunk, Table } from '../../catalog/table.ts'
import { type Lake, openLake } from './lake.ts'

/** Rows of the table that are in the files and row groups left. */
async function rowsLeft(lake: Lake, table: Table, filters: readonly PruneFilter[], where: string): Promise<bigint> {
  let count = 0n
  for (const { file, rowGroups } of pruneFiles(table, filters)) {
    for (const i of rowGroups) {
      const from = file.rowGroups.slice(0, i).reduce((sum, group) => sum + group.rowCount, 0)
      const to = from + (file.rowGroups[i]?.rowCount ?? 0)
      const [[n]] = await lake.rows(`SELECT count(*)
        FROM read_parquet('${lake.path(file.file.key)}', file_row_number = true, hive_partitioning = true)
        WHERE file_row_number >= ${from} AND file_row_number < ${to} AND ${where}`) as [[bigint]]
      count += n
    }
  }
  return count
}

t.test('no row that satisfies a filter is in what was pruned, over types, operators and values', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  const types = [
    'TINYINT', 'UTINYINT', 'INTEGER', 'UBIGINT', 'FLOAT', 'DOUBLE', 'DECIMAL(4,1)', 'DECIMAL(18,3)', 'DECIMAL(30,2)',
    'VARCHAR',
  ]
  const list = types.map((type, i) => `(i % 100)::${type} AS c${i}`)
  const more = [
    `(date '2024-01-01' + (i % 100)::INTEGER) AS d`, `(timestamp '2024-01-01' + INTERVAL (i % 100) HOUR) AS ts`,
    `(i % 200 > 120) AS b`, `CASE WHEN i < 30 THEN i END AS n`,
  ]
  for (let f = 0; f < 3; f++) {
    await lake.write(`p/k=${f}/f.parquet`,
      `SELECT ${[...list, ...more].join(', ')} FROM range(${f * 30}, ${f * 30 + 30}) t(i)`, ', ROW_GROUP_SIZE 10')
  }
  const table = await lake.table('p/*/*.parquet')
  const last = (column: number, pick: 'min' | 'max'): StatValue => {
    const found = table.files[1]?.rowGroups[0]?.columns[column]?.[pick]
    if (found === null || found === undefined) throw new Error(`no statistics of ${table.columns[column]?.name}`)
    return found
  }
  let pruned = 0
  const ops: PruneOp[] = ['=', '<', '<=', '>', '>=']
  for (const [column, { name, type }] of table.columns.entries()) {
    if (name === 'k' || name === 'n') continue
    for (const pick of ['min', 'max'] as const) {
      const value = last(column, pick)
      for (const op of ops) {
        const where = `${name} ${op} ${literal(value, type)}`
        const filter: PruneFilter = { kind: 'compare', column, op, value }
        const [[all]] = await lake.rows(
          `SELECT count(*) FROM read_parquet('${lake.path('p')}/*/*.parquet') WHERE ${where}`) as [[bigint]]
        t.equal(await rowsLeft(lake, table, [filter], where), all, where)
        if (pruneFiles(table, [filter]).length < 3) pruned++
      }
    }
  }
  t.ok(pruned > 60, `${pruned} filters leave files out`)
})

function literal(value: StatValue, type: string): string {
  if (type === 'DATE') return `(date '1970-01-01' + ${value}::INTEGER)`
  if (type === 'TIMESTAMP') return `make_timestamp(${value})`
  const scale = /^DECIMAL\(\d+,(\d+)\)$/.exec(type)?.[1]
  if (scale !== undefined) return `CAST(${value} / ${10 ** Number(scale)} AS ${type})`
  return `CAST('${value}' AS ${type})`
}

t.test('Hive keys leave out files; AND, OR, IN and NULL work on either', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/k=1/f.parquet', 'SELECT 1 v')
  await lake.write('p/k=2/f.parquet', 'SELECT 2 v')
  await lake.write('p/k=__HIVE_DEFAULT_PARTITION__/f.parquet', 'SELECT NULL::INTEGER v')
  const table = await lake.table('p/*/*.parquet')
  const left = (...filters: PruneFilter[]) => pruneFiles(table, filters).map(({ file }) => file.hiveValues[0])
  const [v, k] = [0, 1]
  const is = (column: number, value: bigint): PruneFilter => ({ kind: 'compare', column, op: '=', value })
  t.strictSame(left(), ['1', '2', null])
  t.strictSame(left(is(k, 2n)), ['2'])
  t.strictSame(left({ kind: 'compare', column: k, op: '>', value: 1n }), ['2'])
  t.strictSame(left({ kind: 'is-null', column: k }), [null])
  t.strictSame(left({ kind: 'is-not-null', column: k }), ['1', '2'])
  t.strictSame(left({ kind: 'is-null', column: v }), [null])
  t.strictSame(left({ kind: 'is-not-null', column: v }), ['1', '2'])
  t.strictSame(left({ kind: 'in', column: k, values: [1n, 7n] }), ['1'])
  t.strictSame(left({ kind: 'in', column: v, values: [] }), [])
  t.strictSame(left(is(k, 1n), is(v, 2n)), [])
  t.strictSame(left({ kind: 'or', filters: [is(k, 1n), is(v, 2n)] }), ['1', '2'])
  const never: PruneFilter = { kind: 'and', filters: [is(k, 1n), is(v, 2n)] }
  t.strictSame(left({ kind: 'or', filters: [never, { kind: 'is-null', column: v }] }), [null])
})

const chunk = (min: StatValue | null, max: StatValue | null, nullCount: number | null = 0): ColumnChunk =>
  ({ offset: 4, sizeBytes: 10, min, max, nullCount })

function tableOf(groups: readonly ColumnChunk[]): Table {
  return {
    name: { catalog: 'c', schema: 'main', table: 't' }, version: 'v', format: 'parquet', hiveKeys: [], readOptions: {},
    shapes: [], filename: null,
    columns: [{ name: 'a', type: 'BIGINT' }, { name: 'b', type: 'BIGINT' }],
    rowCount: groups.length, sizeBytes: 1, skeletonPath: '/s', distinctCounts: [],
    files: [{
      file: { bucket: 'b', key: 'k', etag: 'e', sizeBytes: 1 }, shape: 0, hiveValues: [], rowCount: groups.length,
      rowGroups: groups.map(column => ({ rowCount: 1, columns: [column, column] })),
    }],
  }
}

t.test('what is not known is kept', async t => {
  const groups = (...columns: ColumnChunk[]) => (filter: PruneFilter) =>
    pruneFiles(tableOf(columns), [filter])[0]?.rowGroups ?? []
  const compare = (op: PruneOp, value: StatValue): PruneFilter => ({ kind: 'compare', column: 0, op, value })
  t.strictSame(groups(chunk(null, null), chunk(5n, null), chunk(null, 5n))(compare('=', 9n)), [0, 1])
  t.strictSame(groups(chunk(1n, 5n))(compare('=', 'text')), [0], 'another kind of value')
  t.strictSame(groups(chunk(1, 5))(compare('>', 9)), [0], 'NaN may be there')
  t.strictSame(groups(chunk(1, 5))(compare('=', 9)), [])
  t.strictSame(groups(chunk(null, null, 1))(compare('=', 9n)), [], 'only NULLs')
  t.strictSame(groups(chunk(1n, 2n, null))({ kind: 'is-null', column: 0 }), [0])
  t.strictSame(groups(chunk('\ufffd', '𝒳'))(compare('=', '\uffff')), [0], 'texts are in the order of code points')
})

t.test('rows and bytes left are those of the chosen columns', async t => {
  const table = tableOf([chunk(1n, 1n), chunk(5n, 9n), chunk(7n, 7n)])
  const [file] = pruneFiles(table, [{ kind: 'compare', column: 0, op: '>', value: 3n }], [1])
  t.match(file, { rowGroups: [1, 2], rowCount: 2, sizeBytes: 20 })
})
