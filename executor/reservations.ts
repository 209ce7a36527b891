/** Memory of this executor booked by queries of several coordinators, so that they cannot promise it twice. */

import { QueryError } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'

export interface MemoryShares {
  readonly totalBytes: number
  /** What queries with an instance of their own may book together. */
  readonly leasableBytes: number
  /** A query that books more gets an instance of its own. */
  readonly leaseBytes: number
}

/** Of the memory: what queries that want more than that themselves leave to those that want less. */
const SMALL_SHARE = 1 / 8

interface Booking {
  readonly byteCount: number
  readonly leased: boolean
}

export class Reservations {
  readonly #shares: MemoryShares
  readonly #byQuery = new Map<QueryId, Booking>()

  constructor(shares: MemoryShares) {
    this.#shares = shares
  }

  get bookedBytes(): number {
    return sum([...this.#byQuery.values()])
  }

  /** Books once for a query: asking again, whatever the number, changes nothing. EXECUTOR_FULL if it does not fit. */
  book(queryId: QueryId, wantedBytes: number): void {
    if (this.#byQuery.has(queryId)) return
    const { totalBytes, leasableBytes, leaseBytes } = this.#shares
    const leased = wantedBytes > leaseBytes
    const byteCount = leased ? Math.min(wantedBytes, leasableBytes) : wantedBytes
    const others = [...this.#byQuery.values()]
    const isLarge = byteCount > totalBytes * SMALL_SHARE
    const large = others.filter(other => other.byteCount > totalBytes * SMALL_SHARE)
    check(byteCount, sum(others), totalBytes)
    if (isLarge && large.length > 0) check(byteCount, sum(large), totalBytes * (1 - SMALL_SHARE))
    if (leased) check(byteCount, sum(others.filter(other => other.leased)), leasableBytes)
    this.#byQuery.set(queryId, { byteCount, leased })
  }

  free(queryId: QueryId): void {
    this.#byQuery.delete(queryId)
  }
}

function sum(bookings: readonly Booking[]): number {
  return bookings.reduce((total, { byteCount }) => total + byteCount, 0)
}

function check(byteCount: number, takenBytes: number, ofBytes: number): void {
  if (takenBytes + byteCount <= ofBytes) return
  const free = `${ofBytes - takenBytes} of ${ofBytes}`
  throw new QueryError('EXECUTOR_FULL', `${byteCount} bytes asked for, ${free} are free`)
}
