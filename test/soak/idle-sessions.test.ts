/** What sessions cost that do nothing: 200 of them, each with a token, a setting, a prepared statement and a result. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { residentBytes } from '../../bench/processes.ts'
import {
  ActionCreatePreparedStatementRequestSchema, CommandStatementQuerySchema, CommandStatementUpdateSchema,
} from '../../proto/gen/flight_sql_pb.js'
import { Skein } from '../cluster/skein.ts'
import { FlightClient, packed } from '../serve/flight-client.ts'

const SESSIONS = 200
const MAX_BYTES = 100 * 1024 * 1024

t.test(`${SESSIONS} idle sessions cost less than 100 MiB in all processes`, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-idle-'))
  const skein = await Skein.start({ folder, executors: 2, config: {} })
  t.teardown(async () => {
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  const port = Number(new URL(skein.doors.flight ?? '').port)
  const use = async (client: FlightClient, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await client.put(packed(CommandStatementUpdateSchema, { query: "SET TimeZone = 'Asia/Tokyo'" }), [])
      await client.act('CreatePreparedStatement', packed(ActionCreatePreparedStatementRequestSchema, {
        query: 'SELECT $1::INTEGER',
      }))
      await client.read(packed(CommandStatementQuerySchema, { query: `SELECT ${i}, now()` }))
    }
  }
  const bytes = () => skein.processes().reduce((sum, pid) => sum + residentBytes(pid), 0)
  const first = new FlightClient(t, port)
  await first.handshake()
  await use(first, SESSIONS) // what a process gets for its first work it keeps
  const before = bytes()
  for (let i = 0; i < SESSIONS; i++) {
    const client = new FlightClient(t, port)
    await client.handshake()
    await use(client, 1)
  }
  const after = bytes()
  t.comment(`${before} bytes before, ${after} after`)
  t.ok(before > 0)
  t.ok(after - before < MAX_BYTES, `${after - before} bytes`)
})
