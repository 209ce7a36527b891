/** Tickets at a cluster with users: read again, shown by others, made up, of what has ended; and what is no message. */

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { encode } from '../../proto/flight-any.ts'
import { CancelFlightInfoRequestSchema } from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema, TicketStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import type { QueryId } from '../../proto/ids.ts'
import { writeTicket } from '../../proto/result-ticket.ts'
import { Signer } from '../../proto/signed-text.ts'
import { startSecure } from '../interop/secure-cluster.ts'
import { bytesRead, FlightClient, packed, ticketOf } from '../serve/flight-client.ts'
import { runCommand } from './command.ts'

const INVALID_ARGUMENT = 3
const NOT_FOUND = 5
const PERMISSION_DENIED = 7
const RESOURCE_EXHAUSTED = 8
const UNAUTHENTICATED = 16
/** The limit of one message. */
const TOO_LARGE_BYTES = 64 * 1024 * 1024

const cluster = await startSecure({ tls: false })
t.teardown(() => cluster.stop())
const OTHER = { user: 'other', password: 'battery staple' }
await runCommand(['admin', '--url', cluster.skein.doors.admin ?? '', 'user', 'add', OTHER.user], {
  input: OTHER.password,
})

function stranger(t: Test): FlightClient {
  return new FlightClient(t, Number(cluster.flight.split(':').at(-1)))
}

async function loggedIn(t: Test, { user, password } = cluster as { user: string; password: string }) {
  const client = stranger(t)
  await client.handshake(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
  return client
}

const ask = (client: FlightClient, query: string) =>
  client.getFlightInfo(packed(CommandStatementQuerySchema, { query }))

t.test('a ticket is read again, by another connection of its user too: the statement ran once', async t => {
  const client = await loggedIn(t)
  const ticket = ticketOf(await ask(client, 'SELECT random() AS r FROM range(1000)'))
  const bytes = await bytesRead(client, ticket)
  t.equal(await bytesRead(client, ticket), bytes)
  t.equal(await bytesRead(await loggedIn(t), ticket), bytes)
})

t.test('nobody else reads with it, nor cancels by it', async t => {
  const info = await ask(await loggedIn(t), 'SELECT 1')
  const cancel = encode(CancelFlightInfoRequestSchema, { info })
  const other = await loggedIn(t, OTHER)
  await t.rejects(bytesRead(other, ticketOf(info)), { code: PERMISSION_DENIED })
  await t.rejects(other.act('CancelFlightInfo', cancel), { code: PERMISSION_DENIED })
  await t.rejects(bytesRead(stranger(t), ticketOf(info)), { code: UNAUTHENTICATED })
  await t.rejects(stranger(t).act('CancelFlightInfo', cancel), { code: UNAUTHENTICATED })
})

t.test('one that was not given out is none', async t => {
  const client = await loggedIn(t)
  const given = ticketOf(await ask(client, 'SELECT 1'))
  const content = { query: 'q' as QueryId, principal: cluster.user, coordinator: 'c', part: null }
  const foreign = writeTicket(new Signer(randomBytes(32), systemClock), content, 60_000)
  await t.rejects(bytesRead(client, packed(TicketStatementQuerySchema, { statementHandle: Buffer.from(foreign) })),
    { code: NOT_FOUND })
  for (let at = given.length - 1; at > given.length - 100; at -= 7) {
    const changed = Uint8Array.from(given, (byte, i) => i === at ? byte ^ 1 : byte)
    await t.rejects(bytesRead(client, changed), { code: NOT_FOUND }, `byte ${at}`)
  }
  await t.rejects(bytesRead(client, Buffer.from('nothing')), { code: INVALID_ARGUMENT })
  t.ok(await bytesRead(client, given), 'and the right one is read')
})

t.test('one of a statement that has failed, or was cancelled, gives no rows', async t => {
  const client = await loggedIn(t)
  const late = "SELECT CAST(CASE WHEN i = 99 THEN 'x' ELSE '1' END AS INTEGER) FROM range(100) t(i)"
  const failing = ticketOf(await ask(client, late))
  for (const when of ['at first', 'and again']) {
    await t.rejects(bytesRead(client, failing), { code: INVALID_ARGUMENT, details: /Conversion Error/ }, when)
  }
  const info = await ask(client, 'SELECT i FROM range(1000000000000) t(i)')
  await client.act('CancelFlightInfo', encode(CancelFlightInfoRequestSchema, { info }))
  await t.rejects(bytesRead(client, ticketOf(info)), { code: NOT_FOUND })
})

t.test('what is too large, or no message, is refused, and the next is served', async t => {
  const client = await loggedIn(t)
  t.equal(await client.raw('getFlightInfo', Buffer.alloc(TOO_LARGE_BYTES + 1)), RESOURCE_EXHAUSTED)
  t.equal(await client.raw('doGet', Buffer.alloc(TOO_LARGE_BYTES + 1)), RESOURCE_EXHAUSTED)
  t.equal(await client.raw('doGet', Buffer.from([0x0a, 0xff, 0xff])), INVALID_ARGUMENT)
  t.not(await client.raw('doAction', Buffer.from([0x0a, 0xff, 0xff])), 0)
  t.ok(await bytesRead(client, ticketOf(await ask(client, 'SELECT 1'))))
  t.ok(await bytesRead(await loggedIn(t), ticketOf(await ask(await loggedIn(t), 'SELECT 1'))))
})
