/** The ports that clients and operators come to, opened together and closed together. */

import { isLoopback, splitAddress } from '../proto/address.ts'
import { QueryError } from '../proto/errors.ts'
import type { ListenConfig } from '../proto/config.ts'
import { clientServer } from '../proto/client-door.ts'
import { GrpcServer } from '../proto/grpc-server.ts'
import { operatorGuard } from '../proto/node-auth.ts'
import type { DoorTls, Tls } from '../proto/tls.ts'
import { HttpServer, type Route } from './serve/http.ts'

export interface DoorHandlers {
  readonly httpRoutes: readonly Route[]
  readonly flight: (server: GrpcServer) => void
  readonly admin: (server: GrpcServer) => void
}

export interface DoorOptions {
  readonly listen: ListenConfig
  /** Of the nodes: operators show a certificate of its CA. null: the port of operators is for this box alone. */
  readonly tls: Tls | null
  /** Of the doors of clients. */
  readonly clientTls: DoorTls | null
  readonly newId: () => string
  readonly onFault: (error: QueryError, requestId: string) => void
}

/** host:port of each door. */
export interface Doors {
  readonly http: string
  readonly flight: string
  readonly admin: string
  /** HTTP connections end with their next answer, or no more. */
  readonly endConnections: (isLeaving: boolean) => void
  /** Takes no new call; resolves once all that clients have asked for is answered. */
  readonly leave: () => Promise<void>
  readonly close: () => void
}

/** Passwords would cross a network that others may read; null: they do not. */
export function passwordWarning(
  { auth, clientTls, listen }: { readonly auth: 'none' | 'users'; readonly clientTls: object | null
    readonly listen: Pick<ListenConfig, 'http' | 'flight' | 'results'> },
): string | null {
  const doors = [listen.http, listen.flight, ...listen.results === null ? [] : [listen.results]]
  const open = doors.filter(address => !isLoopback(splitAddress(address).host))
  if (auth === 'none' || clientTls !== null || open.length === 0) return null
  return `passwords and tokens cross the network in plain text at ${open.join(' and ')}: set client_tls`
}

/** Rejects with INVALID_CONFIG, and nothing is left open, if an address cannot be bound. */
export async function openDoors(handlers: DoorHandlers, options: DoorOptions): Promise<Doors> {
  const { listen, newId, onFault, tls, clientTls } = options
  if (tls === null && !isLoopback(splitAddress(listen.admin).host)) {
    throw new QueryError('INVALID_CONFIG', `listen.admin: ${listen.admin} is open to other hosts: it needs 'tls'`)
  }
  const http = new HttpServer({ routes: handlers.httpRoutes, newId, onFault, tls: clientTls })
  const flight = clientServer(clientTls)
  const admin = new GrpcServer({
    authenticate: operatorGuard(tls), links: true, ...(tls === null ? {} : { tls: { ...tls, clients: 'known' } }),
  })
  const close = (): void => {
    http.close()
    flight.close()
    admin.close()
  }
  handlers.flight(flight)
  handlers.admin(admin)
  try {
    return {
      http: await bind(listen.http, http),
      flight: await bind(listen.flight, flight),
      admin: await bind(listen.admin, admin),
      endConnections: isLeaving => http.endConnections(isLeaving),
      leave: async () => { await Promise.all([http.leave(), flight.leave()]) },
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

async function bind(address: string, server: HttpServer | GrpcServer): Promise<string> {
  const { host, port } = splitAddress(address)
  return `${host}:${await server.listen(host, port)}`
}
