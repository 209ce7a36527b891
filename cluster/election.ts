/**
 * One holder of an office among several candidates: whoever writes the office's key first, for as long as its lease
 * lives. Who holds it knows by its own clock when it may hold it no more, and names its term in every write, so that a
 * store refuses what a holder writes that was stopped for a while and does not know of its successor.
 *
 *   candidate ──the key is absent──▶ holder ──lease gone, or doubtful──▶ candidate
 */

import type { Clock } from '../proto/clock.ts'
import { electionKey } from './keys.ts'
import type { Guard, Lease, MetadataStore, Revision } from './store.ts'

const LEASE_TTL_MS = 10_000
/** Between looks at the key, and between keepalives. */
const TURN_MS = 2_500
/** Of the lease, counted from before the last keepalive that was answered. */
const TRUSTED_SHARE = 0.7

export interface ElectionOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  readonly office: string
  /** Who holds it, for people who look. */
  readonly candidate: string
  /** Told of each change. */
  readonly onChange: (isHolder: boolean) => void
}

interface Held {
  readonly lease: Lease
  readonly revision: Revision
  readonly confirmedAtMs: number
}

export class Election {
  readonly #options: ElectionOptions
  readonly #key: string
  #held: Held | null = null
  #told = false
  #stopped = false
  #cancelTimer: () => void = () => undefined
  #turning: Promise<void> = Promise.resolve()

  /** Begins to look at once. */
  constructor(options: ElectionOptions) {
    this.#options = options
    this.#key = electionKey(options.office)
    this.#run()
  }

  /** What a write of the holder has to name; null: not the holder, or not certain of it. */
  term(): Guard | null {
    const held = this.#held
    if (held === null) return null
    const silentMs = this.#options.clock.nowMs() - held.confirmedAtMs
    return silentMs > LEASE_TTL_MS * TRUSTED_SHARE ? null : { key: this.#key, revision: held.revision }
  }

  /** Gives the office up, if the store answers: the next one need not wait for the lease. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer()
    await this.#turning
    const held = this.#held
    this.#held = null
    this.#tell()
    if (held !== null) await this.#options.store.revokeLease(held.lease).catch(() => undefined) // it ends by itself
  }

  #run(): void {
    this.#turning = this.#turn().catch(() => undefined).then(() => { // the store is away: `term` tells by the time
      this.#tell()
      if (!this.#stopped) this.#cancelTimer = this.#options.clock.after(TURN_MS, () => this.#run())
    })
  }

  async #turn(): Promise<void> {
    const { store, clock } = this.#options
    const sentAtMs = clock.nowMs()
    const held = this.#held
    if (held === null) return this.#seek()
    this.#held = await store.keepAlive(held.lease) ? { ...held, confirmedAtMs: sentAtMs } : null
  }

  async #seek(): Promise<void> {
    const { store, clock, candidate } = this.#options
    if (await store.get(this.#key) !== null || this.#stopped) return
    const confirmedAtMs = clock.nowMs()
    const lease = await store.grantLease(LEASE_TTL_MS)
    try {
      const revision = await store.compareAndSwap(this.#key, 0n, Buffer.from(candidate), lease)
      if (revision === null) await store.revokeLease(lease)
      else this.#held = { lease, revision, confirmedAtMs }
    } catch (error) {
      void store.revokeLease(lease).catch(() => undefined) // also if it was written: nobody knows that we hold it
      throw error
    }
  }

  #tell(): void {
    const isHolder = this.term() !== null
    if (isHolder === this.#told) return
    this.#told = isHolder
    this.#options.onChange(isHolder)
  }
}
