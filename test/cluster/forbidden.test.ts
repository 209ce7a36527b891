/** What a user may not reach: files, settings, other queries, and the ports behind the doors. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import { ControlChannel } from '../../coordinator/control-channel.ts'
import { systemClock } from '../../proto/clock.ts'
import { QueryError, type ErrorCode } from '../../proto/errors.ts'
import { StoreService } from '../../proto/gen/cluster_pb.js'
import { ExecutorService } from '../../proto/gen/executor_pb.js'
import { CommandStatementQuerySchema, CommandStatementUpdateSchema } from '../../proto/gen/flight_sql_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { runCommand } from './command.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, until, workFiles } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-forbidden-'))
await writeFaultTables(folder)
const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0', KEY: 'not for users' }
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: faultConfig(folder), environment })
const operator = new Operator(skein.doors)
const data = join(folder, 'own', 'data')
const leave = new AbortController()
// its exchange files are there to be found as long as it runs
const endless = 'SELECT sum(hash(a.id, b.id, c.id)) FROM rows a JOIN rows b USING (grp) JOIN rows c USING (grp)'
const other = skein.query(endless, { signal: leave.signal }).catch(() => undefined)
await until('another query has files', 20_000, () => workFiles(data).some(file => file.endsWith('.parquet')))
t.teardown(async () => {
  leave.abort()
  await other
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const P = 'PERMISSION_DENIED'
const exchange = workFiles(data).find(file => file.endsWith('.parquet')) ?? ''
const skeletons = join(data, 'coordinator', 'skeletons')
const skeleton = join(skeletons, readdirSync(skeletons)[0] ?? '')
const file = join(folder, 'rows', '0.parquet')
const out = join(folder, 'out')

const attempts: readonly (readonly [sql: string, code: ErrorCode])[] = [
  // files of the machine
  ["FROM '/etc/passwd'", P],
  ['FROM "/etc/passwd"', P],
  ["FROM read_csv('/etc/passwd')", P],
  ["FROM sniff_csv('/etc/passwd')", P],
  ["FROM read_text('/etc/passwd')", P],
  ["FROM read_blob('/etc/passwd')", P],
  ["FROM read_json('/etc/passwd')", P],
  ["FROM glob('/*')", P],
  ["SELECT (SELECT content FROM read_text('/etc/passwd'))", P],
  ["WITH x AS (FROM read_text('/etc/passwd')) SELECT 1", P],
  ["FROM 'http://127.0.0.1:1/x.parquet'", P],
  ["FROM 's3://bucket/x.parquet'", P],
  // files of Skein, of other queries, and of a bucket past its tables
  [`FROM '${exchange}'`, P],
  [`FROM read_parquet('${exchange}')`, P],
  [`FROM read_parquet('${data}/executor-*/exchange/**/*.parquet')`, P],
  [`FROM '${skeleton}'`, P],
  [`FROM read_text('${data}/executor-1/id')`, P],
  [`FROM read_text('${data}/executor-1/exchange/marker')`, P],
  [`FROM read_text('${data}/coordinator/store/journal')`, P],
  [`FROM '${file}'`, P],
  [`FROM parquet_metadata('${file}')`, P],
  [`FROM parquet_schema('${file}')`, P],
  // settings and what they say
  ["SET memory_limit = '1TB'", P],
  ['SET enable_external_access = true', P],
  ["SET VARIABLE x = (SELECT content FROM read_text('/etc/passwd'))", P],
  ["SET VARIABLE x = current_setting('temp_directory')", P],
  ['RESET threads', P],
  ['PRAGMA enable_profiling', P],
  ["SELECT current_setting('temp_directory')", P],
  ['FROM duckdb_settings()', P],
  ['FROM duckdb_secrets()', P],
  ["SELECT getenv('KEY')", P],
  // other databases, extensions, files to write
  ["ATTACH ':memory:' AS x", P],
  [`ATTACH '${out}' AS x`, P],
  ['DETACH shop', P],
  ['INSTALL httpfs', P],
  ['LOAD httpfs', P],
  [`COPY (SELECT 1) TO '${out}'`, P],
  ["COPY rows FROM '/etc/passwd'", P],
  [`EXPORT DATABASE '${out}'`, P],
  ["CREATE SECRET (TYPE s3, KEY_ID 'k', SECRET 's')", P],
  ['CREATE TABLE t (i INT)', P],
  ['CREATE OR REPLACE VIEW rows AS SELECT 1', P],
  ['CREATE MACRO abs(x) AS 1', P],
  ['DROP TABLE rows', P],
  ['DELETE FROM rows', P],
  // a statement inside another one
  [`FROM query('FROM ''/etc/passwd''')`, P],
  ["FROM query_table(['rows', 'small'])", P],
  ["SELECT json_serialize_plan('SELECT 1')", P],
  ["FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", P],
  [`SELECT 1; COPY (SELECT 1) TO '${out}'`, P],
  [`EXPLAIN ANALYZE COPY (SELECT 1) TO '${out}'`, P],
  ['EXPLAIN ANALYZE CREATE TABLE made AS SELECT 1', 'UNSUPPORTED_STATEMENT'],
  [`EXPLAIN FROM read_text('/etc/passwd')`, P],
  ["CALL pragma_version()", P],
]

t.test('over HTTP, with a typed error each', async t => {
  for (const [sql, code] of attempts) {
    const outcome = await skein.query(sql)
    t.equal(outcome.kind === 'error' ? outcome.code : outcome.kind, code, sql)
  }
  t.notOk(existsSync(out), 'nothing was written')
  leave.abort() // it has every slot
  await other
  t.match(await skein.query('SELECT count(*) FROM small'), { answer: { rows: [['300']] } }, 'nothing was changed')
})

t.test('through the other fields of a request', async t => {
  const limited = `SELECT 1) ; COPY (SELECT 1) TO '${out}'; SELECT * FROM (SELECT 2`
  const wrong: readonly Readonly<Record<string, unknown>>[] = [
    { statement: limited, limit: 5 },
    { statement: 'FROM rows', catalog: `shop"; COPY (SELECT 1) TO '${out}'; --` },
    { statement: 'FROM rows', schema: "main'; SELECT 1; --" },
    { statement: 'SELECT now()', timezone: "UTC'; SELECT 1; --" },
    { statement: 'SELECT 1', query_id: '../../../out' },
    { statement: 'SELECT 1', session_id: '../../../out' },
  ]
  for (const fields of wrong) {
    const outcome = await skein.query('', { fields: { query_id: undefined, ...fields } }).catch((error: Error) => error)
    t.match(outcome, { kind: 'error', code: /^(UNSUPPORTED_STATEMENT|SYNTAX_ERROR|TABLE_NOT_FOUND|INVALID_REQUEST)$/ },
      JSON.stringify(fields))
  }
  t.notOk(existsSync(out), 'nothing was written')
})

t.test('through explain', async t => {
  const { status, stderr } = await runCommand(['explain', '--url', skein.doors.http ?? '', "FROM '/etc/passwd'"])
  t.equal(status, 1)
  t.match(stderr, /^error: PERMISSION_DENIED: [^\n]*\n$/)
})

t.test('over Flight SQL, as a query and as an update', async t => {
  const client = new FlightClient(t, Number(skein.doors.flight?.split(':').at(-1)))
  await client.handshake()
  for (const [sql, code] of attempts.filter((_, i) => i % 4 === 0)) {
    const error = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query: sql }))
      .then(() => undefined, (reason: ServiceError) => reason)
    t.equal(error?.code, new QueryError(code, '').class.grpc, sql)
  }
  const update = packed(CommandStatementUpdateSchema, { query: `COPY (SELECT 1) TO '${out}'` })
  await t.rejects(client.getFlightInfo(update))
  await t.rejects(client.doGet(Buffer.from('a ticket of my own'))[Symbol.asyncIterator]().next())
})

t.test("the executors' and the store's port, without the secret", async t => {
  const log = readFileSync(join(data, 'coordinator', 'coordinator.log'), 'utf8')
  const store = /"storeAddress":"([^"]*)"/.exec(log)?.[1] ?? ''
  const executors = (await operator.executors()).map(({ address }) => address)
  t.equal(executors.length, 2)
  const headers = [{}, { authorization: 'Bearer guess' }, { authorization: '' }]
  for (const header of headers) {
    for (const address of executors) await refusesAll(t, address, header)
    const channel = new GrpcChannel(store, header)
    const { get, list, watch } = channel.service(StoreService)
    await refuses(t, 'store get', get({ key: 'secret' }))
    await refuses(t, 'store list', list({ prefix: '' }))
    await refuses(t, 'store watch', watch({ prefix: '' })[Symbol.asyncIterator]().next())
    channel.close()
  }
})

async function refusesAll(t: Test, address: string, header: Record<string, string>): Promise<void> {
  const channel = new GrpcChannel(address, header)
  const service = channel.service(ExecutorService)
  const [queryId = ''] = exchange.split('exchange/').slice(1).map(rest => rest.split('/')[0])
  const next = (stream: AsyncIterable<unknown>) => stream[Symbol.asyncIterator]().next()
  const calls = new ControlChannel(requests => service.control(requests), systemClock)
  await refuses(t, 'launch', calls.call({ case: 'launchTask', value: {} }))
  await refuses(t, 'reserve', calls.call({ case: 'reserve', value: { queryId } }))
  await refuses(t, 'release', calls.call({ case: 'releaseQuery', value: { queryId } }))
  await refuses(t, 'cancel', calls.call({ case: 'cancelTask', value: {} }))
  await refuses(t, 'fetch exchange', next(service.fetchExchange({ queryId, path: exchange })))
  await refuses(t, 'fetch result', next(service.fetchResult({ queryId })))
  await refuses(t, 'watch', next(service.watchTasks({})))
  channel.close()
}

async function refuses(t: Test, what: string, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(() => ({ code: 'answered' }), (error: { code: string }) => error)
  t.equal(outcome.code, 'UNAUTHENTICATED', what)
}
