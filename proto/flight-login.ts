/**
 * What a caller of Flight shows with each call. Flight has two ways to log in, and both are taken: the header
 * `authorization`, and, older, a BasicAuth in the handshake's message, whose token comes back as the bytes of the
 * header `auth-token-bin`.
 */

import { decode } from './flight-any.ts'
import { BasicAuthSchema } from './gen/flight_pb.js'
import type { Call } from './grpc-server.ts'

const TOKEN_HEADER = 'auth-token-bin'

/** In the words of the header `authorization`; undefined: nothing. */
export function authorizationOf(call: Pick<Call, 'header'>): string | undefined {
  const token = call.header(TOKEN_HEADER) ?? ''
  return call.header('authorization') ?? (token === '' ? undefined : `Bearer ${token}`)
}

/** The same of a BasicAuth. Throws INVALID_REQUEST for other bytes. */
export function authorizationIn(said: Uint8Array): string {
  const { username, password } = decode(BasicAuthSchema, said)
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
