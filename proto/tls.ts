/**
 * TLS between the processes of a cluster and towards operators: both sides show a certificate of the cluster's CA. Its
 * organisational unit says what its holder may be: `node` (an executor or a coordinator) or `operator`. A node is known
 * by the name that all node certificates carry, not by its address: addresses change, and each node trusts all others.
 */

import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { DoorTlsFiles, TlsFiles } from './config.ts'
import { QueryError } from './errors.ts'

/** Among the DNS names of every node's certificate. */
export const NODE_NAME = 'node.skein'

/** PEM. */
export interface Tls {
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}

/** client: a user of the doors of clients, by his name. */
export type PeerRole = 'node' | 'operator' | 'client'

/** Who a caller has proved to be. */
export interface Peer {
  readonly name: string
  readonly role: PeerRole | null
}

/** Of the doors of clients. */
export interface DoorTls extends Tls {
  /** Whose certificates are users; null: nobody's, they log in. */
  readonly clientsCa: Buffer | null
}

/** As readTls, of `client_tls`. */
export function readDoorTls(files: DoorTlsFiles, nowMs: number): DoorTls {
  const tls = readTls('client_tls', files, nowMs)
  const { clientsCa } = files
  if (clientsCa === null) return { ...tls, clientsCa }
  try {
    const pem = readFileSync(clientsCa)
    new X509Certificate(pem)
    return { ...tls, clientsCa: pem }
  } catch (cause) {
    throw invalid(`client_tls.clients_ca: ${clientsCa}: ${(cause as Error).message}`, cause)
  }
}

/** Reads and checks them; INVALID_CONFIG names `what` (the key of the configuration) and the file that is wrong. */
export function readTls(what: string, files: TlsFiles, nowMs: number): Tls {
  const read = (part: keyof TlsFiles): Buffer => {
    try {
      return readFileSync(files[part])
    } catch (cause) {
      throw invalid(`${what}.${part}: ${(cause as Error).message}`, cause)
    }
  }
  const tls: Tls = { ca: read('ca'), cert: read('cert'), key: read('key') }
  const parse = <T>(part: keyof TlsFiles, make: () => T): T => {
    try {
      return make()
    } catch (cause) {
      throw invalid(`${what}.${part}: ${files[part]} is not PEM of that kind: ${(cause as Error).message}`, cause)
    }
  }
  const certificate = parse('cert', () => new X509Certificate(tls.cert))
  const authority = parse('ca', () => new X509Certificate(tls.ca))
  const key = parse('key', () => createPrivateKey(tls.key))
  if (!certificate.checkPrivateKey(key)) {
    throw invalid(`${what}.key: ${files.key} is not the key of the certificate ${files.cert}`)
  }
  if (Date.parse(certificate.validTo) < nowMs) {
    throw invalid(`${what}.cert: ${files.cert} has expired: it was valid to ${certificate.validTo}`)
  }
  if (Date.parse(certificate.validFrom) > nowMs) {
    throw invalid(`${what}.cert: ${files.cert} is not valid before ${certificate.validFrom}`)
  }
  if (Date.parse(authority.validTo) < nowMs) {
    throw invalid(`${what}.ca: ${files.ca} has expired: it was valid to ${authority.validTo}`)
  }
  return tls
}

/** Where clients need no certificate: one that the CA has not made, or that is too old, is worse than none. */
export function refuseUnknown(socket: TLSSocket): void {
  if (!socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0) socket.destroy()
}

/** Of a certificate that TLS has checked already; null: there is none. */
export function peerOf(certificate: Pick<PeerCertificate, 'subject'> | undefined): Peer | null {
  if (certificate?.subject === undefined) return null
  const { CN: name, OU: unit } = certificate.subject as Readonly<Record<string, string | string[] | undefined>>
  const role = unit === 'node' || unit === 'operator' || unit === 'client' ? unit : null
  return { name: typeof name === 'string' ? name : '', role }
}

function invalid(message: string, cause?: unknown): QueryError {
  return new QueryError('INVALID_CONFIG', message, { cause })
}
