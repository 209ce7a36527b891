/**
 * What goes wrong at the S3 test server: on the requests that a rule names, or on a share of all requests, drawn from a
 * seed, so that a run can be repeated. Each fault is one that clients of object storage meet.
 */

import { mulberry32 } from '../random.ts'
import type { RequestKind } from './request.ts'

export type FaultKind =
  /** Answers 500 InternalError. */
  | 'error-500'
  /** Answers 503 SlowDown. */
  | 'slow-down'
  /** Closes the connection before any answer. */
  | 'reset'
  /** Promises all bytes, sends half of them, and breaks the connection. */
  | 'cut'
  /** A well-formed answer with a byte too few: nothing but its length tells. */
  | 'short'
  /** The right bytes under another ETag. */
  | 'other-etag'
  /** One byte of the answer is flipped: nothing in the answer tells. */
  | 'flip'
  /** Never answers. */
  | 'silence'

export interface FaultShare {
  readonly seed: number
  /** Of the requests, from 0 to 1. */
  readonly share: number
  /** Drawn from with equal chance. */
  readonly faults: readonly FaultKind[]
  /** Absent: requests of every kind. */
  readonly kinds?: readonly RequestKind[]
}

export interface FaultRule {
  readonly kind: RequestKind
  /** Absent: every key. */
  readonly key?: RegExp
  readonly fault: FaultKind
  /** Requests that it strikes, then it is used up. */
  times: number
}

export class Faults {
  /** Tried in order, before the share. */
  readonly rules: FaultRule[] = []
  #share: FaultShare | undefined
  #random = (): number => 1
  #struck = 0

  /** Requests that something was done to. */
  get struck(): number {
    return this.#struck
  }

  /** Undefined: no share. */
  spread(share: FaultShare | undefined): void {
    this.#share = share
    this.#random = mulberry32(share?.seed ?? 0)
  }

  of(kind: RequestKind, key: string): FaultKind | undefined {
    const fault = this.#ruled(kind, key) ?? this.#drawn(kind)
    if (fault !== undefined) this.#struck++
    return fault
  }

  #ruled(kind: RequestKind, key: string): FaultKind | undefined {
    const rule = this.rules.find(each => each.times > 0 && each.kind === kind && (each.key?.test(key) ?? true))
    if (rule !== undefined) rule.times--
    return rule?.fault
  }

  #drawn(kind: RequestKind): FaultKind | undefined {
    const { share = 0, faults = [], kinds } = this.#share ?? {}
    if (kinds?.includes(kind) === false || this.#random() >= share) return undefined
    return faults[Math.floor(this.#random() * faults.length)]
  }
}
