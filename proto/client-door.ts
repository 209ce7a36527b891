/** A gRPC server that clients reach, and its address as they are told it. */

import { GrpcServer } from './grpc-server.ts'
import type { DoorTls } from './tls.ts'

/** Who comes in is up to the services behind it. null: plain text. */
export function clientServer(tls: DoorTls | null): GrpcServer {
  const authenticate = (): void => undefined
  if (tls === null) return new GrpcServer({ authenticate })
  const { clientsCa } = tls
  return new GrpcServer({
    authenticate, tls: clientsCa === null ? { ...tls, clients: 'any' } : { ...tls, ca: clientsCa, clients: 'optional' },
  })
}

/** `address`: host:port. */
export function clientUri(address: string, tls: object | null): string {
  return `${tls === null ? 'grpc' : 'grpc+tls'}://${address}`
}
