/** PollFlightInfo of statements of several stages: what is told is true, never falls, and ends with one endpoint. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import t from 'tap'
import { encapsulate } from '../../proto/arrow-stream.ts'
import { encode } from '../../proto/flight-any.ts'
import { CancelFlightInfoRequestSchema, type FlightData, type PollInfo } from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-poll-'))
await writeFaultTables(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 2, config: faultConfig(folder),
  environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
})
const operator = new Operator(skein.doors)
const client = new FlightClient(t, Number(new URL(skein.doors.flight ?? '').port))
await client.handshake()
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const WITHIN_MS = 30_000
const NOT_FOUND = 5
const statement = (query: string) => packed(CommandStatementQuerySchema, { query })

t.test('a statement is followed to its end, and runs once', async t => {
  let poll = await client.pollFlightInfo(statement(`SELECT /* followed */ a.grp, count(*) AS n
    FROM rows a JOIN rows b USING (id) GROUP BY a.grp`))
  const seen: PollInfo[] = [poll]
  while (poll.flightDescriptor !== undefined) {
    poll = await client.pollFlightInfo(poll.flightDescriptor.cmd)
    seen.push(poll)
  }
  t.comment(seen.map(({ progress }) => progress?.toFixed(3)).join(' '))
  t.strictSame(seen.map(({ progress }) => progress), seen.map(({ progress = 0 }) => progress).sort((a, b) => a - b))
  t.ok(seen.every(({ info }) => info !== undefined && info.schema.length > 0), 'each tells the columns')
  t.strictSame(seen.map(({ info }) => info?.endpoint.length), seen.map((_, i) => i === seen.length - 1 ? 1 : 0))
  t.equal(poll.progress, 1)
  const pieces: Uint8Array[] = []
  const rows = client.doGet(poll.info?.endpoint[0]?.ticket?.ticket ?? new Uint8Array()) as AsyncIterable<FlightData>
  for await (const { dataHeader, dataBody } of rows) pieces.push(...encapsulate({ dataHeader, dataBody }))
  t.equal(tableFromIPC(Buffer.concat(pieces)).numRows, 1000)
  const ran = (await operator.queries()).filter(({ sql }) => sql.includes('/* followed */'))
  t.equal(ran.length, 1)
  t.ok((ran[0]?.stages ?? 0) > 2, `${ran[0]?.stages} stages`)
})

t.test('progress rises with what is done, and stays below the end of what has none', async t => {
  const query = `SELECT /* endless */ sum(hash(a.id, b.id, c.id))
    FROM rows a JOIN rows b USING (grp) JOIN rows c USING (grp)`
  let poll = await client.pollFlightInfo(statement(query))
  let last = 0
  await until('some of it is done', WITHIN_MS, async () => {
    poll = await client.pollFlightInfo(poll.flightDescriptor?.cmd ?? new Uint8Array())
    const { progress = -1 } = poll
    if (progress < last || progress >= 1) throw new Error(`${progress} after ${last}`)
    last = progress
    return progress > 0
  })
  const { tasks, finishedTasks } = await operator.query('/* endless */') ?? { tasks: 0, finishedTasks: 0 }
  t.ok(finishedTasks < tasks, `${finishedTasks} of ${tasks} tasks`)
  const retry = poll.flightDescriptor?.cmd ?? new Uint8Array()
  await client.act('CancelFlightInfo', encode(CancelFlightInfoRequestSchema, { info: poll.info }))
  await t.rejects(client.pollFlightInfo(retry), { code: NOT_FOUND }, 'a poll of what was cancelled')
  await until('it is cancelled', WITHIN_MS, async () => (await operator.query('/* endless */'))?.state === 'cancelled')
})
