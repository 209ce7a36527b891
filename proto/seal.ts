/**
 * Secrets at rest: AES-256-GCM under a key that is derived from a file of the operator's. What is sealed says what it
 * is for, so that one sealed thing cannot be put in the place of another.
 *
 *   1 byte format, 12 bytes nonce, 16 bytes tag, ciphertext
 */

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { QueryError } from './errors.ts'

const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES
const KEY_BYTES = 32
/** Characters of the file, without blanks at its ends: less can be guessed. */
const MIN_SECRET_LENGTH = 32

/** The key that the file stands for; INVALID_CONFIG if it cannot be read or is too short. */
export function sealKey(path: string): Uint8Array {
  let secret: string
  try {
    secret = readFileSync(path, 'latin1').trim()
  } catch (cause) {
    throw new QueryError('INVALID_CONFIG', `secret_key_file: ${(cause as Error).message}`, { cause })
  }
  if (secret.length < MIN_SECRET_LENGTH) {
    throw new QueryError(
      'INVALID_CONFIG', `secret_key_file: ${path} has ${secret.length} characters, at least ${MIN_SECRET_LENGTH}`,
    )
  }
  return new Uint8Array(hkdfSync('sha256', secret, '', 'skein seal 1', KEY_BYTES))
}

/** `random` gives that many bytes that nobody can guess, never the same again. */
export function seal(
  key: Uint8Array, purpose: string, plain: Uint8Array, random: (byteCount: number) => Uint8Array,
): Uint8Array {
  const nonce = random(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(purpose))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), sealed])
}

/** INVALID_CONFIG if it was sealed with another key, for another purpose, or was changed. */
export function unseal(key: Uint8Array, purpose: string, sealed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(sealed)
  try {
    if (bytes[0] !== FORMAT || bytes.length < HEAD_BYTES) throw new Error('unknown format')
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(purpose))
    decipher.setAuthTag(bytes.subarray(1 + NONCE_BYTES, HEAD_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()])
  } catch (cause) {
    const message = `secret_key_file is not the one that the ${purpose} was sealed with`
    throw new QueryError('INVALID_CONFIG', message, { cause })
  }
}
