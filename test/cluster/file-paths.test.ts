/**
 * Files that statements name by their addresses, on a real cluster, in a folder and in a store of the S3 protocol.
 * Plain DuckDB is asked the same with the files' own paths: values, types and errors have to be the same.
 */

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { putFolder } from '../s3/folder.ts'
import { S3Server } from '../s3-server.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { runCommand } from './command.ts'
import { Skein } from './skein.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-paths-'))
const data = join(root, 'data')
await write()
const oracle = await Oracle.open(data, [
  { catalog: 'lake', name: 'orders', glob: 'orders/*.parquet', reader: 'read_parquet' },
], 'lake')
const server = await S3Server.start()
putFolder(server, data)
t.teardown(async () => {
  oracle.close()
  await server.close()
  rmSync(root, { recursive: true })
})

async function write(): Promise<void> {
  for (const folder of ['orders', 'grown', 'lines', 'docs']) mkdirSync(join(data, folder), { recursive: true })
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const copy = (sql: string, key: string) => connection.run(
    `COPY (${sql}) TO '${join(data, key)}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
  for (let i = 0; i < 3; i++) {
    await copy(`SELECT i::INTEGER AS id, i % 7 AS grp, 'w' || i AS word
      FROM range(${i * 5000}, ${i * 5000 + 5000}) t(i)`, `orders/part-${i}.parquet`)
  }
  await connection.run(`COPY (SELECT i AS v, i % 3 AS year, 'r' || i % 2 AS region FROM range(300) t(i))
    TO '${join(data, 'hive')}' (FORMAT parquet, PARTITION_BY (year, region))`)
  await copy('SELECT i::INTEGER AS id, i AS x FROM range(3000) t(i)', 'grown/1.parquet')
  await copy(`SELECT i::BIGINT * 3000000000 AS id, 'y' || i AS y FROM range(100) t(i)`, 'grown/2.parquet')
  connection.closeSync()
  instance.closeSync()
  const rows = Array.from({ length: 400 }, (_, i) => i)
  const line = (i: number): string => `${i}|${i % 5 === 0 ? 'NA' : i / 2}|'a|${i}'\n`
  writeFileSync(join(data, 'lines/a.csv'), rows.map(line).join(''))
  writeFileSync(join(data, 'lines/b.csv.gz'), gzipSync(rows.map(i => line(i + 400)).join('')))
  const day = (i: number): string => `2024-01-${String(1 + i % 28).padStart(2, '0')}`
  writeFileSync(join(data, 'plain.csv'), `id,day\n${rows.map(i => `${i},${day(i)}\n`).join('')}`)
  const docs = rows.map(i => JSON.stringify({ id: i, tags: [`t${i % 3}`], n: i / 4 }))
  writeFileSync(join(data, 'docs/a.json'), docs.join('\n'))
  const items = rows.map(i => ({ id: i, at: '2024-01-02', deep: { k: [i] } }))
  writeFileSync(join(data, 'docs/list.json'), JSON.stringify(items))
}

/** `@/` is the bucket. */
const questions: readonly string[] = [
  `SELECT count(*), sum(id), max(word) FROM '@/orders/*.parquet'`,
  `SELECT * FROM "@/orders/part-1.parquet" WHERE id BETWEEN 5010 AND 5015 ORDER BY id`,
  `SELECT grp, count(*) AS n FROM read_parquet('@/orders/*.parquet') GROUP BY grp ORDER BY grp`,
  `SELECT count(*) FROM parquet_scan(['@/orders/part-0.parquet', '@/orders/part-2.parquet'])`,
  `SELECT a.grp, count(*) FROM '@/orders/part-0.parquet' a JOIN orders b USING (id)
     JOIN read_csv('@/plain.csv') AS c ON c.id = a.id GROUP BY ALL ORDER BY ALL`,
  `WITH x AS (FROM '@/orders/part-?.parquet' WHERE id % 2 = 0), y AS MATERIALIZED (SELECT grp FROM x)
     SELECT (SELECT count(*) FROM y) AS a, (SELECT max(v) FROM '@/hive/*/*/*.parquet') AS b, count(*) FROM x`,
  `SELECT "part-0".word, read_csv.day FROM '@/orders/part-0.parquet', read_csv('@/plain.csv')
     WHERE "part-0".id = read_csv.id AND "part-0".id < 3 ORDER BY ALL`,
  `SELECT year, region, sum(v) FROM '@/hive/**/*.parquet' WHERE year > 0 GROUP BY ALL ORDER BY ALL`,
  `SELECT * FROM read_parquet('@/hive/*/*/*.parquet', hive_partitioning = false) ORDER BY ALL LIMIT 5`,
  `SELECT DISTINCT year, typeof(year) FROM read_parquet('@/hive/*/*/*.parquet', hive_types = {'year': 'VARCHAR'})
     ORDER BY ALL`,
  `SELECT DISTINCT typeof(year) FROM read_parquet('@/hive/*/*/*.parquet', hive_types_autocast = false)`,
  `SELECT * FROM read_parquet('@/grown/*.parquet', union_by_name := true) WHERE id < 4 OR y = 'y9' ORDER BY ALL`,
  `SELECT sum(id), count(x), max(y) FROM read_parquet(['@/grown/1.parquet', '@/grown/2.parquet'], union_by_name=true)`,
  `SELECT id FROM '@/grown/1.parquet' WHERE id < 3 ORDER BY id`,
  `SELECT c.*, typeof(a) FROM read_csv('@/lines/*', delim = '|', quote = '''', header = false, nullstr = 'NA',
     columns = {'n': 'SMALLINT', 'a': 'DECIMAL(9,1)', 'w': 'VARCHAR'}) AS c WHERE n < 12 ORDER BY ALL`,
  `SELECT count(*), sum(col1), max(col2) FROM read_csv_auto('@/lines/a.csv', sep='|', quote='''', nullstr=['NA', 'x'],
     names = ['col0', 'col1', 'col2'])`,
  `SELECT typeof(id), typeof(day), max(day)
     FROM read_csv('@/plain.csv', types = {'id': 'UTINYINT'}, ignore_errors = true) GROUP BY ALL`,
  `SELECT * FROM read_csv('@/plain.csv', all_varchar = true) ORDER BY ALL LIMIT 3`,
  `SELECT * FROM read_csv('@/plain.csv', skip = 2, header = false, dateformat = '%Y-%m-%d') ORDER BY ALL LIMIT 3`,
  `SELECT tags, count(*), sum(n) FROM '@/docs/a.json' GROUP BY tags ORDER BY tags`,
  `SELECT * FROM read_json('@/docs/list.json', format = 'array') WHERE id < 3 ORDER BY id`,
  `SELECT sum(deep.k[1]) FROM read_json_auto('@/docs/list.json')`,
  `SELECT id, n FROM read_ndjson('@/docs/a.json', columns = {id: 'UINTEGER', n: 'DECIMAL(9,3)'})
     WHERE id > 396 ORDER BY 1`,
  `SELECT column_name, column_type FROM (DESCRIBE FROM '@/docs/a.json')`,
  `SELECT column_name, min, max, count FROM (SUMMARIZE FROM '@/orders/*.parquet')`,
  `SELECT count(*) FROM (FROM '@/orders/*.parquet' UNION ALL SELECT id, grp, word FROM orders) TABLESAMPLE 100%`,
  `SELECT id FROM orders WHERE id IN (SELECT v FROM '@/hive/*/*/*.parquet' WHERE region = 'r1') ORDER BY id LIMIT 5`,
  `SELECT x.id, l.day FROM '@/grown/1.parquet' x, LATERAL (SELECT day FROM '@/plain.csv' p WHERE p.id = x.id) l
     ORDER BY ALL LIMIT 4`,
]

/** Fail on both sides with that code here, at the same place. */
const failures: readonly (readonly [sql: string, code: string])[] = [
  [`SELECT nope FROM '@/orders/*.parquet'`, 'BIND_ERROR'],
  [`SELECT id,\n  ä.x, word\nFROM read_parquet(\n'@/orders/*.parquet') ä`, 'BIND_ERROR'],
  [`SELECT read_parquet.id + read_parquet.no FROM read_parquet('@/orders/*.parquet')`, 'BIND_ERROR'],
  [`SELECT x FROM '@/grown/*.parquet'`, 'EXECUTION_ERROR'],
]

const P = 'PERMISSION_DENIED'
const U = 'UNSUPPORTED_STATEMENT'
const refused: readonly (readonly [sql: string, code: string, message: RegExp, at: string])[] = [
  [`FROM 's3://other/x.parquet'`, P, /is in no registered bucket: none is named 'other'/, `'s3://other`],
  [`SELECT 1 FROM read_parquet(['@/orders/*.parquet', 's3://other/x'])`, P, /none is named 'other'/, 'read_parquet'],
  [`FROM read_parquet(['@/orders/part-0.parquet', '/etc/passwd'])`, P, /'\/etc\/passwd' is not the address/, 'read_pa'],
  [`FROM read_csv('/etc/passwd')`, P, /read_csv is not allowed/, 'read_csv'],
  [`FROM '@/../secret.parquet'`, 'INVALID_REQUEST', /is not a path inside a bucket/, `'`],
  [`FROM 's3a://twin/x.parquet'`, P, /may mean the buckets one, two: use one of these names/, `'`],
  [`FROM read_text('@/plain.csv')`, P, /read_text is not allowed/, 'read_text'],
  [`FROM glob('@/*')`, P, /glob is not allowed/, 'glob'],
  [`FROM '@/plain'`, 'BIND_ERROR', /has no ending that tells how it is read/, `'`],
  [`FROM '@/none/*.parquet'`, 'FILE_NOT_FOUND', /no file matches 'none\/\*.parquet' in bucket/, ''],
  [`FROM read_csv('@/plain.csv', file_row_number = true)`, U, /file_row_number is one of Parquet files/, 'read_csv'],
  [`FROM read_parquet('@/orders/*.parquet', encryption_config = {footer_key: 'x'})`, U, /encryption_config/, 'read_p'],
  [`FROM read_csv('@/plain.csv', store_rejects = true)`, U, /the option store_rejects is not supported/, 'read_csv'],
  [`FROM read_csv('@/plain.csv', header = upper('x'))`, U, /the option header is not a constant/, 'read_csv'],
  [`FROM read_csv('@/plain.csv', 'x')`, U, /options are constants with a name/, 'read_csv'],
  [`FROM read_parquet('@/orders/*.parquet') WITH ORDINALITY`, U, /files cannot be named in this place/, 'read_parquet'],
]

const folder = { name: 'files', config: { provider: 'local', path: data } }
const remote = { name: 'prod', config: {
  provider: 'custom', bucket: 'lake', endpoint: server.endpoint, access_key_id: 'test', secret_access_key: 'testsecret',
} }
const twin = { ...remote.config, bucket: 'twin' }

for (const [i, [where, address, own]] of ([
  ['a folder, by its name', 's3://files', folder], ['the S3 protocol, by the bucket of the store', 's3://lake', remote],
  ['the S3 protocol, by its name', 'r2://prod', remote],
] as const).entries()) {
  t.test(`over ${where}`, async t => {
    const config = {
      buckets: { [own.name]: own.config, one: twin, two: twin },
      catalogs: { lake: { type: 'bucket_tables', bucket: own.name, tables: { orders: 'orders/*.parquet' } } },
      node: { memory: '2GB', spill: '1GB', cache: '100MB' },
    }
    const environment = i === 1 ? {} : { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }
    const skein = await Skein.start({ folder: join(root, `own${i}`), executors: 2, config, environment })
    t.teardown(() => skein.stop())
    const here = (sql: string): string => sql.replaceAll('@', address)
    const plain = (sql: string): string => sql.replaceAll('@', data)
    for (const sql of questions) {
      const outcome = await skein.query(here(sql))
      const wrong = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
        : difference(await oracle.run(plain(sql)), outcome.answer, true)
      t.equal(wrong, undefined, sql)
    }
    for (const [sql, code] of failures) {
      const outcome = await skein.query(here(sql))
      t.match(outcome, { kind: 'error', code }, sql)
      if (outcome.kind !== 'error' || code !== 'BIND_ERROR') continue
      t.match(await oracle.run(plain(sql)).catch((error: unknown) => error), Error)
    }
    for (const [sql, code, message, at] of refused) {
      const text = here(sql)
      const outcome = await skein.query(text)
      t.match(outcome, { kind: 'error', code, message }, sql)
      if (outcome.kind === 'error' && at !== '') t.equal(outcome.position, text.indexOf(at), `place of ${sql}`)
    }
    const names = `SELECT DISTINCT fn FROM read_parquet('@/orders/*.parquet', filename = 'fn') ORDER BY fn`
    const named = await skein.query(here(names))
    t.match(named, { answer: { rows: [0, 1, 2].map(part => [`${address}/orders/part-${part}.parquet`]) } })
    const unnamed = await skein.query(here(`SELECT (SELECT max(id) FROM '@/orders/*.parquet')`))
    t.match(unnamed, { answer: { columns: [{ name: here(`(SELECT max(id) FROM '@/orders/*.parquet')`) }] } })
    const key = 'orders/part-7.parquet'
    const count = `SELECT count(*) FROM orders UNION ALL SELECT count(*) FROM '@/orders/*.parquet' -- ${i}`
    const added = readFileSync(join(data, 'orders/part-0.parquet'))
    const [before] = [await skein.query(here(count))]
    if (own === remote) server.objects.put('lake', key, added)
    else writeFileSync(join(data, key), added)
    const words = ['admin', 'refresh', '--format', 'json', '--url', skein.doors.admin ?? '']
    const { stdout, stderr } = await runCommand(words)
    t.match([JSON.parse(stdout), stderr], [[{ table: 'lake.main.orders', files: 4, rows: 20_000, error: '' }], ''])
    t.match([before, await skein.query(here(`${count} again`))],
      [15_000, 20_000].map(rows => ({ answer: { rows: [[`${rows}`], [`${rows}`]] } })))
    if (own === remote) server.objects.delete('lake', key)
    else rmSync(join(data, key))
    const again = await skein.query('REFRESH TABLE orders; SELECT /* refreshed */ count(*) FROM orders')
    t.match(again, { answer: { rows: [['15000']] } }, 'REFRESH as a statement')
    t.match(await skein.query('refresh lake.main.nothing'), { kind: 'error', code: 'TABLE_NOT_FOUND' })
    const secrets = readdirSync(join(root, `own${i}`, 'data'), { recursive: true, encoding: 'utf8' })
      .map(name => join(root, `own${i}`, 'data', name))
      .filter(path => statSync(path).isFile() && /testsecret/.test(readFileSync(path, 'latin1')))
    t.strictSame(secrets, [], 'credentials are written nowhere')
    const placed = await skein.query(here(`SELECT id,\n  nope FROM '@/orders/*.parquet'`))
    t.match(placed, { position: 13, message: here(`LINE 2:   nope FROM '@/orders/*.parquet'`) })
  })
}
