/** Addresses as configuration has them: host:port. */

import { QueryError } from './errors.ts'

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host)
}

export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  const port = Number(address.slice(at + 1))
  if (at > 0 && Number.isInteger(port)) return { host: address.slice(0, at), port }
  throw new QueryError('INVALID_CONFIG', `'${address}' is not host:port`)
}
