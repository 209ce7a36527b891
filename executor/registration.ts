/**
 * This executor's entry in the cluster, under a lease that it keeps alive. When the lease is lost it registers anew, in
 * the same incarnation: its files are still there. With the store away it goes on for a while by its own clock, so that
 * a restart of the store costs nothing; after that it takes no new work. Running queries are not touched by any of it.
 */

import { memberKey } from '../cluster/keys.ts'
import type { Lease, MetadataStore } from '../cluster/store.ts'
import type { Clock } from '../proto/clock.ts'
import { encodeExecutorInfo } from '../proto/cluster-values.ts'
import { QueryError } from '../proto/errors.ts'
import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import type { ExecutorId } from '../proto/ids.ts'
import type { Log } from './log.ts'

/** Long enough for a garbage collection or a new leader, short enough to fail over. */
const LEASE_TTL_MS = 10_000
const KEEP_ALIVE_MS = 2_500
/** Of the lease's time, counted from before the keepalive was sent: less than when the store may end it. */
const TRUSTED_SHARE = 0.7
/** How long new work is taken while the store does not answer. */
const STORE_GRACE_MS = 60_000
const RETRY_MS = 500
/** Another process of the same id may hold the key until its lease ends. */
const MAX_REGISTER_TRIES = 5

export interface RegistrationOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  readonly log: Log
  readonly info: ExecutorInfo
}

export class Registration {
  readonly #options: RegistrationOptions
  #lease: Lease | null = null
  /** Own time before the last keepalive or grant that succeeded was sent. */
  #confirmedAtMs = -Infinity
  #cancelTimer = (): void => undefined
  #stopped = false

  private constructor(options: RegistrationOptions) {
    this.#options = options
  }

  /** Resolves when the entry is written. Rejects with UNAVAILABLE if the store cannot be reached. */
  static async start(options: RegistrationOptions): Promise<Registration> {
    const registration = new Registration(options)
    await registration.#register()
    registration.#schedule(KEEP_ALIVE_MS)
    return registration
  }

  /** Throws UNAVAILABLE when this executor has been out of touch with the cluster for too long. */
  check(): void {
    const silentMs = this.#options.clock.nowMs() - this.#confirmedAtMs
    if (!this.#stopped && silentMs <= LEASE_TTL_MS * TRUSTED_SHARE + STORE_GRACE_MS) return
    const why = this.#stopped ? 'is stopping' : `has not reached the store for ${Math.round(silentMs)} ms`
    throw new QueryError('UNAVAILABLE', `executor ${this.#options.info.id} ${why}`)
  }

  /** Takes the entry out, if the store answers. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer()
    const lease = this.#lease
    this.#lease = null
    if (lease !== null) await this.#options.store.revokeLease(lease).catch(() => undefined) // it ends by itself
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#turn().then(() => this.#schedule(KEEP_ALIVE_MS), (error: unknown) => {
        this.#options.log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'no keepalive')
        this.#schedule(RETRY_MS)
      })
    })
  }

  async #turn(): Promise<void> {
    const { store, clock, log } = this.#options
    const sentAtMs = clock.nowMs()
    if (this.#lease !== null && await store.keepAlive(this.#lease)) {
      this.#confirmedAtMs = sentAtMs
      return
    }
    if (this.#stopped) return
    log.warn({}, 'lease lost, registering anew')
    this.#lease = null
    await this.#register()
  }

  async #register(): Promise<void> {
    const { store, clock, info } = this.#options
    const key = memberKey(info.id as ExecutorId)
    const sentAtMs = clock.nowMs()
    const lease = await store.grantLease(LEASE_TTL_MS)
    for (let i = 0; i < MAX_REGISTER_TRIES; i++) {
      const earlier = await store.get(key) // of a process before this one, or of ours before a lost answer
      if (await store.compareAndSwap(key, earlier?.revision ?? 0n, encodeExecutorInfo(info), lease) === null) continue
      this.#lease = lease
      this.#confirmedAtMs = sentAtMs
      return
    }
    await store.revokeLease(lease)
    throw new QueryError('UNAVAILABLE', `another process registers as executor ${info.id}`)
  }
}
