/** Small queries beside large ones, limits of groups and users, and what a full house answers. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import type { ServiceError } from '@grpc/grpc-js'
import t from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { RetryInfoSchema, StatusSchema } from '../../proto/gen/rpc_status_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-fair-'))
await writeFaultTables(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 2,
  config: {
    ...faultConfig(folder),
    node: { threads: 2 },
    resource_groups: {
      batch: { users: ['eve'], max_running: 6, max_queued: 2 },
      quick: { users: ['tim'], statement_timeout: '1s' },
    },
  },
  environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
})
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

/** Joins of 1.2 million rows with themselves, a thousand matches a row: more than an hour's work. */
const endless = (name: string) =>
  `SELECT sum(hash(a.id, b.id, c.id)) AS ${name} FROM rows a JOIN rows b USING (grp) JOIN rows c USING (grp)`
/** Ten times what a quiet machine takes. */
const SMALL_WITHIN_MS = 10_000
/** What is promised, and a busy machine's share of the way. */
const REFUSED_WITHIN_MS = 50

t.test('a small query is answered while endless ones hold every slot', async t => {
  const leave = new AbortController()
  const asked: Promise<unknown>[] = []
  const hog = async (name: string, state: string): Promise<void> => {
    asked.push(skein.query(endless(name), { user: 'eve', signal: leave.signal }).catch((error: Error) => error))
    await until(`${name} is ${state}`, 20_000, async () => (await operator.query(name))?.state === state)
  }
  for (let i = 0; i < 6; i++) await hog(`hog${i}`, 'running')

  const times: number[] = []
  for (let i = 0; i < 5; i++) {
    const startedMs = systemClock.nowMs()
    const outcome = await skein.query(`SELECT count(*) AS n, ${i} AS i FROM rows`, { user: 'ann' })
    times.push(systemClock.nowMs() - startedMs)
    t.match(outcome, { kind: 'rows' })
  }
  t.comment(`${times.map(Math.round).join(', ')} ms`)
  t.ok(Math.max(...times) < SMALL_WITHIN_MS, `${Math.max(...times)} ms`)

  await t.test('two more wait, and the third is told at once when to come again', async t => {
    for (let i = 0; i < 2; i++) await hog(`wait${i}`, 'planning')
    const refusals: number[] = []
    for (let i = 0; i < 10; i++) {
      const startedMs = systemClock.nowMs()
      const response = await skein.request('POST', '/query', { statement: 'SELECT 1' }, undefined, 'eve')
      refusals.push(systemClock.nowMs() - startedMs)
      let body = ''
      for await (const piece of response.setEncoding('utf8')) body += String(piece)
      t.match([response.statusCode, JSON.parse(body)], [429, { error: { code: 'QUERY_QUEUE_FULL' } }])
      t.ok(Number(response.headers['retry-after']) >= 1)
    }
    refusals.sort((a, b) => a - b)
    t.comment(`refused in ${refusals.map(ms => ms.toFixed(1)).join(', ')} ms`)
    t.ok((refusals[5] ?? Infinity) < REFUSED_WITHIN_MS, 'the middle one')

    const flight = new FlightClient(t, Number(new URL(skein.doors.flight ?? '').port))
    flight.metadata.set('authorization', `Basic ${Buffer.from('eve:').toString('base64')}`)
    const error = await flight.getFlightInfo(packed(CommandStatementQuerySchema, { query: 'SELECT 1' }))
      .then(() => null, (reason: ServiceError) => reason)
    t.equal(error?.metadata.get('skein-code')[0], 'QUERY_QUEUE_FULL')
    t.ok(Number(error?.metadata.get('grpc-retry-pushback-ms')[0]) >= 1_000)
    const [bytes] = error?.metadata.get('grpc-status-details-bin') ?? []
    const { details } = fromBinary(StatusSchema, bytes as Buffer)
    const retry = details[0] === undefined ? undefined : anyUnpack(details[0], RetryInfoSchema)
    t.ok((retry?.retryDelay?.seconds ?? 0n) >= 1n, 'as RetryInfo too')
  })

  leave.abort()
  await Promise.all(asked)
})

t.test('a statement ends at the time that its group allows', async t => {
  t.match(await skein.query(endless('late'), { user: 'tim' }), { kind: 'error', code: 'DEADLINE_EXCEEDED' })
})
