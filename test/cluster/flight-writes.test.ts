/**
 * Changes through Arrow Flight SQL on a real cluster: rows that are loaded, transactions that clients name, updates
 * with their exact counts, rows of values. Each is done once and as a whole, or not at all.
 */

import { fromBinary } from '@bufbuild/protobuf'
import { Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readStream } from '../../proto/arrow-stream.ts'
import { systemClock } from '../../proto/clock.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import {
  ActionBeginTransactionRequestSchema, ActionBeginTransactionResultSchema, ActionCreatePreparedStatementRequestSchema,
  ActionCreatePreparedStatementResultSchema, ActionEndTransactionRequestSchema, CommandPreparedStatementQuerySchema,
  CommandPreparedStatementUpdateSchema, CommandStatementIngestSchema, CommandStatementQuerySchema,
  CommandStatementUpdateSchema, DoPutUpdateResultSchema,
} from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed, rowsOf, unpacked } from '../serve/flight-client.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-flight-writes-'))
await writeFaultTables(folder)
const base = faultConfig(folder) as { readonly buckets: object; readonly catalogs: object }
await mkdir(join(folder, 'desk'))
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: {
  ...base, default_catalog: 'shop',
  buckets: { ...base.buckets, desk: { provider: 'local', path: join(folder, 'desk') } },
  catalogs: { ...base.catalogs, work: { type: 'duckdb', bucket: 'desk', path: 'work.duckdb' } },
} })
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})
const port = Number(new URL((skein.doors.flight ?? '').replace('grpc', 'http')).port)

/** A client with a session of its own. */
async function connect(t: Test) {
  const client = new FlightClient(t, port)
  await client.handshake()
  const rows = async (query: string): Promise<unknown> =>
    rowsOf(await client.read(packed(CommandStatementQuerySchema, { query })))
      .map(row => Object.values(row as object).map(String))
  const count = (answers: readonly Uint8Array[]): number =>
    Number(fromBinary(DoPutUpdateResultSchema, answers[0] ?? new Uint8Array(0)).recordCount)
  const update = async (query: string, transactionId?: Uint8Array): Promise<number> =>
    count(await client.put(packed(CommandStatementUpdateSchema, { query, ...transactionId && { transactionId } }), []))
  const prepare = async (query: string) => {
    const [body] = await client.act('CreatePreparedStatement',
      packed(ActionCreatePreparedStatementRequestSchema, { query }))
    return unpacked(ActionCreatePreparedStatementResultSchema, body ?? new Uint8Array(0))
  }
  const many = async (query: string, values: Table): Promise<number> => {
    const { preparedStatementHandle } = await prepare(query)
    return count(await client.put(
      packed(CommandPreparedStatementUpdateSchema, { preparedStatementHandle }), await messagesOf(values)))
  }
  const ingest = async (command: Uint8Array, values: Table): Promise<number> =>
    count(await client.put(command, await messagesOf(values)))
  const begin = async (): Promise<Uint8Array> => {
    const [body] = await client.act('BeginTransaction', packed(ActionBeginTransactionRequestSchema, {}))
    return unpacked(ActionBeginTransactionResultSchema, body ?? new Uint8Array(0)).transactionId
  }
  const end = (transactionId: Uint8Array, action: 1 | 2): Promise<unknown> =>
    client.act('EndTransaction', packed(ActionEndTransactionRequestSchema, { transactionId, action }))
  return { client, rows, update, prepare, many, ingest, begin, end }
}

/** More than the door takes as a message. */
const TOO_LARGE_BYTES = 64 * 1024 * 1024
/** After so long a catalog that is held is told to be busy. */
const BUSY_MS = 30_000
const COMMIT = 1
const ROLLBACK = 2

async function messagesOf(table: Table): Promise<RawFlightData[]> {
  const messages: RawFlightData[] = []
  const bytes = (async function* () { yield tableToIPC(table, 'stream') })()
  for await (const message of readStream(bytes)) messages.push(message)
  return messages
}

const pairs = (...values: readonly (readonly [number, string | null])[]): Table => new Table({
  a: vectorFromArray(values.map(([a]) => a), new Int32()), b: vectorFromArray(values.map(([, b]) => b), new Utf8()),
})

type Options = readonly [ifNotExist: 0 | 1 | 2, ifExists: 0 | 1 | 2 | 3]
const CREATE: Options = [1, 1]
const APPEND: Options = [2, 2]
const REPLACE: Options = [1, 3]
const CREATE_APPEND: Options = [1, 2]
const FAIL: Options = [2, 1]
const into = (table: string, [ifNotExist, ifExists]: Options, more: object = { catalog: 'memory' }): Uint8Array =>
  packed(CommandStatementIngestSchema, { table, tableDefinitionOptions: { ifNotExist, ifExists }, ...more })

t.test('rows are loaded as the mode says', async t => {
  const { rows, ingest, update } = await connect(t)
  const two = pairs([1, 'x'], [2, null])
  await t.rejects(ingest(into('t', APPEND), two), { code: 5, details: /is not there/ })
  await t.rejects(ingest(into('t', FAIL), two), { code: 5 })
  t.equal(await ingest(into('t', CREATE), two), 2)
  await t.rejects(ingest(into('t', CREATE), two), { code: 6, details: /is there already/ })
  t.equal(await ingest(into('t', APPEND), pairs([3, 'z'])), 1)
  t.strictSame(await rows('FROM memory.t ORDER BY a'), [['1', 'x'], ['2', 'null'], ['3', 'z']])
  t.equal(await ingest(into('t', REPLACE), pairs([9, 'y'])), 1)
  t.equal(await ingest(into('t', CREATE_APPEND), two), 2)
  t.equal(await ingest(into('u', CREATE_APPEND), two), 2)
  t.strictSame(await rows('SELECT sum(a), count(*) FROM memory.t'), [['12', '3']])
  t.equal(await ingest(into('own', CREATE, { temporary: true }), two), 2)
  t.strictSame(await rows('SELECT count(*) FROM own JOIN small ON small.id = own.a'), [['2']])
  t.equal(await update('CREATE SCHEMA memory.s'), 0)
  t.equal(await ingest(into('v', CREATE, { catalog: 'memory', schema: 's' }), two), 2)
  t.strictSame(await rows('SELECT count(*) FROM memory.s.v'), [['2']])
})

t.test('rows are loaded into a catalog that is kept, and are there for others', async t => {
  const { ingest, begin, end } = await connect(t)
  t.equal(await ingest(into('t', CREATE, { catalog: 'work' }), pairs([1, 'x'])), 1)
  const transactionId = await begin()
  t.equal(await ingest(into('t', APPEND, { catalog: 'work', transactionId }), pairs([2, 'y'])), 1)
  await end(transactionId, ROLLBACK)
  const { rows, client, many } = await connect(t)
  t.strictSame(await rows('FROM work.t'), [['1', 'x']])
  const [schema, batch] = await messagesOf(pairs([3, 'z']))
  if (schema === undefined || batch === undefined) throw new Error('no messages')
  t.match(await client.breakOff(into('t', APPEND, { catalog: 'work' }), [schema, batch]), { code: 1 })
  t.equal(await many('INSERT INTO work.t VALUES (?, ?)', pairs([4, 'a'], [5, 'b'])), 2)
  t.strictSame(await rows('SELECT sum(a) FROM work.t'), [['10']])
})

t.test('an upload that is broken off at any moment holds its catalog no longer', async t => {
  const { client, ingest } = await connect(t)
  await ingest(into('own', CREATE, { temporary: true }), pairs([1, 'x'])) // its instance is there
  const [schema, batch] = await messagesOf(pairs([1, 'x']))
  if (schema === undefined || batch === undefined) throw new Error('no messages')
  const large = { dataHeader: batch.dataHeader, dataBody: new Uint8Array(TOO_LARGE_BYTES) }
  const target = into('broken', CREATE, { catalog: 'work' })
  for (let i = 0; i < 3; i++) {
    await t.rejects(client.put(target, [schema, large]), { code: 8, details: /larger than max/ })
    t.match(await client.breakOff(target, [schema]), { code: 1 })
  }
  const other = await connect(t)
  const startedMs = systemClock.nowMs()
  t.equal(await other.ingest(into('after', CREATE, { catalog: 'work' }), pairs([1, 'x'])), 1)
  t.ok(systemClock.nowMs() - startedMs < BUSY_MS, 'it does not wait for the first one')
  await t.rejects(other.rows('FROM work.broken'), { code: 5 })
})

t.test('rows that cannot be loaded leave nothing, and say why', async t => {
  const { rows, ingest, client } = await connect(t)
  const one = pairs([1, 'x'])
  await t.rejects(ingest(into('t', CREATE, {}), one), { code: 7, details: /read-only/ })
  await t.rejects(ingest(into('t', CREATE, { catalog: 'system' }), one), { code: 7 })
  await t.rejects(ingest(into('t', CREATE, { temporary: true, catalog: 'memory' }), one), { code: 3 })
  await t.rejects(ingest(into('t', [0, 1]), one), { code: 3, details: /is missing/ })
  await t.rejects(ingest(into('t', [1, 0]), one), { code: 3, details: /is there/ })
  await t.rejects(ingest(into('', CREATE), one), { code: 3, details: /names no table/ })
  await t.rejects(ingest(into('t', CREATE, { catalog: 'memory', options: { x: 'y' } }), one), { code: 3 })
  await t.rejects(ingest(into('t', CREATE, { catalog: 'memory', transactionId: Buffer.from('no') }), one), { code: 5 })
  await t.rejects(client.put(into('t', CREATE), []), { code: 3, details: /no message/ })
  t.equal(await ingest(into('t', CREATE), one), 1)
  const other = new Table({ nope: vectorFromArray([1], new Int32()) })
  await t.rejects(ingest(into('t', APPEND), other), { code: 3, details: /nope/ })
  const [schema, batch] = await messagesOf(one)
  if (schema === undefined || batch === undefined) throw new Error('no messages')
  const damaged = { dataHeader: batch.dataHeader, dataBody: batch.dataBody.subarray(0, 8) }
  await t.rejects(client.put(into('t', REPLACE), [schema, batch, damaged]), { code: 3 })
  t.match(await client.breakOff(into('t', APPEND), [schema, batch, batch]), { code: 1 })
  t.match(await client.breakOff(into('left', CREATE), [schema, batch]), { code: 1 })
  t.strictSame(await rows('FROM memory.t'), [['1', 'x']])
  await t.rejects(rows('FROM memory.left'), { code: 5 })
})

t.test('an update tells how many rows it has changed', async t => {
  const { update, rows } = await connect(t)
  t.equal(await update('CREATE TABLE memory.m (a INTEGER PRIMARY KEY, b VARCHAR)'), 0)
  t.equal(await update('CREATE TABLE memory.c AS SELECT id FROM small'), 300)
  t.equal(await update("INSERT INTO memory.m SELECT id, 'x' FROM small"), 300)
  t.equal(await update('UPDATE memory.m SET a = a + 1000 WHERE a < 7'), 7)
  t.equal(await update('DELETE FROM memory.m WHERE a < 100 RETURNING a'), 93)
  t.equal(await update('DELETE FROM memory.m WHERE a = -1'), 0)
  t.equal(await update('DELETE FROM memory.m WHERE a = 100; DELETE FROM memory.m WHERE a IN (101, 102)'), 2)
  t.equal(await update('SELECT 1'), -1)
  t.equal(await update("SET TimeZone = 'UTC'"), 0)
  t.strictSame(await rows('SELECT count(*) FROM memory.m'), [['204']])
  t.strictSame(await rows('DELETE FROM memory.m'), [['204']], 'a query that changes gives the number as its row')
})

t.test('a statement runs once for each row of values, all or none', async t => {
  const { update, rows, many, prepare, client } = await connect(t)
  await update('CREATE TABLE memory.m (a INTEGER PRIMARY KEY, b VARCHAR)')
  const insert = 'INSERT INTO memory.m VALUES (?, ?)'
  t.equal(await many(insert, pairs([1, 'x'], [2, null], [3, "it's"])), 3)
  await t.rejects(many(insert, pairs([4, 'x'], [1, 'twice'], [5, 'x'])), { code: 3, details: /Duplicate key/ })
  t.strictSame(await rows('FROM memory.m ORDER BY a'), [['1', 'x'], ['2', 'null'], ['3', "it's"]])
  const rename = new Table({ b: vectorFromArray(['y', 'z'], new Utf8()), a: vectorFromArray([2, 9], new Int32()) })
  t.equal(await many('UPDATE memory.m SET b = ? WHERE a >= ?', rename), 2)
  t.equal(await many('DELETE FROM memory.m WHERE a = $a AND b = $b RETURNING a', pairs([1, 'x'], [2, 'q'])), 1)
  t.equal(await many(insert, pairs()), 0)
  const large = Array.from({ length: 500 }, (_, i) => [i + 100, `row ${i}`] as const)
  t.equal(await many(insert, pairs(...large)), 500)
  t.strictSame(await rows('SELECT count(*), count(DISTINCT b) FROM memory.m WHERE a >= 100'), [['500', '500']])
  const lookup = 'INSERT INTO memory.m SELECT -id, ? FROM small WHERE id = ?'
  t.equal(await many(lookup, new Table({
    b: vectorFromArray(['p', 'q'], new Utf8()), a: vectorFromArray([7, 8], new Int32()),
  })), 2)
  const { preparedStatementHandle } = await prepare(insert)
  const query = packed(CommandPreparedStatementQuerySchema, { preparedStatementHandle })
  await client.put(query, await messagesOf(pairs([50, 'a'], [51, 'b'])))
  t.strictSame(rowsOf(await client.read(query)), [{ Count: 2n }], 'the way of a query runs each row too')
  await t.rejects(many('SET TimeZone = ?', new Table({ a: vectorFromArray(['UTC', 'UTC'], new Utf8()) })), { code: 12 })
})

t.test('rows of values reach no further than one does', async t => {
  const { update, many } = await connect(t)
  await update('CREATE TABLE memory.m (a VARCHAR)')
  const values = (...texts: string[]): Table => new Table({ a: vectorFromArray(texts, new Utf8()) })
  for (const sql of [
    'INSERT INTO memory.m SELECT current_setting(?)', 'INSERT INTO memory.m SELECT content FROM read_text(?)',
    'INSERT INTO memory.m FROM query(?)', 'INSERT INTO shop.main.small VALUES (?, 1)', 'INSERT INTO memory.m FROM ?',
  ]) {
    await t.rejects(many(sql, values('TimeZone', 'temp_directory')), /./, sql)
  }
  const hiding = [
    `upper(?) || current_setting('temp_directory')`, 'upper(?) || (SELECT max(name) FROM duckdb_settings())',
    `nullif(?, 'TimeZone') || current_setting('temp_directory')`,
    `nullif(?, 'TimeZone') || (SELECT max(name) FROM duckdb_settings())`,
  ]
  for (const hidden of hiding) {
    for (const bound of [values('TimeZone', 'x'), values('x', 'TimeZone')]) {
      for (const rows of [`SELECT ${hidden}`, `VALUES (${hidden})`]) {
        await t.rejects(many(`INSERT INTO memory.m ${rows}`, bound),
          { code: 7, details: /temp_directory|duckdb_settings/ }, rows)
      }
    }
  }
  const mixed = new Table({
    a: vectorFromArray([null, 'y', 'z'], new Utf8()), b: vectorFromArray([null, null, 4], new Int32()),
  })
  t.equal(await many('INSERT INTO memory.m SELECT upper(?) || (SELECT max(id) + ? FROM small)', mixed), 3)
  t.equal(await many(`INSERT INTO memory.m SELECT lower(nullif(?, 'x'))`, values('x', 'Y')), 2)
  await t.rejects(many(`INSERT INTO memory.m SELECT nullif(?, 'x') || (SELECT max(id) FROM small)`, values('x', 'Y')),
    { code: 12, details: /read a table/ })
})

t.test('a prepared change is told as one, with the types of its parameters', async t => {
  const { update, prepare } = await connect(t)
  await update('CREATE TABLE memory.m (a INTEGER, d DATE)')
  const insert = await prepare('INSERT INTO memory.m VALUES ($1, $2)')
  t.equal(insert.isUpdate, true)
  const names = (schema: Uint8Array) => Buffer.from(schema).toString('latin1')
  t.notMatch(names(insert.datasetSchema), /Count/, 'it gives no rows')
  t.match(names(insert.parameterSchema), /\$1[^]*\$2|\$2[^]*\$1/)
  const returning = await prepare('INSERT INTO memory.m VALUES ($1, $2) RETURNING d')
  t.equal(returning.isUpdate, false, 'it is asked for its rows')
  t.equal((await prepare('SELECT $1::INTEGER')).isUpdate, false)
  t.equal((await prepare('CREATE TABLE memory.other (a INTEGER)')).isUpdate, true)
  await t.rejects(prepare('INSERT INTO shop.main.small VALUES (?, ?)'), { code: 7 })
})

t.test('a transaction is named, and done as a whole or undone', async t => {
  const { update, rows, begin, end, ingest, many } = await connect(t)
  await update('CREATE TABLE memory.m (a INTEGER PRIMARY KEY, b VARCHAR)')
  const first = await begin()
  t.equal(await update("INSERT INTO memory.m VALUES (1, 'x')", first), 1)
  t.equal(await ingest(into('m', APPEND, { catalog: 'memory', transactionId: first }), pairs([2, 'y'])), 1)
  t.equal(await many('INSERT INTO memory.m VALUES (?, ?)', pairs([3, 'z'], [4, 'z'])), 2)
  await t.rejects(begin(), { code: 3, details: /within a transaction/ })
  await end(first, ROLLBACK)
  t.strictSame(await rows('SELECT count(*) FROM memory.m'), [['0']])
  await t.rejects(end(first, COMMIT), { code: 5, details: 'unknown transaction' })
  await t.rejects(update("INSERT INTO memory.m VALUES (1, 'x')", first), { code: 5 })
  const second = await begin()
  t.equal(await update("INSERT INTO memory.m VALUES (1, 'x')", second), 1)
  await end(second, COMMIT)
  t.strictSame(await rows('FROM memory.m'), [['1', 'x']])

  const third = await begin()
  await update("INSERT INTO memory.m VALUES (5, 'x')", third)
  await t.rejects(many('INSERT INTO memory.m VALUES (?, CAST(? AS INTEGER))', pairs([6, '1'], [7, 'x'])), { code: 3 })
  await t.rejects(update("INSERT INTO memory.m VALUES (8, 'x')", third), { code: 3, details: /aborted/ })
  await end(third, ROLLBACK)
  t.strictSame(await rows('FROM memory.m'), [['1', 'x']], 'nothing of what had failed')
})
