/** What a task sees of its tables: every format, ranges of rows, Hive keys, declared types, and emptiness. */

import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FileFormat } from '../../proto/gen/executor_pb.js'
import { columnTexts, toTable } from './arrow-text.ts'
import { openWorkbench, toResult, type Workbench } from './workbench.ts'

type Scan = NonNullable<Parameters<Workbench['result']>[0]['scans']>[number]

const split = (key: string, fromRow = 0n, toRow = 0n) =>
  ({ file: { bucket: 'lake', key, etag: '', sizeBytes: 0n }, fromRow, toRow })
const column = (name: string, type: string) => ({ name, type })

/** Writes a table into the lake through an exchange task: Parquet as DuckDB makes it. */
async function parquet(bench: Workbench, key: string, sql: string): Promise<void> {
  const { connection, done } = await bench.instances.emitted('made' as never, true, 0, '', new AbortController().signal)
  await connection.run(`COPY (${sql}) TO '${join(bench.lake, key)}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
  await done(false)
}

/** The rows of `sql` as text, one line each. */
async function rows(bench: Workbench, sql: string, width: number, scans: readonly Scan[]): Promise<string[]> {
  const columns = Array.from({ length: width }, (_, i) => column(`v${i}`, 'VARCHAR'))
  const { outcome, frames } = await bench.result({
    sql, scans: [...scans], preserveOrder: true, output: toResult(columns),
  })
  if (outcome.kind === 'failed') throw outcome.cause
  const texts = columns.map((_, i) => columnTexts(toTable(frames), i))
  return (texts[0] ?? []).map((_, row) => texts.map(values => String(values[row])).join('|'))
}

t.test('Parquet: whole files and ranges of rows, in the order of the splits', async t => {
  const bench = await openWorkbench(t)
  await parquet(bench, 'a.parquet', 'SELECT i AS id, 1 AS file FROM range(10000) t(i)')
  await parquet(bench, 'b.parquet', 'SELECT i AS id, 2 AS file FROM range(10000) t(i)')
  const scan = {
    name: 'scan0', format: FileFormat.PARQUET, columns: [column('id', 'BIGINT'), column('file', 'INTEGER')],
    splits: [split('a.parquet', 2048n, 4096n), split('b.parquet'), split('a.parquet', 8192n, 10000n)],
  }
  const grouped = 'SELECT file, count(*), min(id), max(id) FROM scan0 GROUP BY file ORDER BY file'
  t.strictSame(await rows(bench, grouped, 4, [scan]), ['1|3856|2048|9999', '2|10000|0|9999'])
  t.strictSame(await rows(bench, 'SELECT id FROM scan0 LIMIT 1', 1, [scan]), ['2048'])
  t.strictSame(await rows(bench, 'SELECT count(*) FROM scan0 WHERE id BETWEEN 4000 AND 8200 AND file = 1', 1, [scan]),
    ['105'])
})

t.test('how many rows are expected changes no answer', async t => {
  const bench = await openWorkbench(t)
  await parquet(bench, 'a.parquet', 'SELECT 9000000000000000000 - i AS big, i % 7 AS g, i AS id FROM range(10000) t(i)')
  await parquet(bench, 'b.parquet', 'SELECT 9000000000000000000 - i AS big, i % 7 AS g, i AS id FROM range(9000) t(i)')
  const sql = `SELECT count(*), sum(a.big), sum(DISTINCT a.g), min(b.id), max(b.big)
    FROM scan0 a JOIN scan0 b USING (id) WHERE a.g < 5 AND b.g > 1`
  const answers = new Set<string>()
  for (const [filtered, estimatedRows] of [[false, 0n], [false, 1n], [true, 1n], [true, 10n ** 15n]] as const) {
    const columns = [column('big', 'BIGINT'), column('g', 'BIGINT'), column('id', 'BIGINT')]
    const splits = [split('a.parquet', 2048n, 10000n), split('b.parquet')].map(one => ({ ...one, estimatedRows }))
    const scan = { name: 'scan0', format: FileFormat.PARQUET, columns, splits, filtered }
    answers.add((await rows(bench, sql, 5, [scan])).join())
  }
  t.strictSame([...answers], ['13226|119033999999999929178707|9|2|8999999999999999998'])
})

t.test('columns have their declared types, whatever the file has, and odd names are names', async t => {
  const bench = await openWorkbench(t)
  await parquet(bench, 'a.parquet', `SELECT 1::TINYINT AS "we ""ird", '2' AS n`)
  const scan = {
    name: 'scan7', format: FileFormat.PARQUET, columns: [column('we "ird', 'BIGINT'), column('n', 'DECIMAL(9,2)')],
    splits: [split('a.parquet')],
  }
  t.strictSame(await rows(bench, 'SELECT "we ""ird", typeof("we ""ird"), n FROM scan7', 3, [scan]), ['1|BIGINT|2.00'])
})

t.test('Hive keys are columns of the declared type, and directories mean nothing without them', async t => {
  const bench = await openWorkbench(t)
  for (const year of ['2023', '2024', '__HIVE_DEFAULT_PARTITION__']) {
    mkdirSync(join(bench.lake, `t/year=${year}`), { recursive: true })
    await parquet(bench, `t/year=${year}/a.parquet`, 'SELECT 7 AS x')
  }
  const splits = readdirSync(join(bench.lake, 't')).sort().map(folder => split(`t/${folder}/a.parquet`))
  const keyed = {
    name: 'scan0', format: FileFormat.PARQUET, columns: [column('x', 'INTEGER'), column('year', 'VARCHAR')],
    hiveKeys: ['year'], splits,
  }
  t.strictSame(await rows(bench, 'SELECT year, typeof(year), x FROM scan0 ORDER BY year', 3, [keyed]),
    ['2023|VARCHAR|7', '2024|VARCHAR|7', 'null|VARCHAR|7'])
  const plain = { name: 'scan1', format: FileFormat.PARQUET, columns: [column('x', 'INTEGER')], splits }
  t.strictSame(await rows(bench, 'SELECT count(*), sum(x) FROM scan1', 2, [plain]), ['3|21'])
})

t.test('CSV and JSON are read with pinned columns and options', async t => {
  const bench = await openWorkbench(t)
  writeFileSync(join(bench.lake, 'a.csv'), "id;name\n1;'a;b'\n002;NULL\n")
  writeFileSync(join(bench.lake, 'a.json'), '{"id": 1, "tags": ["a", "b"]}\n{"id": 2}\n')
  const csv = {
    name: 'scan0', format: FileFormat.CSV, columns: [column('id', 'VARCHAR'), column('name', 'VARCHAR')],
    splits: [split('a.csv')],
    options: { delim: "';'", quote: "''''", header: 'true', nullstr: "'NULL'", auto_detect: 'false' },
  }
  const json = {
    name: 'scan1', format: FileFormat.JSON, columns: [column('id', 'UTINYINT'), column('tags', 'VARCHAR[]')],
    splits: [split('a.json')],
    options: { format: "'newline_delimited'" },
  }
  t.strictSame(await rows(bench, 'SELECT id, name FROM scan0', 2, [csv]), ['1|a;b', '002|null'])
  t.strictSame(await rows(bench, 'SELECT id, typeof(id), tags FROM scan1', 3, [json]),
    ['1|UTINYINT|[a, b]', '2|UTINYINT|null'])
})

t.test('a scan brings the rows that the task needs: of its ranges, in all of its splits', async t => {
  const bench = await openWorkbench(t)
  await parquet(bench, 'a.parquet', `SELECT CASE WHEN i % 100 = 99 THEN NULL ELSE i END AS id FROM range(10000) t(i)`)
  const scan = (restrictions: Scan['restrictions']): Scan => ({
    name: 'scan0', format: FileFormat.PARQUET, columns: [column('id', 'BIGINT')],
    splits: [split('a.parquet', 0n, 4096n), split('a.parquet', 8192n, 10000n)], restrictions: restrictions ?? [],
  })
  const ids = (restrictions: Scan['restrictions']) =>
    rows(bench, 'SELECT count(*), min(id), max(id) FROM scan0', 3, [scan(restrictions)])
  t.strictSame(await ids([]), ['5904|0|9998'])
  t.strictSame(await ids([{ column: 0, ranges: [{ low: 90n, high: 104n }] }]), ['14|90|104'])
  t.strictSame(await ids([{ column: 0, ranges: [{ low: -5n, high: 1n }, { low: 5000n, high: 8200n }] }]),
    ['10|0|8200'], 'NULL is in no range')
  t.strictSame(await ids([
    { column: 0, ranges: [{ low: 0n, high: 9n }] }, { column: 0, ranges: [{ low: 5n, high: 20n }] },
  ]), ['5|5|9'], 'all of them hold')
  t.strictSame(await ids([{ column: 0, ranges: [] }]), ['0|null|null'])
})

t.test('a scan without splits is an empty relation of its types', async t => {
  const bench = await openWorkbench(t)
  const columns = [column('a', 'DECIMAL(9,2)'), column('b', 'STRUCT(x INTEGER)[]')]
  const scan = { name: 'scan0', format: FileFormat.PARQUET, columns, splits: [] }
  t.strictSame(await rows(bench, 'SELECT count(*), any_value(typeof(b)), sum(a) FROM scan0', 3, [scan]),
    ['0|null|null'])
})

t.test('a user\'s own text sees its tables under their names, and no other file', async t => {
  const bench = await openWorkbench(t)
  await parquet(bench, 'a.parquet', 'SELECT 42 AS x')
  await parquet(bench, 'secret.parquet', 'SELECT 43 AS x')
  const scan = {
    catalog: 'my lake', schema: 'main', table: 'T', format: FileFormat.PARQUET,
    columns: [column('x', 'INTEGER')], splits: [split('a.parquet')],
  }
  const original = { scans: [scan], sqlKind: 2, defaultCatalog: 'my lake', defaultSchema: 'main' }
  const output = toResult([column('x', 'INTEGER')])
  const joined = 'SELECT t.x FROM t JOIN "my lake".main.t AS u ON t.x = u.x'
  const named = await bench.result({ ...original, sql: joined, output })
  t.strictSame(columnTexts(toTable(named.frames), 0), ['42'])
  const secret = `SELECT x FROM read_parquet('${bench.lake}/secret.parquet')`
  const stolen = await bench.result({ ...original, sql: secret, output })
  t.match(stolen.outcome, { kind: 'failed', cause: { code: 'PERMISSION_DENIED' } })
})

t.test('settings of the session hold for the task alone, and only harmless ones', async t => {
  const bench = await openWorkbench(t)
  const output = toResult([column('x', 'VARCHAR')])
  const sql = "SELECT TIMESTAMPTZ '2024-07-01 12:00:00+00'::VARCHAR"
  const rome = await bench.result({ sql, output, settings: { TimeZone: 'Europe/Rome' } })
  const other = await bench.result({ sql, output })
  const limit = await bench.result({ sql, output, settings: { memory_limit: '1GB' } })
  t.strictSame(columnTexts(toTable(rome.frames), 0), ['2024-07-01 14:00:00+02'])
  t.strictSame(columnTexts(toTable(other.frames), 0), ['2024-07-01 12:00:00+00'])
  t.match(limit.outcome, { kind: 'failed', cause: { code: 'PERMISSION_DENIED' } })
})

t.test('a file that is gone or cut off is named', async t => {
  const bench = await openWorkbench(t)
  await parquet(bench, 'cut.parquet', 'SELECT i FROM range(100000) t(i)')
  truncateSync(join(bench.lake, 'cut.parquet'), 5000)
  const output = toResult([column('x', 'BIGINT')])
  for (const [key, code] of [['cut.parquet', 'FILE_CORRUPT'], ['none.parquet', 'FILE_NOT_FOUND']] as const) {
    const scan = { name: 'scan0', format: FileFormat.PARQUET, columns: [column('i', 'BIGINT')], splits: [split(key)] }
    const { outcome } = await bench.result({ sql: 'SELECT sum(i)::BIGINT FROM scan0', scans: [scan], output })
    t.match(outcome, { kind: 'failed', cause: { code, message: new RegExp(key) } })
  }
})
