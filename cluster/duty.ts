/**
 * Whether a process of the cluster, an executor or a coordinator, takes new queries.
 *
 *   active ──drain──▶ draining ──the last query has gone──▶ drained ──undrain──▶ active
 *                        ▲ └────────undrain──▶ active           │
 *                        └───────────a query all the same───────┘
 *
 * Queries that it works for already go on in any state: their tasks run, what they wrote and their results are served.
 */

import { QueryError, unreachable } from '../proto/errors.ts'
import { ExecutorInfo_State as MemberState } from '../proto/gen/cluster_pb.js'

export type Duty = 'active' | 'draining' | 'drained'
/** idle: it holds no query. */
export type DutyEvent = 'drain' | 'undrain' | 'idle' | 'busy'

export function advance(duty: Duty, event: DutyEvent): Duty {
  switch (event) {
    case 'drain': return duty === 'active' ? 'draining' : duty
    case 'undrain': return 'active'
    case 'idle': return duty === 'draining' ? 'drained' : duty
    case 'busy': return duty === 'drained' ? 'draining' : duty
    default: return unreachable(event)
  }
}

export class DutyKeeper {
  #duty: Duty = 'active'
  #isIdle = true
  /** What it is called in messages: `executor`. */
  readonly #what: string
  readonly #followers: ((duty: Duty) => void)[] = []
  #drained: (() => void)[] = []

  constructor(what: string) {
    this.#what = what
  }

  /** `onChange` is told of every change. */
  follow(onChange: (duty: Duty) => void): void {
    this.#followers.push(onChange)
  }

  get duty(): Duty {
    return this.#duty
  }

  drain(): void {
    this.#take('drain')
    if (this.#isIdle) this.#take('idle')
  }

  undrain(): void {
    this.#take('undrain')
  }

  /** So many queries are held now. */
  held(queries: number): void {
    this.#isIdle = queries === 0
    this.#take(this.#isIdle ? 'idle' : 'busy')
  }

  /** Throws UNAVAILABLE if no new query is taken. */
  check(): void {
    if (this.#duty !== 'active') throw new QueryError('UNAVAILABLE', `the ${this.#what} is ${this.#duty}`)
  }

  /** Resolves when it is drained; a later `undrain` does not undo that. */
  whenDrained(): Promise<void> {
    if (this.#duty === 'drained') return Promise.resolve()
    return new Promise(resolve => { this.#drained.push(resolve) })
  }

  #take(event: DutyEvent): void {
    const before = this.#duty
    this.#duty = advance(before, event)
    if (this.#duty === before) return
    for (const tell of this.#followers) tell(this.#duty)
    if (this.#duty !== 'drained') return
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}

/** As the cluster sees it. */
export function memberState(duty: Duty): MemberState {
  switch (duty) {
    case 'active': return MemberState.ACTIVE
    case 'draining': return MemberState.DRAINING
    case 'drained': return MemberState.DRAINED
    default: return unreachable(duty)
  }
}
