/** Values that no message can hold end a query with a clear error at every door; a little smaller ones arrive whole. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import t from 'tap'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { tablesConfig, writeTables } from '../sql/tables.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-huge-rows-'))
await writeTables(join(folder, 'files'))
const skein = await Skein.start({ folder, executors: 1, config: tablesConfig(join(folder, 'files')) })
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})

const HUGE = "SELECT v, repeat('x', 100000000 + v) AS s FROM solid WHERE v = 5"
const MESSAGE = /^a row of 10000\d+ bytes, 10000\d+ of them in column "s", exceeds the limit of 4193280 bytes a message/
/** 14 MB in all, each near the limit. */
const LARGE = "SELECT v, repeat('x', 4000000 + v) AS s FROM solid WHERE v < 4 ORDER BY v"
const lengths = [4_000_000, 4_000_001, 4_000_002, 4_000_003]

t.test('over HTTP', async t => {
  const failed = await skein.query(HUGE)
  t.match(failed, { kind: 'error', code: 'RESULT_TOO_LARGE', message: MESSAGE })
  const arrow = await skein.request('POST', '/query', { statement: HUGE, format: 'arrow' })
  arrow.resume()
  t.equal(arrow.statusCode, 413)
  const large = await skein.query(LARGE)
  t.strictSame(large.kind === 'rows' && large.answer.rows.map(row => String(row[1]).length), lengths)
})

t.test('over Flight, to a client that takes no message above 4 MiB', async t => {
  const client = new FlightClient(t, Number(new URL(skein.doors.flight ?? '').port))
  const run = (query: string) => client.read(packed(CommandStatementQuerySchema, { query }))
  const error = await run(HUGE).then(() => null, (thrown: unknown) => thrown as ServiceError)
  t.match(error, { code: 8, details: MESSAGE })
  const texts = (await run(LARGE)).getChild('s')?.toArray() as readonly string[] | undefined
  t.strictSame(texts?.map(text => text.length), lengths)
})
