/**
 * FlightInfo and its parts as all answers give them: sizes are not counted before. `ordered`: several endpoints give
 * the rows in their order if they are read one after the other.
 */

import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type FlightInfoSchema, type FlightDescriptor, type FlightEndpointSchema,
} from '../../proto/gen/flight_pb.js'
import { TicketStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { pack } from '../../proto/flight-any.ts'
import type { Ticket } from './flight-results.ts'

/** Not counted. */
const UNKNOWN = -1n

export type EndpointShape = MessageInitShape<typeof FlightEndpointSchema>
export type InfoShape = MessageInitShape<typeof FlightInfoSchema>

export function flightInfo(
  flightDescriptor: FlightDescriptor, schema: Uint8Array, endpoint: readonly EndpointShape[], ordered = false,
): InfoShape {
  return {
    schema, flightDescriptor, endpoint: [...endpoint], totalRecords: UNKNOWN, totalBytes: UNKNOWN, ordered,
  }
}

/** Of Flight: whoever gave the endpoint. */
export const REUSE = 'arrow-flight-reuse-connection://?'

/** Without a location: on the connection that the client has. */
export function endpointOf({ handle, expiresMs, locations = [] }: Ticket): EndpointShape {
  const location = (locations.length === 0 ? [] : [...locations, REUSE]).map(uri => ({ uri }))
  return { ticket: { ticket: statementTicket(handle) }, expirationTime: timestamp(expiresMs), location }
}

export function statementTicket(handle: string): Uint8Array {
  return pack(TicketStatementQuerySchema, { statementHandle: Buffer.from(handle) })
}

export function timestamp(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1_000_000 }
}
