/**
 * One query's part in the sharing of results: reads the one that another query left, if there is one, and leaves its
 * own to the next. What is read so goes through the query's relay like any result.
 */

import { asQueryError, QueryError } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { QueryId, TaskId } from '../proto/ids.ts'
import type { Member, MemberKey } from './member.ts'
import type { Fetch } from './result-part.ts'
import type { FoundResult, KeptPart, ResultIndex } from './result-index.ts'
import type { ResultRelay } from './result-relay.ts'

/** The attempt as which a relay reads another query's result; those of tasks begin at 0. */
export const SERVED = -2

export class SharedResult {
  readonly #results: ResultIndex
  readonly #relay: ResultRelay
  readonly #key: string | null
  #served: FoundResult | null = null

  /** `key`: of the query's result; null: it is not shared. */
  constructor(results: ResultIndex, relay: ResultRelay, key: string | null) {
    this.#results = results
    this.#relay = relay
    this.#key = key
  }

  /** It could be another's. */
  get isAllowed(): boolean {
    return this.#key !== null
  }

  /** Another's is read for it. */
  get isServed(): boolean {
    return this.#served !== null
  }

  isServedBy(member: MemberKey): boolean {
    return this.#served?.parts.some(part => part.member === member) === true
  }

  /** Begins to read another's, whose parts begin with `lead` and may follow each other. False: there is none. */
  find(members: readonly Member[], lead: readonly RawFlightData[], isInOrder: boolean): boolean {
    const found = this.#key === null ? null : this.#results.find(this.#key, members)
    this.#served = found
    if (found === null) return false
    this.#relay.expect(found.parts.length, lead, isInOrder)
    return found.parts.every((part, i) => this.#relay.begin(i, SERVED, fetchKept(found.query, part)))
  }

  /** What was read is not there any more, before all of it was here. False: rows of it have gone out. */
  lost(): boolean {
    if (this.#served !== null && this.#key !== null) this.#results.gone(this.#key, this.#served)
    this.#served = null
    return this.#relay.expect(1, [])
  }

  /** The query's own is complete at executors that will be told to keep it: gives the tasks. */
  leave(query: QueryId, parts: readonly KeptPart[]): readonly TaskId[] {
    if (this.#key === null || this.isServed || parts.length === 0) return []
    this.#results.put(this.#key, { query, parts })
    return parts.map(({ task }) => task)
  }
}

/** A kept result that is not there any more will not come: there is nothing to wait for. */
function fetchKept(query: QueryId, { task, channel }: FoundResult['parts'][number]): Fetch {
  return async function* (fromFrame, signal) {
    try {
      yield* channel.fetchResult(query, task, fromFrame, signal)
    } catch (thrown) {
      const error = asQueryError(thrown)
      if (error.code !== 'NOT_FOUND') throw error
      throw new QueryError('EXECUTOR_LOST', 'the kept result is gone', { cause: error })
    }
  }
}
