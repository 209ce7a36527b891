/** Certificates for tests, made as an operator makes them, in a folder. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cert } from '../cli/cert.ts'
import { systemClock } from '../proto/clock.ts'
import type { Tls } from '../proto/tls.ts'

export interface CertFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export class Certificates {
  readonly folder: string
  readonly #nowMs: number

  /** Makes a CA there. */
  constructor(folder: string, nowMs = systemClock.wallMs()) {
    this.folder = folder
    this.#nowMs = nowMs
    this.run('ca')
  }

  run(...words: readonly string[]): string {
    return runCert(this.folder, words, { nowMs: this.#nowMs })
  }

  make(kind: 'node' | 'operator' | 'client', name: string): CertFiles {
    this.run(kind, name)
    const file = (end: string): string => join(this.folder, end)
    return { ca: file('ca.pem'), cert: file(`${name}.pem`), key: file(`${name}.key`) }
  }
}

export function runCert(
  out: string, words: readonly string[],
  { hosts, days, nowMs }: { readonly hosts?: string; readonly days?: string; readonly nowMs: number },
): string {
  return cert({ words, out, hosts, days: days ?? '3650', nowMs, random: randomBytes })
}

export function pem({ ca, cert, key }: CertFiles): Tls {
  return { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) }
}
