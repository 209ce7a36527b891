/** The executor's door for clients: tickets that are refused before anybody is asked. */

import { join } from 'node:path'
import t from 'tap'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { flightDoor } from '../../executor/flight-door.ts'
import { PartReadings } from '../../executor/part-readings.ts'
import { clientServer } from '../../proto/client-door.ts'
import { FlightService } from '../../proto/gen/flight_pb.js'
import { TicketStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import type { QueryId, TaskId } from '../../proto/ids.ts'
import { writeTicket } from '../../proto/result-ticket.ts'
import { Signer, signingKey } from '../../proto/signed-text.ts'
import { FlightClient, nodes, packed } from '../serve/flight-client.ts'
import { HandClock } from './hand-clock.ts'
import { temporaryFolder } from './workbench.ts'

const LIFE_MS = 1_000
const clock = new HandClock()
const signer = new Signer(signingKey('one'), clock)
const part = { index: 0, task: 'q.0.0.0' as TaskId }
const content = { query: 'q' as QueryId, principal: 'anonymous', coordinator: 'c1', part }

const store = await EmbeddedStore.open(join(temporaryFolder(t), 'journal'), clock)
const server = clientServer(null)
server.addService(FlightService, flightDoor({
  executor: { fetchResult: () => { throw new Error('nothing is read') } }, signer,
  readings: new PartReadings({ store, auth: nodes, clock }),
}))
const port = await server.listen('127.0.0.1', 0)
t.teardown(async () => {
  server.close()
  await store.close()
})

const packedTicket = (handle: string): Uint8Array =>
  packed(TicketStatementQuerySchema, { statementHandle: Buffer.from(handle) })

t.test('a ticket counts if this cluster has signed it, for a part; how long its coordinator says', async t => {
  const client = new FlightClient(t, port)
  const status = async (ticket: Uint8Array): Promise<number> => {
    const call = client.doGet(ticket)
    call.resume()
    call.on('error', () => undefined)
    return new Promise(resolve => { call.once('status', ({ code }) => resolve(code)) })
  }
  const good = packedTicket(writeTicket(signer, content, LIFE_MS))
  const [unavailable, notFound, invalid, unimplemented] = [14, 5, 3, 12]
  t.equal(await status(good), unavailable, 'its coordinator would be asked, and is not there')
  const foreign = new Signer(signingKey('another'), clock)
  t.equal(await status(packedTicket(writeTicket(foreign, content, LIFE_MS))), notFound)
  t.equal(await status(packedTicket(writeTicket(signer, { ...content, part: null }, LIFE_MS))), notFound)
  const token = signer.sign('session', JSON.stringify(['q', 'a', 'c1', 0, 't']), LIFE_MS)
  t.equal(await status(packedTicket(token)), notFound)
  t.equal(await status(packedTicket('nonsense')), notFound)
  t.equal(await status(new Uint8Array(0)), notFound)
  t.equal(await status(Uint8Array.of(1, 2, 3)), invalid)
  await clock.pass(LIFE_MS)
  t.equal(await status(good), unavailable, 'a clock that is ahead here refuses nothing')
  t.equal(await client.raw('doAction', new Uint8Array(0)), unimplemented)
  await t.rejects(client.getFlightInfo(good), { code: unimplemented })
})
