/**
 * The door at which clients read parts of results from the executor that has made them: Flight's DoGet with a ticket of
 * a part, and nothing else. A ticket that was not signed by this cluster is refused here; whether it still holds, and
 * whose it is, its coordinator says by its own clock (part-readings.ts). Only a spool that is complete ends a stream
 * without an error.
 */

import { QueryError } from '../proto/errors.ts'
import { unpack } from '../proto/flight-any.ts'
import { authorizationOf } from '../proto/flight-login.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { FlightService, Ticket } from '../proto/gen/flight_pb.js'
import { TicketStatementQuerySchema } from '../proto/gen/flight_sql_pb.js'
import type { Call, ServiceHandlers } from '../proto/grpc-server.ts'
import type { CoordinatorId } from '../proto/ids.ts'
import { readTicketOfAnyAge } from '../proto/result-ticket.ts'
import type { Signer } from '../proto/signed-text.ts'
import { bytesOf } from '../proto/wire-frame.ts'
import type { Executor } from './executor.ts'
import type { PartReadings } from './part-readings.ts'

export interface FlightDoorOptions {
  readonly executor: Pick<Executor, 'fetchResult'>
  readonly signer: Signer
  readonly readings: PartReadings
}

export function flightDoor(options: FlightDoorOptions): ServiceHandlers<typeof FlightService> {
  const elsewhere = (): never => {
    throw new QueryError('UNSUPPORTED_STATEMENT', 'an executor gives parts of results by their tickets, nothing else')
  }
  return {
    handshake: elsewhere, listFlights: elsewhere, getFlightInfo: elsewhere, pollFlightInfo: elsewhere,
    getSchema: elsewhere, doPut: elsewhere, doExchange: elsewhere, doAction: elsewhere, listActions: elsewhere,
    doGet: (ticket, call) => readPart(options, ticket, call),
  }
}

async function* readPart(
  { executor, signer, readings }: FlightDoorOptions, { ticket }: Ticket, call: Call,
): AsyncGenerator<RawFlightData> {
  const handle = Buffer.from(unpack(ticket, [TicketStatementQuerySchema])?.statementHandle ?? []).toString()
  const { query, coordinator, part } = readTicketOfAnyAge(signer, handle) ?? {}
  if (query === undefined || coordinator === undefined || part === undefined || part === null) {
    throw new QueryError('NOT_FOUND', 'no part of a result for this ticket: none was given out')
  }
  const certificate = call.peerIdentity()
  const reading = await readings.begin(coordinator as CoordinatorId, {
    handle, authorization: authorizationOf(call) ?? '',
    certified: certificate?.role === 'client' ? certificate.name : '',
    address: call.peer.slice(0, Math.max(0, call.peer.lastIndexOf(':'))), // its port changes with every connection
  })
  let [isWhole, bytes] = [false, 0]
  try {
    for await (const frame of executor.fetchResult(query, part.task, 0, call.signal)) {
      bytes += bytesOf(frame)
      yield frame
    }
    isWhole = true
  } finally {
    reading.end(isWhole ? 'whole' : call.signal.aborted ? 'left' : 'broken', bytes)
  }
}
