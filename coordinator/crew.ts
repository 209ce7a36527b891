/**
 * The executors that work for one query: asked to book its memory, ready, refused for now, or lost. A query that runs
 * whole takes one, others all. Decides only whom to ask; the query actor asks.
 */

import type { QueryError } from '../proto/errors.ts'
import type { ExecutorMessage } from './executor-actor.ts'
import type { Member, MemberKey } from './member.ts'

/** Before an executor that had no memory is asked again. */
const ASK_AGAIN_MS = 250

interface Entry {
  readonly member: Member
  readonly state: 'asked' | 'ready' | 'refused'
  readonly notBeforeMs: number
}

export class Crew {
  #wanted: number
  readonly #entries = new Map<MemberKey, Entry>()
  /** Every member that may hold something of the query: to be released at its end. */
  readonly #asked = new Map<MemberKey, Member>()
  #lastRefusal: QueryError | null = null

  /** `wanted`: how many executors; Infinity: all. */
  constructor(wanted: number) {
    this.#wanted = wanted
  }

  get ready(): readonly Member[] {
    return [...this.#entries.values()].filter(({ state }) => state === 'ready').map(({ member }) => member)
  }

  /** Nobody's answer is awaited. */
  get settled(): boolean {
    return [...this.#entries.values()].every(({ state }) => state !== 'asked')
  }

  tell(key: MemberKey, message: ExecutorMessage): void {
    this.#asked.get(key)?.actor.send(message)
  }

  tellAll(message: ExecutorMessage): void {
    for (const { actor } of this.#asked.values()) actor.send(message)
  }

  get lastRefusal(): QueryError | null {
    return this.#lastRefusal
  }

  /** One more, once, for a query that wants one: what the first one lacks another may have. */
  widen(): void {
    if (this.#wanted === 1) this.#wanted = 2
  }

  /** Whom to ask now, of `members`, first in order of preference by `prefer`; they count as asked. */
  ask(members: readonly Member[], prefer: (members: readonly Member[]) => readonly Member[], nowMs: number): Member[] {
    let busy = 0
    for (const { state } of this.#entries.values()) if (state !== 'refused') busy++
    const mayBeAsked = ({ key }: Member): boolean => {
      const entry = this.#entries.get(key)
      return entry === undefined || (entry.state === 'refused' && entry.notBeforeMs <= nowMs)
    }
    if (busy >= this.#wanted || !members.some(mayBeAsked)) return []
    const chosen = prefer(members).filter(mayBeAsked).slice(0, this.#wanted - busy)
    for (const member of chosen) {
      this.#entries.set(member.key, { member, state: 'asked', notBeforeMs: 0 })
      this.#asked.set(member.key, member)
    }
    return chosen
  }

  /** What is new about those that it knows; true if something is. */
  update(members: readonly Member[]): boolean {
    let isNew = false
    for (const member of members) {
      const entry = this.#entries.get(member.key)
      if (entry === undefined || entry.member.info === member.info) continue
      this.#entries.set(member.key, { ...entry, member })
      isNew = true
    }
    return isNew
  }

  agreed(key: MemberKey): void {
    const entry = this.#entries.get(key)
    if (entry?.state === 'asked') this.#entries.set(key, { ...entry, state: 'ready' })
  }

  refused(key: MemberKey, cause: QueryError, nowMs: number): void {
    const entry = this.#entries.get(key)
    this.#lastRefusal = cause
    if (entry?.state !== 'asked') return
    this.#entries.set(key, { ...entry, state: 'refused', notBeforeMs: nowMs + ASK_AGAIN_MS })
  }

  lost(key: MemberKey): void {
    this.#entries.delete(key)
  }
}
