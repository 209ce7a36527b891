/**
 * Tables whose files differ in their columns, asked by a real cluster over a folder and over the S3 protocol. Plain
 * DuckDB, with union_by_name over the same files, is the judge of values and types.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { putFolder } from '../s3/folder.ts'
import { S3Server } from '../s3-server.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { Skein } from './skein.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-different-'))
const data = join(root, 'data')
await write()
const options = ', union_by_name = true'
const oracle = await Oracle.open(data, [
  { catalog: 'lake', name: 'grown', glob: 'grown/*.parquet', reader: 'read_parquet', options },
  { catalog: 'lake', name: 'lines', glob: 'lines/*', reader: 'read_csv', options },
], 'lake')
const server = await S3Server.start()
putFolder(server, data)
t.teardown(async () => {
  oracle.close()
  await server.close()
  rmSync(root, { recursive: true })
})

async function write(): Promise<void> {
  for (const folder of ['grown', 'broken', 'lines']) mkdirSync(join(data, folder), { recursive: true })
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const copy = (sql: string, key: string) => connection.run(
    `COPY (${sql}) TO '${join(data, key)}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
  await copy(`SELECT i::INTEGER AS id, 'name ' || i % 7 AS name, {'x': i} AS s FROM range(5000) t(i)`,
    'grown/1.parquet')
  await copy(`SELECT (i / 4)::FLOAT AS added, 'NAME' || i AS NAME, 9000000000 + i AS id FROM range(4000) t(i)`,
    'grown/2.parquet')
  await copy(`SELECT i::SMALLINT AS id, i / 3 AS added, {'x': i, 'y': 'q' || i} AS s, i % 2 = 0 AS yes
    FROM range(3000) t(i)`, 'grown/3.parquet')
  await copy(`SELECT i::INTEGER AS id, 'last' AS name, {'x': i} AS s FROM range(1000) t(i)`, 'grown/4.parquet')
  await copy('SELECT 1 AS a, 2 AS b, 3 AS c', 'broken/1.parquet')
  await copy(`SELECT 1 AS a, DATE '2024-01-01' AS b`, 'broken/2.parquet')
  connection.closeSync()
  instance.closeSync()
  const lines = (count: number, line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('')
  writeFileSync(join(data, 'lines/1.csv'), `id,word\n${lines(800, i => `${i},w${i}`)}`)
  writeFileSync(join(data, 'lines/2.csv'), `word,id,day\n${lines(700, i => `"v, ${i}",${i},2024-01-0${1 + i % 9}`)}`)
  writeFileSync(join(data, 'lines/3.csv.gz'), gzipSync(`id,more\n${lines(300, i => `${i + 0.5},${i % 2 === 0}`)}`))
}

const questions = [
  'SELECT count(*) FROM grown',
  'SELECT name, count(*), sum(id), sum(added), count(s) FROM grown GROUP BY name ORDER BY ALL LIMIT 20',
  'SELECT * FROM grown WHERE id BETWEEN 990 AND 1010 ORDER BY ALL',
  'SELECT count(*), min(id), max(id), min(added), max(added), bool_or(yes) FROM grown',
  'SELECT count(*) FROM grown WHERE added IS NULL',
  'SELECT count(*) FROM grown WHERE yes IS NOT NULL AND id < 100',
  'SELECT id, added FROM grown WHERE id > 9000003990 ORDER BY id',
  'SELECT s.y, count(*) FROM grown WHERE s.x < 5 GROUP BY ALL ORDER BY ALL',
  'SELECT a.name, b.yes, count(*) FROM grown a JOIN grown b USING (id) GROUP BY ALL ORDER BY ALL',
  'SELECT * FROM lines WHERE id < 4 ORDER BY ALL',
  'SELECT count(*), sum(id), max(word), min(day), count(more) FROM lines',
  'SELECT more, day, count(*) FROM lines GROUP BY ALL ORDER BY ALL',
  'SELECT l.word, g.name FROM lines l JOIN grown g USING (id) WHERE g.yes ORDER BY ALL LIMIT 9',
  'SELECT column_name, column_type FROM (DESCRIBE grown)', 'SELECT column_name, column_type FROM (DESCRIBE lines)',
]

const buckets = {
  folder: { provider: 'local', path: data },
  store: {
    provider: 'custom', bucket: 'lake', endpoint: server.endpoint, access_key_id: 'test',
    secret_access_key: 'testsecret',
  },
}

const tables = {
  grown: 'grown/*.parquet', lines: { path: 'lines/*', file_format: 'csv' }, broken: 'broken/*.parquet',
  first: { path: 'broken/*.parquet', union_by_name: false },
}
const config = {
  buckets, default_catalog: 'folder',
  catalogs: Object.fromEntries(Object.keys(buckets).map(bucket => [bucket, { type: 'bucket_tables', bucket, tables }])),
  node: { memory: '2GB', spill: '1GB', cache: '100MB' },
}
const environments = { spread: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }, whole: {} }

for (const [how, environment] of Object.entries(environments)) {
  t.test(`over a folder and over the S3 protocol, ${how}`, async t => {
    const skein = await Skein.start({ folder: join(root, how), executors: 2, config, environment })
    try {
      for (const catalog of Object.keys(buckets)) await t.test(catalog, t => ask(t, skein, catalog))
    } finally {
      await skein.stop()
    }
  })
}

async function ask(t: Test, skein: Skein, catalog: string): Promise<void> {
  const query = (sql: string) => skein.query(sql, { fields: { catalog } })
  for (const sql of questions) {
    const outcome = await query(sql)
    const wrong = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
      : difference(await oracle.run(sql), outcome.answer, true)
    t.equal(wrong, undefined, sql)
  }
  const absent = await query('SELECT a, c FROM broken ORDER BY c')
  t.match(absent, { answer: { rows: [['1', '3'], ['1', null]] } })
  t.match(await query('SELECT b FROM broken'), {
    kind: 'error', code: 'EXECUTION_ERROR',
    message: /column 'b' of 'broken\/1\.parquet': INTEGER does not become DATE/,
  })
  t.match(await query('SELECT a FROM first'), { answer: { rows: [['1'], ['1']] } })
  t.match(await query('SELECT sum(c) FROM first'), {
    kind: 'error', code: 'EXECUTION_ERROR',
    message: /'broken\/2\.parquet' has no column 'c', which 'broken\/1\.parquet' has/,
  })
  t.match(await query('SELECT count(*) FROM first'), { answer: { rows: [['2']] } })
}
