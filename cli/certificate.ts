/**
 * X.509 certificates (RFC 5280) of a small CA of one's own: ECDSA on P-256 with SHA-256. Written here, because what
 * they need is little and never changes; they are read and checked by OpenSSL alone.
 */

import { createHash, createPrivateKey, generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { QueryError } from '../proto/errors.ts'
import {
  bitString, boolean, explicit, implicit, integer, objectId, octetString, sequence, set, text, time,
} from './der.ts'

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
const ORGANIZATION = 'skein'
const SERIAL_BYTES = 16
/** A host whose clock is behind takes a new certificate too. */
const BACKDATED_MS = 3_600_000
const DAY_MS = 86_400_000
/** Bits of KeyUsage, the first one the highest. */
const DIGITAL_SIGNATURE = bitString(Buffer.of(0b1000_0000), 7)
const SIGNS_CERTIFICATES = bitString(Buffer.of(0b0000_0110), 1)

/** PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Subject {
  readonly name: string
  /** What its holder may be; absent for a CA. */
  readonly unit?: 'node' | 'operator' | 'client'
  /** Names and addresses of a server. */
  readonly hosts?: readonly string[]
}

export interface IssueOptions {
  readonly days: number
  readonly nowMs: number
  readonly random: (byteCount: number) => Uint8Array
}

interface Authority {
  readonly key: KeyObject
  readonly name: Buffer
  readonly keyId: Buffer
}

export function issueAuthority(name: string, options: IssueOptions): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = distinguishedName({ name })
  const authority: Authority = { key: privateKey, name: subject, keyId: keyIdOf(publicKey) }
  const extensions = [
    extension('2.5.29.19', true, sequence(boolean(true), integer(Buffer.of(0)))),
    extension('2.5.29.15', true, SIGNS_CERTIFICATES),
    extension('2.5.29.14', false, octetString(authority.keyId)),
  ]
  return { cert: certificate(subject, publicKey, extensions, authority, options), key: pemOf(privateKey) }
}

/** INVALID_REQUEST if the authority's certificate and key do not belong together. */
export function issue(authority: Issued, of: Subject, options: IssueOptions): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = '1.3.6.1.5.5.7.3.1'
  const client = '1.3.6.1.5.5.7.3.2'
  const uses = of.unit === 'node' ? [server, client] : [client]
  const issuer = authorityOf(authority)
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, DIGITAL_SIGNATURE),
    extension('2.5.29.37', false, sequence(...uses.map(objectId))),
    extension('2.5.29.14', false, octetString(keyIdOf(publicKey))),
    extension('2.5.29.35', false, sequence(implicit(0, issuer.keyId))),
    ...(of.hosts === undefined ? [] : [extension('2.5.29.17', false, sequence(...of.hosts.map(hostName)))]),
  ]
  return {
    cert: certificate(distinguishedName(of), publicKey, extensions, issuer, options), key: pemOf(privateKey),
  }
}

function certificate(
  subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[], issuer: Authority,
  { days, nowMs, random }: IssueOptions,
): string {
  const serial = Buffer.from(random(SERIAL_BYTES))
  serial[0] = (serial[0] ?? 0) & 0x7f | 0x40 // positive, and of one length
  const content = sequence(
    explicit(0, integer(Buffer.of(2))), integer(serial), ECDSA_WITH_SHA256, issuer.name,
    sequence(time(nowMs - BACKDATED_MS), time(nowMs + days * DAY_MS)), subject,
    publicKey.export({ type: 'spki', format: 'der' }), explicit(3, sequence(...extensions)),
  )
  const signed = sequence(content, ECDSA_WITH_SHA256, bitString(sign('sha256', content, issuer.key)))
  const lines = signed.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function authorityOf({ cert, key }: Issued): Authority {
  try {
    const parsed = new X509Certificate(cert)
    const privateKey = createPrivateKey(key)
    if (!parsed.checkPrivateKey(privateKey)) throw new Error('the key is of another certificate')
    if (!parsed.ca) throw new Error('the certificate is not of a CA')
    const [, name = ''] = /(?:^|\n)CN=(.*)/.exec(parsed.subject) ?? []
    return { key: privateKey, name: distinguishedName({ name }), keyId: keyIdOf(parsed.publicKey) }
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `the CA cannot be used: ${(cause as Error).message}`, { cause })
  }
}

function distinguishedName({ name, unit }: Subject): Buffer {
  const part = (id: string, value: string): Buffer => set(sequence(objectId(id), text(value)))
  return sequence(
    part('2.5.4.10', ORGANIZATION), ...(unit === undefined ? [] : [part('2.5.4.11', unit)]), part('2.5.4.3', name),
  )
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octetString(value))
}

/** dNSName [2] or iPAddress [7]. */
function hostName(host: string): Buffer {
  return isIP(host) === 0 ? implicit(2, Buffer.from(host, 'latin1')) : implicit(7, addressBytes(host))
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1) // hexadecimal groups, compressed
  const [head = '', tail = ''] = canonical.split('::')
  const groups = (part: string): string[] => part === '' ? [] : part.split(':')
  const missing = 8 - groups(head).length - groups(tail).length
  const all = canonical.includes('::') ? [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)]
    : groups(canonical)
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex')
}

/** SHA-1 of the key's bits, as RFC 5280 proposes: a name, no protection. */
function keyIdOf(key: KeyObject): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' })
  return createHash('sha1').update(spki.subarray(-65)).digest() // an uncompressed point of P-256 is at its end
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
