/** Memory of this executor booked by queries of several coordinators, so that they cannot promise it twice. */

import { QueryError } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'

export class Reservations {
  readonly #totalBytes: number
  readonly #byQuery = new Map<QueryId, number>()
  #bookedBytes = 0

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes
  }

  get bookedBytes(): number {
    return this.#bookedBytes
  }

  /** Books once for a query: asking again, whatever the number, changes nothing. EXECUTOR_FULL if it does not fit. */
  book(queryId: QueryId, byteCount: number): void {
    if (this.#byQuery.has(queryId)) return
    if (this.#bookedBytes + byteCount > this.#totalBytes) {
      const free = `${this.#totalBytes - this.#bookedBytes} of ${this.#totalBytes}`
      throw new QueryError('EXECUTOR_FULL', `${byteCount} bytes asked for, ${free} are free`)
    }
    this.#byQuery.set(queryId, byteCount)
    this.#bookedBytes += byteCount
  }

  free(queryId: QueryId): void {
    this.#bookedBytes -= this.#byQuery.get(queryId) ?? 0
    this.#byQuery.delete(queryId)
  }
}
