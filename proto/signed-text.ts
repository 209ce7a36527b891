/**
 * Texts that leave the house and come back: tickets and tokens. Each carries what it says, the time until which it
 * holds, and a MAC over both (HMAC-SHA-256, RFC 2104), so nothing of it need be kept here and nobody else can make one.
 */

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Clock } from './clock.ts'

/** A key shorter than the MAC weakens it (RFC 2104, section 3). */
const MIN_KEY_BYTES = 32
/** Longer ones are not ours. */
const MAX_LENGTH = 4096

/** Of one cluster: all of its processes take what one of them has signed. */
export function signingKey(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'tickets 1', MIN_KEY_BYTES))
}

export class Signer {
  readonly #key: Uint8Array
  readonly #clock: Clock

  constructor(key: Uint8Array, clock: Clock) {
    if (key.length < MIN_KEY_BYTES) throw new Error(`a signing key of ${key.length} bytes`)
    this.#key = key
    this.#clock = clock
  }

  /** `purpose` keeps a token from being taken for a ticket. */
  sign(purpose: string, content: string, lifeMs: number): string {
    const body = `${Buffer.from(content).toString('base64url')}.${Math.ceil(this.#clock.wallMs() + lifeMs)}`
    return `${body}.${this.#mac(purpose, body)}`
  }

  /** The content; undefined for what was not signed here, for another purpose, or is too old. */
  read(purpose: string, text: string): string | undefined {
    const signed = this.#signed(purpose, text)
    return signed !== undefined && signed.expiresMs > this.#clock.wallMs() ? signed.content : undefined
  }

  /**
   * However old it is: to ask the process that signed it, whose clock alone tells whether it still holds.
   * Those of others may be minutes off.
   */
  readAnyAge(purpose: string, text: string): string | undefined {
    return this.#signed(purpose, text)?.content
  }

  #signed(purpose: string, text: string): { readonly content: string; readonly expiresMs: number } | undefined {
    if (text.length > MAX_LENGTH) return undefined
    const end = text.lastIndexOf('.')
    const body = text.slice(0, Math.max(0, end))
    // as texts: what decodes to the same bytes is another text, and not ours
    const mac = Buffer.from(text.slice(end + 1))
    const expected = Buffer.from(this.#mac(purpose, body))
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return undefined
    const [content, expiresMs] = body.split('.')
    return { content: Buffer.from(content ?? '', 'base64url').toString(), expiresMs: Number(expiresMs) }
  }

  #mac(purpose: string, body: string): string {
    return createHmac('sha256', this.#key).update(`${purpose}\0${body}`).digest('base64url')
  }
}
