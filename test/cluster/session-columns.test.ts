/** Statements on a session's own instance over remote tables: they fetch the columns that they read, and no other. */

import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Float64, Table, tableToIPC, vectorFromArray } from 'apache-arrow'
import t from 'tap'
import { Caches } from '../../bench/remote/caches.ts'
import { readStream } from '../../proto/arrow-stream.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import {
  ActionCreatePreparedStatementRequestSchema, ActionCreatePreparedStatementResultSchema,
  CommandPreparedStatementUpdateSchema, CommandStatementUpdateSchema,
} from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed, unpacked } from '../serve/flight-client.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { bucketConfig, serveFolder } from '../s3/folder.ts'
import { sessionsOf } from './asking.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { until } from './watch.ts'

const [COLUMNS, ROWS] = [20, 60_000]
/** Of numbers that nothing packs. */
const CHUNK_BYTES = 8 * ROWS
/** Footer, and the headers of a chunk's pages. */
const MORE_BYTES = 80 * 1024

const root = mkdtempSync(join(tmpdir(), 'skein-session-columns-'))
mkdirSync(join(root, 'data'))
const file = join(root, 'data/wide.parquet')
const instance = await DuckDBInstance.create(':memory:')
const oracle = await instance.connect()
const columns = Array.from({ length: COLUMNS }, (_, i) => `hash(${COLUMNS} * row + ${i}) / pow(2, 64) AS c${i}`)
await oracle.run(`COPY (SELECT ${columns.join(', ')} FROM range(${ROWS}) t(row)) TO '${file}'`)
await oracle.run(`CREATE VIEW wide AS FROM '${file}'`)
const server = await serveFolder(t, join(root, 'data'))
const skein = await Skein.start({
  folder: join(root, 'own'), executors: 1, config: {
    buckets: { prod: bucketConfig(server) },
    catalogs: { far: {
      type: 'bucket_tables', bucket: 'prod', assume_immutable: true, tables: { wide: 'wide.parquet' },
    } },
    default_catalog: 'far',
  },
})
const caches = new Caches(skein)
t.teardown(async () => {
  caches.close()
  await skein.stop()
  oracle.closeSync()
  instance.closeSync()
  rmSync(root, { recursive: true })
})

const session = sessionsOf(skein)
const rowsOf = (outcome: SkeinOutcome): unknown => outcome.kind === 'rows' ? outcome.answer.rows : outcome
const numbersOf = (outcome: SkeinOutcome): unknown =>
  outcome.kind === 'rows' ? outcome.answer.rows.map(row => row.map(Number)) : outcome
const expected = async (sql: string): Promise<unknown> =>
  (await oracle.runAndReadAll(sql)).getRows().map(row => row.map(Number))

t.test('DESCRIBE fetches footers, SUMMARIZE all columns', async t => {
  t.match(await skein.query('DESCRIBE wide'), { kind: 'rows', answer: { rows: { length: COLUMNS } } })
  t.ok(server.traffic('get').bytes <= 2 * MORE_BYTES, `${server.traffic('get').bytes} bytes`)
  t.match(await skein.query('FROM (DESCRIBE wide), (SELECT max(c19) FROM wide)'), { kind: 'rows' })
  const { bytes } = server.traffic('get')
  t.ok(bytes > CHUNK_BYTES && bytes <= 1.01 * CHUNK_BYTES + 2 * MORE_BYTES, `${bytes} bytes`)
  t.match(await skein.query('SUMMARIZE wide'), { kind: 'rows', answer: { rows: { length: COLUMNS } } })
  t.ok(server.traffic('get').bytes > COLUMNS * CHUNK_BYTES)
  await caches.evict()
})

t.test('a statement fetches the columns that it reads, each once', async t => {
  const own = session()
  const steps = [
    { sql: 'CREATE TEMP TABLE few AS SELECT c0 FROM wide WHERE c1 < 0.5', columns: 2 },
    { sql: 'CREATE TEMP VIEW part AS SELECT c2, c3, c4 + c5 AS total FROM wide', columns: 0 },
    { sql: 'SELECT count(*) = (SELECT count(*) FROM wide WHERE c1 < 0.5) FROM few', columns: 0 },
    { sql: 'SELECT round(sum(c3) + max(few.c0), 6) FROM part, (FROM few LIMIT 1) few', columns: 1 },
    { sql: 'INSERT INTO few SELECT c6 FROM wide QUALIFY row_number() OVER (ORDER BY c6, c7) < 10', columns: 2 },
    { sql: 'DELETE FROM few WHERE c0 IN (SELECT c8 FROM wide)', columns: 1 },
    { sql: 'SET VARIABLE top = (SELECT max(c9) FROM wide)', columns: 1 },
    { sql: 'SELECT count(*) FROM few, (SELECT max(total) AS most FROM part) WHERE c0 > most + 1', columns: 2 },
    { sql: 'SELECT min(c10) FROM wide ANTI JOIN few USING (c0)', columns: 1 },
  ]
  for (const { sql, columns } of steps) {
    server.forget()
    const outcome = await own(sql)
    t.equal(outcome.kind, 'rows', JSON.stringify(rowsOf(outcome)))
    const { bytes } = server.traffic('get')
    t.ok(bytes >= columns * CHUNK_BYTES && bytes <= columns * CHUNK_BYTES * 1.01 + MORE_BYTES, `${bytes} bytes: ${sql}`)
    const told = outcome.kind === 'rows' ? Number(outcome.stats['bytes_fetched']) : NaN
    t.ok(told >= columns * CHUNK_BYTES && told <= bytes, `${told} told of ${bytes} bytes: ${sql}`)
  }
  t.ok(statSync(file).size > COLUMNS * CHUNK_BYTES)
})

t.test('a change for several rows of values tells what it fetches for them, once', async t => {
  const port = Number(new URL((skein.doors.flight ?? '').replace('grpc', 'http')).port)
  const client = new FlightClient(t, port)
  await client.handshake()
  const change = async (query: string, rows: Table): Promise<void> => {
    const [body] = await client.act('CreatePreparedStatement',
      packed(ActionCreatePreparedStatementRequestSchema, { query }))
    const { preparedStatementHandle } = unpacked(ActionCreatePreparedStatementResultSchema, body ?? new Uint8Array(0))
    const messages: RawFlightData[] = []
    const bytes = (async function* () { yield tableToIPC(rows, 'stream') })()
    for await (const message of readStream(bytes)) messages.push(message)
    await client.put(packed(CommandPreparedStatementUpdateSchema, { preparedStatementHandle }), messages)
  }
  const values = (...numbers: number[]): Table => new Table({ a: vectorFromArray(numbers, new Float64()) })
  const insert = 'INSERT INTO memory.main.twice SELECT c11 + ? FROM wide LIMIT 1'
  await client.put(packed(CommandStatementUpdateSchema, { query: 'CREATE TABLE memory.main.twice (a DOUBLE)' }), [])
  server.forget()
  await change(insert, values(1, 2, 3))
  await change(insert, values(4, 5))
  const { bytes } = server.traffic('get')
  t.ok(bytes >= CHUNK_BYTES && bytes <= 1.01 * CHUNK_BYTES + MORE_BYTES, `${bytes} bytes`)
  const told = `SELECT bytes_fetched, bytes_cached FROM skein.queries
    WHERE sql LIKE 'INSERT INTO memory.main.twice%' ORDER BY started_at`
  let rows: unknown
  await until('both are in the log', 10_000, async () => {
    rows = numbersOf(await skein.query(told))
    return Array.isArray(rows) && rows.length === 2
  })
  const [[first = 0] = [], [again, found = 0] = []] = rows as number[][]
  t.ok(first >= CHUNK_BYTES && first <= bytes, JSON.stringify(rows))
  t.ok(again === 0 && found >= CHUNK_BYTES, JSON.stringify(rows))
})

t.test('a store that is away costs the session nothing, and what is cached still answers', async t => {
  const own = session()
  await own('CREATE TEMP TABLE few AS SELECT c0 FROM wide LIMIT 3')
  server.faults.spread({ seed: 1, share: 1, faults: ['error-500'] })
  t.match(await own('SELECT max(c18) FROM wide, few'), { kind: 'error', code: 'UNAVAILABLE' })
  t.strictSame(rowsOf(await own('SELECT count(*), (SELECT max(c0) < 1 FROM wide) FROM few')), [['3', 'true']])
  server.faults.spread(undefined)
  t.match(await own('SELECT max(c18) FROM wide, few'), { kind: 'rows' })
})

t.test('the answers are DuckDB\'s, also in a transaction that reads more and more columns', async t => {
  const own = session()
  const questions = [
    'SELECT max(c11) FROM wide', 'SELECT c12 FROM wide ORDER BY c13 DESC LIMIT 3',
    'SELECT count(*), min(c14), max(c12) FROM wide WHERE c15 BETWEEN 0.2 AND 0.3', 'SELECT count(*) FROM wide',
  ]
  await own('BEGIN')
  await own('CREATE TEMP TABLE mine AS SELECT 1 AS one')
  for (const sql of questions) {
    t.strictSame(numbersOf(await own(sql.replace('wide', 'wide CROSS JOIN mine'))), await expected(sql), sql)
  }
  t.equal((await own('COMMIT')).kind, 'rows')
  t.match(await own(`SELECT max(COLUMNS('c1[67]')) FROM wide, mine`), { kind: 'rows' })
})
