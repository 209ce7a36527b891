/** Tables in a remote bucket, asked by a real cluster. Plain DuckDB over the same files as a folder is the judge. */

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { globOf, generate } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import type { Explanation } from '../../coordinator/explanation.ts'
import { DuckDBInstance } from '../duckdb.ts'
import type { S3Server } from '../s3-server.ts'
import { serveFolder } from '../s3/folder.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { runCommand } from './command.ts'
import { Skein, type SkeinOutcome } from './skein.ts'

const SCALE = 0.01
const root = mkdtempSync(join(tmpdir(), 'skein-remote-'))
const data = join(root, 'data')
await generate({ scale: SCALE, folder: data, filesPerTable: { lineitem: 6, orders: 3 } })
await writeOthers(data)
const oracle = await Oracle.open(data, [
  ...tableNames.map(name => ({ catalog: 'tpch', name, glob: globOf(name), reader: 'read_parquet' })),
  { catalog: 'other', name: 'parts', glob: 'parts/*/*.parquet', reader: 'read_parquet' },
  { catalog: 'text', name: 'lines', glob: 'lines/*', reader: 'read_csv' },
  { catalog: 'text', name: 'words', glob: 'words/*', reader: 'read_csv' },
  { catalog: 'documents', name: 'events', glob: 'events/*', reader: 'read_json' },
], 'tpch')
t.teardown(() => {
  oracle.close()
  rmSync(root, { recursive: true })
})

/** A table by Hive partitions, CSV of which one file is compressed or all is text, and JSON. */
async function writeOthers(folder: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const name of ['lines', 'words', 'events']) mkdirSync(join(folder, name))
  await connection.run(`COPY (SELECT i, i % 3 AS year, 'text ' || i AS word FROM range(3000) t(i))
    TO '${join(folder, 'parts')}' (FORMAT parquet, PARTITION_BY (year))`)
  await connection.run(`COPY (SELECT i, 'text, ' || i AS word FROM range(500) t(i))
    TO '${join(folder, 'lines/a.csv')}'`)
  await connection.run(`COPY (SELECT i, 'text, ' || i AS word FROM range(500, 900) t(i))
    TO '${join(folder, 'lines/b.csv.gz')}' (FORMAT csv, COMPRESSION gzip)`)
  await connection.run(`COPY (SELECT 'w' || i AS one, 'v' || (i % 7) AS two FROM range(700) t(i))
    TO '${join(folder, 'words/a.csv')}'`)
  for (const part of [0, 1]) {
    await connection.run(`COPY (SELECT i, 'e' || (i % 5) AS kind, {'x': i, 'tags': ['a', 'b' || i]} AS detail
      FROM range(${300 * part}, ${300 * (part + 1)}) t(i)) TO '${join(folder, `events/${part}.json`)}' (FORMAT json)`)
  }
  connection.closeSync()
  instance.closeSync()
}

/** One byte in 4,000, outside the footer. */
function flip(path: string): void {
  const bytes = readFileSync(path)
  const end = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
  for (let at = 100; at < end; at += 4000) bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at)
  writeFileSync(path, bytes)
}

function configOf({ endpoint }: S3Server, more: Readonly<Record<string, unknown>> = {}) {
  const remote = { type: 'bucket_tables', bucket: 'prod', ...more }
  return {
    buckets: { prod: {
      provider: 'custom', bucket: 'lake', endpoint, access_key_id: 'test', secret_access_key: 'testsecret',
    } },
    catalogs: {
      tpch: { ...remote, tables: Object.fromEntries(tableNames.map(name => [name, globOf(name)])) },
      other: { ...remote, tables: { parts: 'parts/*/*.parquet' } },
      text: { ...remote, file_format: 'csv', tables: { lines: 'lines/*', words: 'words/*' } },
      documents: { ...remote, file_format: 'json', tables: { events: 'events/*' } },
    },
    default_catalog: 'tpch',
    node: { memory: '2GB', spill: '1GB', cache: '200MB' },
  }
}

async function wrong(sql: string, outcome: SkeinOutcome): Promise<string | undefined> {
  if (outcome.kind === 'error') return `${outcome.code}: ${outcome.message}`
  return difference(await oracle.run(sql), outcome.answer, true)
}

const fetched = (outcome: SkeinOutcome): unknown => outcome.kind === 'rows' ? outcome.stats['bytes_fetched'] : outcome
const cached = (outcome: SkeinOutcome): unknown => outcome.kind === 'rows' ? outcome.stats['bytes_cached'] : outcome

const others = [
  'SELECT year, count(*), sum(i), min(word) FROM other.parts GROUP BY year ORDER BY year',
  'SELECT count(*), max(word) FROM other.parts WHERE year = 2',
  'SELECT count(*), sum(i), max(word) FROM text.lines',
  'SELECT l.word, p.word FROM text.lines l JOIN other.parts p USING (i) ORDER BY ALL LIMIT 5',
  'SELECT count(*), min(two), max(one) FROM text.words',
  'SELECT kind, count(*), sum(detail.x), max(detail.tags[2]) FROM documents.events GROUP BY kind ORDER BY kind',
  `SELECT max(COLUMNS(c -> c LIKE 'l_%key')) FROM lineitem`,
  'SELECT n_name FROM nation ORDER BY n_name',
]

t.test('queries spread over two executors', async t => {
  const server = await serveFolder(t, data)
  server.faults.spread({ seed: 5, share: 0.1, faults: ['error-500', 'slow-down', 'reset', 'cut', 'short'] })
  const skein = await Skein.start({
    folder: join(root, 'spread'), executors: 2, config: configOf(server, { assume_immutable: true }),
    environment: { SKEIN_WHOLE_BYTES: '0' },
  })
  t.teardown(() => skein.stop())
  const questions = [1, 3, 9, 18].map(number => tpchQueries(SCALE)[number - 1]?.sql ?? '')

  await t.test('of which one request in ten fails: all answers are right', async t => {
    for (const sql of [...questions, ...others]) t.equal(await wrong(sql, await skein.query(sql)), undefined, sql)
    t.ok(server.faults.struck > 5, `${server.faults.struck} faults in ${server.requests} requests`)
  })
  await t.test('the second time nothing is asked of the store', async t => {
    server.faults.spread({ seed: 5, share: 1, faults: ['error-500'] })
    server.forget()
    for (const sql of questions) {
      const again = await skein.query(`${sql} -- again`)
      t.equal(await wrong(sql, again), undefined)
      t.equal(fetched(again), 0)
      t.ok(Number(cached(again)) > 0)
    }
    t.equal(server.requests, 0)
  })
  await t.test('bytes that are flipped in the caches are fetched again', async t => {
    const caches = [1, 2].map(number => join(root, 'spread', 'data', `executor-${number}`, 'cache'))
    const mirrors = caches.flatMap(folder => readdirSync(folder).filter(name => name.includes('.data'))
      .map(name => join(folder, name)))
    for (const path of mirrors) flip(path)
    server.faults.spread(undefined)
    for (const sql of questions) t.equal(await wrong(sql, await skein.query(`${sql} -- flipped`)), undefined)
    const words = ['admin', 'cache', 'status', '--format', 'json', '--url', skein.doors.admin ?? '']
    const state = JSON.parse((await runCommand(words)).stdout) as { damaged: number }[]
    t.ok(state.reduce((sum, { damaged }) => sum + damaged, 0) > 10, JSON.stringify(state))
  })
  await t.test('columns that were brought ahead are there when the store is away', async t => {
    server.faults.spread(undefined)
    const admin = async (...words: string[]): Promise<Record<string, unknown>[]> => {
      const more = ['--format', 'json', '--url', skein.doors.admin ?? '']
      const { status, stdout, stderr } = await runCommand(['admin', 'cache', ...words, ...more])
      t.equal(status, 0, stderr)
      return JSON.parse(stdout) as Record<string, unknown>[]
    }
    await admin('evict', 'table', 'tpch.main.lineitem')
    t.notOk((await admin('tables')).some(({ table, files }) => table === 'tpch.main.lineitem' && files !== 0))
    const warmed = await admin('warm', 'lineitem', 'l_shipmode,l_quantity')
    const sum = (rows: typeof warmed, name: string): number => rows.reduce((total, row) => total + Number(row[name]), 0)
    t.ok(sum(warmed, 'bytes_fetched') > 0 && warmed.every(({ files, files_done }) => files === files_done))
    server.faults.spread({ seed: 5, share: 1, faults: ['error-500'] })
    server.forget()
    const sql = 'SELECT l_shipmode, sum(l_quantity) FROM lineitem GROUP BY ALL ORDER BY ALL'
    const outcome = await skein.query(sql)
    t.equal(await wrong(sql, outcome), undefined)
    t.strictSame([fetched(outcome), server.requests], [0, 0])
    const held = (await admin('tables')).filter(({ table }) => table === 'tpch.main.lineitem')
    t.ok(sum(held, 'files') >= 6 && sum(held, 'chunks') >= 12 && sum(held, 'bytes_cached') > 0, JSON.stringify(held))
    server.faults.spread(undefined)
  })
  await t.test('what would be fetched is told, and what lies in the caches', async t => {
    const response = await skein.request('POST', '/explain', { statement: questions[0] })
    let text = ''
    for await (const piece of response.setEncoding('utf8')) text += String(piece)
    const { scans } = (JSON.parse(text) as Explanation).stages[0] ?? { scans: [] }
    t.ok(scans.length > 0 && scans.every(({ bytes, bytes_cached: cached, bytes_to_fetch: toFetch }) =>
      bytes > 0 && cached > 0 && cached + toFetch === bytes), text)
  })
  await t.test('what a query fetches is what it counts, and little more than its columns', async t => {
    server.faults.spread(undefined)
    server.forget()
    const sql = 'SELECT sum(hash(l_comment) % 100), count(*) FROM lineitem'
    const first = await skein.query(sql)
    t.equal(await wrong(sql, first), undefined)
    t.equal(fetched(first), server.traffic('get').bytes)
    const files = readdirSync(join(data, 'lineitem')).map(name => `'${join(data, 'lineitem', name)}'`).join(', ')
    const { rows: [[needed] = []] } = await oracle.run(`SELECT sum(total_compressed_size)::BIGINT
      FROM parquet_metadata([${files}]) WHERE path_in_schema = 'l_comment'`)
    t.ok(Number(fetched(first)) <= 1.1 * Number(needed), `${String(fetched(first))} for ${String(needed)}`)
    t.ok(server.seen.every(({ ifMatch }) => ifMatch !== undefined))
  })
})

t.test('queries on one executor, which is restarted', async t => {
  const server = await serveFolder(t, data)
  const options = { folder: join(root, 'whole'), executors: 1, config: configOf(server, { assume_immutable: true }) }
  const sql = 'SELECT l_returnflag, sum(l_quantity) FROM lineitem GROUP BY ALL ORDER BY ALL'
  const first = await Skein.start(options)
  for (const each of [sql, ...others]) t.equal(await wrong(each, await first.query(each)), undefined, each)
  const before = server.traffic('get').bytes
  const asWritten = await first.query(
    'SET integer_division = true; SELECT sum(length(l_shipinstruct)) / 7 FROM lineitem')
  t.match(asWritten, { kind: 'rows', wholeReason: /integer_division/ })
  const { rows: [[needed] = []] } = await oracle.run(`SELECT sum(total_compressed_size)::BIGINT
    FROM parquet_metadata('${join(data, 'lineitem/*.parquet')}') WHERE path_in_schema = 'l_shipinstruct'`)
  const own = server.traffic('get').bytes - before
  t.ok(own > 0 && own <= 1.1 * Number(needed), `text as written: ${own} for ${String(needed)}`)
  t.match(await runCommand(['admin', 'bucket', 'test', 'prod', '--url', first.doors.admin ?? '']),
    { status: 0, stdout: /^bucket prod answers, in \d+ ms\n$/ })
  const cache = async (...words: string[]): Promise<unknown> => {
    const more = ['--format', 'json', '--url', first.doors.admin ?? '']
    return JSON.parse((await runCommand(['admin', 'cache', ...words, ...more])).stdout)
  }
  t.match(await cache('status'), [{ files: Number, bytes_fetched: Number, damaged: 0 }])
  await cache('evict', 'prod/parts/')
  const requests = server.traffic('get').requests
  t.equal(await wrong(sql, await first.query(`${sql} -- again`)), undefined)
  t.equal(server.traffic('get').requests, requests, 'other files are still there')
  t.ok(Number(fetched(await first.query(`${others[0]} -- again`))) > 0)
  await first.stop()
  server.forget()
  const second = await Skein.start(options)
  t.teardown(() => second.stop())
  const again = await second.query(sql)
  t.equal(await wrong(sql, again), undefined, 'its cache is used again')
  t.strictSame([fetched(again), server.traffic('get').requests], [0, 0])
  await server.close()
  t.equal(fetched(await second.query(`${sql} -- again`)), 0, 'with the store away too')
  t.match(await second.query('SELECT count(p_name) FROM part'), { kind: 'error', code: 'UNAVAILABLE' })
  t.match(await runCommand(['admin', 'bucket', 'test', 'prod', '--url', second.doors.admin ?? '']),
    { status: 1, stderr: /^error: UNAVAILABLE: bucket prod: 127\.0\.0\.1:\d+ refuses the connection\n$/ })
})
