/**
 * What the processes of a cluster prove to each other with: the cluster's secret on every call, and, between hosts, a
 * certificate of the cluster's CA.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import { QueryError } from './errors.ts'
import { GrpcChannel } from './grpc-channel.ts'
import { GrpcServer, type Call } from './grpc-server.ts'
import type { Tls } from './tls.ts'

export interface NodeAuth {
  readonly secret: string
  /** null: all on one box. */
  readonly tls: Tls | null
}

/** A server for members of the cluster alone. */
export function nodeServer(auth: NodeAuth): GrpcServer {
  return new GrpcServer({
    authenticate: nodeGuard(auth), links: true,
    ...(auth.tls === null ? {} : { tls: { ...auth.tls, clients: 'known' } }),
  })
}

export function nodeChannel(address: string, { secret, tls }: NodeAuth, windowBytes?: number): GrpcChannel {
  return new GrpcChannel(address, { authorization: `Bearer ${secret}` }, windowBytes, tls)
}

/** Throws UNAUTHENTICATED for a caller that is no node of this cluster. */
export function nodeGuard({ secret, tls }: NodeAuth): (call: Call) => void {
  const expected = digest(`Bearer ${secret}`)
  return call => {
    if (tls !== null && call.peerIdentity()?.role !== 'node') {
      throw new QueryError('UNAUTHENTICATED', 'this port serves the nodes of its cluster only')
    }
    // digests have one length, so the comparison tells nothing about the secret by its time
    if (timingSafeEqual(digest(call.header('authorization') ?? ''), expected)) return
    throw new QueryError('UNAUTHENTICATED', 'this port serves the members of its cluster only')
  }
}

/** Throws UNAUTHENTICATED for a caller whose certificate is neither an operator's nor a node's. */
export function operatorGuard(tls: Tls | null): (call: Call) => void {
  return call => {
    if (tls === null) return // the port is of this box alone
    const role = call.peerIdentity()?.role
    if (role !== 'node' && role !== 'operator') {
      throw new QueryError('UNAUTHENTICATED', 'this port serves operators and nodes of its cluster only')
    }
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
