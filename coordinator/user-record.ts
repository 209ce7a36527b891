/**
 * A user as the store keeps him: a name, and a salted hash of his password. Hashes are scrypt's (RFC 7914) with the
 * parameters of OWASP's password storage advice (N = 2^15, r = 8, p = 3): 32 MiB and some 150 ms for one guess.
 */

import { scrypt, timingSafeEqual } from 'node:crypto'
import { QueryError } from '../proto/errors.ts'

const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }
const HASH_BYTES = 32
export const SALT_BYTES = 16
/** Names become parts of log lines, of keys, and of Basic credentials, where a colon ends them. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,127}$/
const MIN_PASSWORD = 8
/** Longer ones only cost the hash time. */
const MAX_PASSWORD = 1024

export interface UserRecord {
  readonly name: string
  /** Base64. */
  readonly salt: string
  readonly hash: string
  readonly cost: { readonly N: number; readonly r: number; readonly p: number }
  /** Milliseconds since 1970. */
  readonly changedMs: number
}

/** Throws INVALID_REQUEST for a name that cannot be one. */
export function checkUserName(name: string): void {
  if (!NAME.test(name)) {
    throw new QueryError('INVALID_REQUEST', `'${name}' is no user's name: letters, digits and _ . @ + - only`)
  }
}

export function checkPassword(password: string): void {
  const { length } = password
  if (length >= MIN_PASSWORD && length <= MAX_PASSWORD) return
  throw new QueryError('INVALID_REQUEST', `a password has ${MIN_PASSWORD} to ${MAX_PASSWORD} characters, not ${length}`)
}

export async function makeUser(
  name: string, password: string, salt: Uint8Array, changedMs: number,
): Promise<UserRecord> {
  checkUserName(name)
  checkPassword(password)
  const { N, r, p } = COST
  const hash = await digest(password, salt, COST)
  const [saltText, hashText] = [Buffer.from(salt).toString('base64'), hash.toString('base64')]
  return { name, salt: saltText, hash: hashText, cost: { N, r, p }, changedMs }
}

/** Takes as long for a wrong password as for the right one. */
export async function isPassword(user: UserRecord, password: string): Promise<boolean> {
  if (password.length > MAX_PASSWORD) return false
  const expected = Buffer.from(user.hash, 'base64')
  const actual = await digest(password, Buffer.from(user.salt, 'base64'), { ...user.cost, maxmem: COST.maxmem })
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

/** Nobody's password: for those who ask with a name that is not there, so that they wait as long. */
export const nobody: UserRecord = {
  name: '', salt: Buffer.alloc(SALT_BYTES).toString('base64'), hash: Buffer.alloc(HASH_BYTES).toString('base64'),
  cost: { N: COST.N, r: COST.r, p: COST.p }, changedMs: 0,
}

/** undefined: what another version wrote, which nobody can log in with. */
export function readUser(value: Uint8Array): UserRecord | undefined {
  const user = JSON.parse(Buffer.from(value).toString()) as Partial<UserRecord>
  const { name, salt, hash, cost, changedMs } = user
  if (name === undefined || salt === undefined || hash === undefined || cost === undefined) return undefined
  return { name, salt, hash, cost, changedMs: changedMs ?? 0 }
}

function digest(password: string, salt: Uint8Array, cost: typeof COST): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, cost, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
