/**
 * What an executor does about itself when it cannot go on as it is: it says why, and drains, so that queries go on
 * elsewhere.
 *
 *   its disk is full     until there is room again
 *   its DuckDB failed    (fatal: the instance refuses everything from then on) until nobody needs it; then the process
 *                        ends, for its supervisor to start it again: what else such a failure has spoiled in its
 *                        memory nobody knows. New instances serve until then what it has.
 *
 * A disk is full when the file system says so; a query that outgrows `node.spill` is that query's trouble. DuckDB's
 * failure in the instance that one session owns is that session's: a database file that is damaged leads to it, which
 * must not end one executor after another.
 */

import type { DutyKeeper } from '../cluster/duty.ts'
import type { Clock } from '../proto/clock.ts'
import type { QueryError } from '../proto/errors.ts'

/** Between looks at a disk that was full. */
const LOOK_MS = 1_000
/** Of the disk, to be free before work is taken again: less would be used up by the next tasks at once. */
export const FREE_SHARE = 0.1

export interface TroublesOptions {
  readonly clock: Clock
  readonly duty: DutyKeeper
  /** Of the disk that it works on: what is free, 0 to 1. */
  readonly freeShare: () => Promise<number>
  /** Told when the reason changes; `duty` tells of its own changes. */
  readonly onChange: (reason: string) => void
  /** Nobody needs the process any more, and it must not go on. */
  readonly onUnfit: (cause: QueryError) => void
}

export class Troubles {
  readonly #options: TroublesOptions
  #reason = ''
  #isUnfit = false
  #cancelLook = (): void => undefined

  constructor(options: TroublesOptions) {
    this.#options = options
  }

  /** Why it drains itself; empty: it does not. */
  get reason(): string {
    return this.#reason
  }

  diskFull(cause: QueryError): void {
    if (this.#reason !== '') return
    this.#drain(`disk full: ${cause.message}`)
    this.#lookLater()
  }

  duckdbFailed(cause: QueryError): void {
    if (this.#isUnfit) return
    this.#isUnfit = true
    this.#cancelLook()
    this.#drain(`DuckDB failed: ${cause.message}`)
    void this.#options.duty.whenDrained().then(() => this.#options.onUnfit(cause))
  }

  stop(): void {
    this.#cancelLook()
  }

  #drain(reason: string): void {
    this.#become(reason)
    this.#options.duty.drain()
  }

  #become(reason: string): void {
    this.#reason = reason
    this.#options.onChange(reason)
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.clock.after(LOOK_MS, () => { void this.#look() })
  }

  async #look(): Promise<void> {
    const free = await this.#options.freeShare().catch(() => 0)
    if (this.#isUnfit) return
    if (free < FREE_SHARE) return this.#lookLater()
    this.#become('')
    this.#options.duty.undrain()
  }
}

/** Has the file system, not a limit of ours, refused it? */
export function isDiskFull(thrown: unknown): thrown is Error {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return true
    if (/no space left on device|disk quota exceeded/i.test(error.message)) return true
  }
  return false
}
