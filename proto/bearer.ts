/** The cluster's secret on calls between our own processes: `authorization: Bearer <secret>`. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { QueryError } from './errors.ts'
import type { Call } from './grpc-server.ts'

/** A guard for a gRPC server: throws UNAUTHENTICATED for a caller that does not know `secret`. */
export function bearerGuard(secret: string): (call: Call) => void {
  const expected = digest(`Bearer ${secret}`)
  return call => {
    // digests have one length, so the comparison tells nothing about the secret by its time
    if (timingSafeEqual(digest(call.header('authorization') ?? ''), expected)) return
    throw new QueryError('UNAUTHENTICATED', 'this port serves the members of its cluster only')
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
