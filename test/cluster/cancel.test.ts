/** A query that nobody waits for any more is cancelled everywhere within a second, and nothing of it is left. */

import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import t, { type Test } from 'tap'
import { descendants, isAlive } from '../../bench/processes.ts'
import { encode } from '../../proto/flight-any.ts'
import {
  CancelFlightInfoRequestSchema, CancelFlightInfoResultSchema, FlightInfoSchema, type FlightInfo,
} from '../../proto/gen/flight_pb.js'
import {
  ActionCancelQueryRequestSchema, ActionCancelQueryResultSchema, CommandStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed, rowsOf, unpacked } from '../serve/flight-client.ts'
import { runCommand, startCommand } from './command.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { StalledClients } from './stalled-clients.ts'
import { idle, Operator, until, workFiles } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-cancel-'))
await writeFaultTables(folder)
const config = faultConfig(folder)
const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config, environment })
const operator = new Operator(skein.doors)
const url = skein.doors.http ?? ''
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

/** Within this, whatever the machine is busy with besides: the promise is a second, the looking takes its time. */
const CANCELLED_WITHIN_MS = 1_000
const RUNNING_WITHIN_MS = 10_000
/** Of gRPC; and, in both actions' words, that it is done. */
const NOT_FOUND = 5
const CANCELLED = 1

/** Joins of 1.2 million rows with themselves, a thousand matches a row: more than an hour's work. */
const endless = (name: string) =>
  `SELECT sum(hash(a.id, b.id, c.id)) AS ${name} FROM rows a JOIN rows b USING (grp) JOIN rows c USING (grp)`
/** Flows at once, and for days. */
const flowing = (name: string) => `SELECT i AS ${name} FROM range(1000000000000) numbers(i)`

async function isRunning(name: string): Promise<void> {
  await until(`${name} runs`, RUNNING_WITHIN_MS, async () => {
    const query = await operator.query(name)
    return query !== undefined && query.state === 'running' && query.tasks > query.finishedTasks
  })
}

async function isGone(t: Test, name: string): Promise<void> {
  const ms = await until(`${name} is cancelled, and its files are gone`, CANCELLED_WITHIN_MS, async () =>
    (await operator.query(name))?.state === 'cancelled' && workFiles(join(folder, 'own', 'data')).length === 0)
  t.comment(`${name}: ${Math.round(ms)} ms`)
  const executors = await operator.executors()
  t.ok(await idle(executors.map(({ pid }) => pid)), 'executors do nothing')
}

/** What the action says has become of it. */
async function cancelled(
  client: FlightClient, action: 'CancelFlightInfo' | 'CancelQuery', info: FlightInfo,
): Promise<number> {
  const body = action === 'CancelFlightInfo' ? encode(CancelFlightInfoRequestSchema, { info })
    : packed(ActionCancelQueryRequestSchema, { info: toBinary(FlightInfoSchema, info) })
  const [answer = new Uint8Array()] = await client.act(action, body)
  return action === 'CancelFlightInfo' ? fromBinary(CancelFlightInfoResultSchema, answer).status
    : unpacked(ActionCancelQueryResultSchema, answer).result
}

for (const [kind, sql] of [['computing', endless], ['flowing', flowing]] as const) {
  t.test(`an HTTP client that goes away, ${kind}`, async t => {
    const name = `http_${kind}`
    const leave = new AbortController()
    const asked = skein.query(sql(name), { signal: leave.signal }).catch((error: Error) => error)
    await isRunning(name)
    leave.abort()
    await isGone(t, name)
    t.ok(await asked instanceof Error, 'it got no answer')
  })

  t.test(`Ctrl-C of skein query --url, ${kind}`, async t => {
    const name = `url_${kind}`
    const command = startCommand(['query', '--url', url, '--format', 'csv', sql(name)])
    await isRunning(name)
    command.process.kill('SIGINT')
    await isGone(t, name)
    const { status, stderr } = await command.ended
    t.strictSame({ status, stderr }, { status: 1, stderr: 'error: CANCELLED: the query was cancelled\n' })
  })

  t.test(`a Flight client that cancels its call, ${kind}`, async t => {
    const name = `flight_${kind}`
    const client = new FlightClient(t, Number(skein.doors.flight?.split(':').at(-1)))
    await client.handshake()
    const info = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query: sql(name) }))
    const call = client.doGet(info.endpoint[0]?.ticket?.ticket ?? new Uint8Array())
    const failed = new Promise<string>(resolve => { call.once('error', error => resolve(error.message)) })
    if (kind === 'flowing') await new Promise(resolve => { call.once('data', resolve) })
    await isRunning(name)
    call.cancel()
    await isGone(t, name)
    t.match(await failed, /CANCELLED/)
  })

  for (const action of ['CancelFlightInfo', 'CancelQuery'] as const) {
    t.test(`${action} of another call, ${kind}`, async t => {
      const name = `${action}_${kind}`
      const client = new FlightClient(t, Number(skein.doors.flight?.split(':').at(-1)))
      await client.handshake()
      const info = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query: sql(name) }))
      const ticket = info.endpoint[0]?.ticket?.ticket ?? new Uint8Array()
      const call = client.doGet(ticket)
      const failed = new Promise<string>(resolve => { call.once('error', error => resolve(error.message)) })
      call.resume()
      await isRunning(name)
      t.equal(await cancelled(client, action, info), CANCELLED)
      await isGone(t, name)
      t.match(await failed, /CANCELLED: cancelled by its client/, 'who reads is told')
      await t.rejects(async () => { for await (const _ of client.doGet(ticket)) continue }, { code: NOT_FOUND })
      await t.rejects(cancelled(client, action, info), { code: NOT_FOUND })
    })
  }

  t.test(`skein admin kill, ${kind}, of a client that does not read`, async t => {
    const name = `kill_${kind}`
    const queryId = randomUUID()
    const response = await skein.request('POST', '/query', { statement: sql(name), query_id: queryId })
    await isRunning(name)
    const end = await runCommand(['admin', 'kill', queryId, '--url', skein.doors.admin ?? ''])
    t.strictSame({ status: end.status, stdout: end.stdout }, { status: 0, stdout: `killed ${queryId}\n` })
    await isGone(t, name)
    let tail = ''
    for await (const piece of response) tail = (tail + String(piece)).slice(-1000)
    t.strictSame(tail.split('\n').at(-2), '{"error":"killed by an operator","code":"CANCELLED"}')
  })
}

t.test('CancelFlightInfo of what a session\'s own instance gives', async t => {
  const name = 'own_flowing'
  const client = new FlightClient(t, Number(skein.doors.flight?.split(':').at(-1)))
  await client.handshake()
  await client.read(packed(CommandStatementQuerySchema, { query: 'CREATE TEMP TABLE many AS FROM range(100000) t(i)' }))
  const query = `SELECT a.i AS ${name} FROM many a, many b, many c`
  const info = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query }))
  const call = client.doGet(info.endpoint[0]?.ticket?.ticket ?? new Uint8Array())
  const failed = new Promise<string>(resolve => { call.once('error', error => resolve(error.message)) })
  call.resume()
  await until(`${name} runs`, RUNNING_WITHIN_MS, async () => (await operator.query(name))?.state === 'running')
  t.equal(await cancelled(client, 'CancelFlightInfo', info), CANCELLED)
  await isGone(t, name)
  t.match(await failed, /CANCELLED: cancelled by its client/)
  t.strictSame(rowsOf(await client.read(packed(CommandStatementQuerySchema, { query: 'SELECT count(*) n FROM many' }))),
    [{ n: 100_000n }], 'the session goes on')
})

t.test('a Flight client whose process is killed while it reads', async t => {
  const clients = new StalledClients(new URL(skein.doors.flight ?? '').host, flowing('killed'))
  t.teardown(() => clients.kill())
  await clients.stall(1)
  await isRunning('killed')
  await until('its result fills its spool', RUNNING_WITHIN_MS, () =>
    workFiles(join(folder, 'own', 'data')).some(path => path.includes('/spool/')))
  clients.kill()
  await isGone(t, 'killed')
  t.strictSame((await operator.executors()).map(({ runningTasks }) => runningTasks), [0, 0], 'no task has a slot')
  t.strictSame((await operator.queries()).filter(({ state }) => state === 'running' || state === 'planning'), [])
})

t.test('a query that has ended cannot be killed', async t => {
  const outcome = await skein.query('SELECT 1')
  const id = outcome.kind === 'rows' ? outcome.queryId : ''
  const { status, stderr } = await runCommand(['admin', 'kill', id, '--url', skein.doors.admin ?? ''])
  t.strictSame({ status, stderr }, { status: 1, stderr: `error: NOT_FOUND: no query ${id} is running\n` })
})

t.test('Ctrl-C of a private cluster leaves no process and no folder', async t => {
  const temporary = join(folder, 'private')
  await mkdir(temporary)
  const words = ['query', '--config', join(folder, 'own', 'skein.yaml'), '--executors', '2', endless('x')]
  const command = startCommand(words, { environment: { ...environment, TMPDIR: temporary } })
  await until('it computes', RUNNING_WITHIN_MS, async () =>
    descendants(command.process.pid ?? 0).length >= 4 && !await idle([command.process.pid ?? 0]))
  const tree = descendants(command.process.pid ?? 0)
  command.process.kill('SIGINT')
  const { status, stderr } = await command.ended
  t.strictSame({ status, stderr }, { status: 1, stderr: 'error: CANCELLED: the query was cancelled\n' })
  t.strictSame(tree.filter(isAlive), [])
  t.strictSame(await readdir(temporary), [])
})
