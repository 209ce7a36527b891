/**
 * Which results executors have kept, by their keys; the rows are theirs. What is listed may be gone: its executor gave
 * it up, or could not keep it. Whoever finds it gone says so. In memory alone, so a start begins with none.
 */

import type { QueryId, TaskId } from '../proto/ids.ts'
import type { Member, MemberKey } from './member.ts'

/** The longest unasked goes; some 200 bytes each, and 100 a part. */
const MAX_RESULTS = 10_000

export interface KeptResult {
  readonly query: QueryId
  readonly parts: readonly KeptPart[]
}

export interface KeptPart {
  /** One life of an executor: what it kept before its end is gone. */
  readonly member: MemberKey
  readonly task: TaskId
}

export interface FoundResult extends KeptResult {
  readonly parts: readonly (KeptPart & Pick<Member, 'channel'>)[]
}

/** Since the start. */
export interface ResultCounts {
  /** Queries that might have been answered so: those that were, and those that were not. */
  hits: number
  misses: number
  /** Listed now. */
  results: number
}

export class ResultIndex {
  readonly #results = new Map<string, KeptResult>()
  readonly #counts = { hits: 0, misses: 0 }

  get counts(): ResultCounts {
    return { ...this.#counts, results: this.#results.size }
  }

  /** `members`: the executors that are there. */
  find(key: string, members: readonly Member[]): FoundResult | null {
    const kept = this.#results.get(key)
    this.#results.delete(key)
    const parts = kept?.parts.flatMap(part =>
      members.filter(member => member.key === part.member).map(({ channel }) => ({ ...part, channel })))
    if (kept === undefined || parts?.length !== kept.parts.length) {
      this.#counts.misses++
      return null
    }
    this.#results.set(key, kept)
    this.#counts.hits++
    return { ...kept, parts }
  }

  put(key: string, kept: KeptResult): void {
    this.#results.delete(key)
    this.#results.set(key, kept)
    const [oldest] = this.#results.keys()
    if (this.#results.size > MAX_RESULTS && oldest !== undefined) this.#results.delete(oldest)
  }

  /** What `find` gave was not there. */
  gone(key: string, { query }: KeptResult): void {
    this.#counts.hits--
    this.#counts.misses++
    if (this.#results.get(key)?.query === query) this.#results.delete(key)
  }
}
