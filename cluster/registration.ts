/**
 * The entry of one process in the cluster, under a lease that it keeps alive.
 *
 *   registering ──▶ held ──the store says that the lease is gone──▶ lost: `onLost`, then registering anew
 *                    │
 *                    ├── no answer of the store: held by its own clock for 0.7 of the lease and `graceMs` more, then
 *                    │   `check` refuses new work until the store answers
 *                    └── another process has written the entry ──▶ usurped: `onUsurped`, for ever
 *
 * Time counts from before a keepalive was sent, and is asked for when work comes, not by a timer: a process that was
 * stopped for a while knows at its first step. Running queries are not touched while the store is away.
 */

import type { Clock } from '../proto/clock.ts'
import { asQueryError, QueryError } from '../proto/errors.ts'
import type { Entry, Lease, MetadataStore, Revision } from './store.ts'

/** Long enough for a garbage collection or a new leader of the store, short enough to fail over. */
export const LEASE_TTL_MS = 10_000
const KEEP_ALIVE_MS = 2_500
/** Of the lease's time, counted from before the keepalive was sent: less than when the store may end it. */
const TRUSTED_SHARE = 0.7
const RETRY_MS = 500
/** Another process may write the entry at the same time. */
const MAX_REGISTER_TRIES = 5

export interface RegistrationOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  readonly key: string
  /** How it is called in messages: `executor e1`. */
  readonly name: string
  /** How long new work is taken while the store does not answer. */
  readonly graceMs: number
  /** The entry as it is to be written now. */
  readonly value: () => Uint8Array
  /** Is this entry, not ours, of a process that lives? Absent: it never is, and is written over. */
  readonly isAlive?: (earlier: Entry) => Promise<boolean>
  /** The lease is gone, and with it what others think of this process; it registers anew when this has resolved. */
  readonly onLost: () => Promise<void> | void
  /** Another process has taken the entry: this one has no place any more. */
  readonly onUsurped: (cause: QueryError) => void
  /** A keepalive failed (a reason), or works again (null); once for each. */
  readonly onReach: (reason: QueryError | null) => void
}

export class Registration {
  readonly #options: RegistrationOptions
  #lease: Lease | null = null
  /** Of the entry as we wrote it. */
  #revision: Revision = 0n
  /** The last that we wrote, or may have written. */
  #tried: Uint8Array = new Uint8Array()
  /** Own time before the last keepalive or grant that succeeded was sent. */
  #confirmedAtMs = -Infinity
  #cancelTimer = (): void => undefined
  #away = false
  #stopped = false
  /** Writes follow each other. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(options: RegistrationOptions) {
    this.#options = options
  }

  /**
   * Resolves when the entry is written. Rejects with UNAVAILABLE if the store cannot be reached, with INVALID_CONFIG
   * if another living process has the entry.
   */
  static async start(options: RegistrationOptions): Promise<Registration> {
    const registration = new Registration(options)
    await registration.#register()
    registration.#schedule(KEEP_ALIVE_MS)
    return registration
  }

  /** Throws UNAVAILABLE when this process has been out of touch with the cluster for too long. */
  check(): void {
    const { name, graceMs } = this.#options
    const silentMs = this.#options.clock.nowMs() - this.#confirmedAtMs
    if (!this.#stopped && silentMs <= LEASE_TTL_MS * TRUSTED_SHARE + graceMs) return
    const why = this.#stopped ? 'is stopping' : `has not reached the store for ${Math.round(silentMs)} ms`
    throw new QueryError('UNAVAILABLE', `${name} ${why}`)
  }

  /** True if the lease may be gone by now: what only its holder may do must wait. */
  get doubtful(): boolean {
    return this.#lease === null || this.#options.clock.nowMs() - this.#confirmedAtMs > LEASE_TTL_MS * TRUSTED_SHARE
  }

  /** Writes `value()` anew. UNAVAILABLE if the store cannot be reached; it is written at the next chance then. */
  update(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#lease === null) return // it is about to be written
      await this.#write(this.#lease)
    })
  }

  /** Takes the entry out, if the store answers. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer()
    const lease = this.#lease
    this.#lease = null
    if (lease !== null) await this.#options.store.revokeLease(lease).catch(() => undefined) // it ends by itself
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run)
    this.#last = result.catch(() => undefined)
    return result
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#inTurn(() => this.#turn()).then(
        () => { this.#reached(null); this.#schedule(KEEP_ALIVE_MS) },
        (reason: unknown) => {
          const cause = asQueryError(reason)
          if (cause.code === 'INVALID_CONFIG') return this.#usurped(cause)
          this.#reached(cause)
          this.#schedule(RETRY_MS)
        })
    })
  }

  async #turn(): Promise<void> {
    const { store, clock, onLost } = this.#options
    const sentAtMs = clock.nowMs()
    if (this.#lease !== null && await store.keepAlive(this.#lease)) {
      await this.#look(this.#lease)
      this.#confirmedAtMs = sentAtMs
      return
    }
    if (this.#stopped) return
    this.#lease = null
    await onLost()
    await this.#register()
  }

  /** Is the entry ours still, and as it should be? One that is gone, as after a restore of the store, is written. */
  async #look(lease: Lease): Promise<void> {
    const { store, key, value } = this.#options
    const now = await store.get(key)
    if (this.#stopped || (now?.revision === this.#revision && Buffer.from(now.value).equals(value()))) return
    if (now !== null && now.revision !== this.#revision && !this.#isOwn(now)) throw this.#taken()
    this.#revision = now?.revision ?? 0n
    await this.#write(lease)
  }

  /** A write of ours that had no answer may have been done. */
  #isOwn({ value }: Entry): boolean {
    return Buffer.from(value).equals(this.#tried) || Buffer.from(value).equals(this.#options.value())
  }

  async #register(): Promise<void> {
    const { store, clock, key, isAlive } = this.#options
    const sentAtMs = clock.nowMs()
    const lease = await store.grantLease(LEASE_TTL_MS)
    try {
      for (let i = 0; i < MAX_REGISTER_TRIES; i++) {
        const earlier = await store.get(key) // of a process before this one, or of ours before a lost answer
        if (earlier !== null && await isAlive?.(earlier) === true) throw this.#taken()
        this.#tried = this.#options.value()
        const revision = await store.compareAndSwap(key, earlier?.revision ?? 0n, this.#tried, lease)
        if (revision === null) continue
        this.#lease = lease
        this.#revision = revision
        this.#confirmedAtMs = sentAtMs
        return
      }
    } catch (error) {
      void store.revokeLease(lease).catch(() => undefined) // it ends by itself
      throw error
    }
    await store.revokeLease(lease)
    throw this.#taken()
  }

  async #write(lease: Lease): Promise<void> {
    const { store, key, value } = this.#options
    this.#tried = value()
    const revision = await store.compareAndSwap(key, this.#revision, this.#tried, lease)
    if (this.#stopped) return // the entry went, or goes, with the lease
    if (revision === null) throw this.#taken()
    this.#revision = revision
  }

  #taken(): QueryError {
    const { name } = this.#options
    return new QueryError('INVALID_CONFIG', `another process is ${name} already: is data_dir a copy of another's?`)
  }

  #usurped(cause: QueryError): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#options.onUsurped(cause)
  }

  #reached(reason: QueryError | null): void {
    const away = reason !== null
    if (away === this.#away || this.#stopped) return
    this.#away = away
    this.#options.onReach(reason)
  }
}
