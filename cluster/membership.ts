/**
 * Who is there: an executor's own registration under a lease, and everybody's view of the executors.
 *
 * A registration fences itself by its own clock: it counts from before each keepalive that was answered, so it knows
 * that its lease may be gone before anybody else acts on it. Once the lease is gone, the registration is over: the
 * executor drops its tasks and registers anew, with another incarnation.
 */

import type { Clock } from '../proto/clock.ts'
import { decodeExecutorInfo, encodeExecutorInfo } from '../proto/cluster-values.ts'
import { QueryError } from '../proto/errors.ts'
import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import type { ExecutorId } from '../proto/ids.ts'
import { Follow } from './follow.ts'
import { memberKey, MEMBERS } from './keys.ts'
import type { Entry, Lease, MetadataStore, Revision } from './store.ts'

/** Long enough for garbage collection and a change of the store's leader, short enough to fail over. */
export const LEASE_TTL_MS = 10_000
/** Keepalives within one time to live: one may fail and another be late. */
const KEEPALIVES_PER_TTL = 4
/** Of the time to live, from the last keepalive that was answered: from here on the lease may be gone. */
const FENCE_AT = 0.7
/** Another writer of one's own record is a process that is ending: a few tries outlast it. */
const MAX_SWAPS = 5

export interface RegistrationOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  readonly info: ExecutorInfo
  readonly ttlMs?: number
  /** The lease is gone; called once, and never after `close`. */
  readonly onLost: () => void
}

export class Registration {
  readonly #options: RegistrationOptions
  readonly #lease: Lease
  #info: ExecutorInfo
  #revision: Revision
  /** By the clock: from before the last keepalive that was answered. */
  #heldSinceMs: number
  #over = false
  #cancelTimer: () => void = () => undefined

  private constructor(options: RegistrationOptions, lease: Lease, revision: Revision, heldSinceMs: number) {
    this.#options = options
    this.#info = options.info
    this.#lease = lease
    this.#revision = revision
    this.#heldSinceMs = heldSinceMs
    this.#keepAliveLater()
  }

  /** Writes the record, also over one of an earlier start of the same executor. */
  static async register(options: RegistrationOptions): Promise<Registration> {
    const { store, clock, info, ttlMs = LEASE_TTL_MS } = options
    const heldSinceMs = clock.nowMs()
    const lease = await store.grantLease(ttlMs)
    const revision = await put(store, info, lease)
    return new Registration(options, lease, revision, heldSinceMs)
  }

  /** True if the lease may be gone: no task may start or finish, and no result be handed out. */
  fenced(): boolean {
    const { clock } = this.#options
    return this.#over || clock.nowMs() - this.#heldSinceMs > FENCE_AT * this.#lease.ttlMs
  }

  /** Writes a changed record, such as one that is draining. Throws UNAVAILABLE if the lease is gone. */
  async update(info: ExecutorInfo): Promise<void> {
    if (this.fenced()) throw new QueryError('UNAVAILABLE', `the lease of executor ${info.id} may be gone`)
    const { store } = this.#options
    const key = memberKey(info.id as ExecutorId)
    const revision = await store.compareAndSwap(key, this.#revision, encodeExecutorInfo(info), this.#lease)
    if (revision === null) throw new QueryError('UNAVAILABLE', `another process has registered as executor ${info.id}`)
    this.#revision = revision
    this.#info = info
  }

  get info(): ExecutorInfo {
    return this.#info
  }

  /** Leaves the cluster at once. */
  async close(): Promise<void> {
    if (this.#over) return
    this.#over = true
    this.#cancelTimer()
    await this.#options.store.revokeLease(this.#lease)
  }

  #keepAliveLater(): void {
    const { clock } = this.#options
    this.#cancelTimer = clock.after(this.#lease.ttlMs / KEEPALIVES_PER_TTL, () => { void this.#keepAlive() })
  }

  async #keepAlive(): Promise<void> {
    const { store, clock, onLost } = this.#options
    const sentMs = clock.nowMs()
    // a call that fails says nothing of the lease: the fence does, by the time that has passed
    const alive = await store.keepAlive(this.#lease).catch(() => null)
    if (this.#over) return
    if (alive === true) this.#heldSinceMs = sentMs
    if (alive !== false) return this.#keepAliveLater()
    this.#over = true
    onLost()
  }
}

/** Whoever has the executor's stable id owns its record: an older one is of a process that is gone. */
async function put(store: MetadataStore, info: ExecutorInfo, lease: Lease): Promise<Revision> {
  const key = memberKey(info.id as ExecutorId)
  for (let i = 0; i < MAX_SWAPS; i++) {
    const before = await store.get(key)
    const revision = await store.compareAndSwap(key, before?.revision ?? 0n, encodeExecutorInfo(info), lease)
    if (revision !== null) return revision
  }
  throw new QueryError('UNAVAILABLE', `executor ${info.id} could not register: others write its record`)
}

export type MembershipEvent =
  | { readonly kind: 'joined'; readonly info: ExecutorInfo }
  | { readonly kind: 'changed'; readonly info: ExecutorInfo }
  | { readonly kind: 'left'; readonly info: ExecutorInfo }
  /** It runs another DuckDB: plans, types and hashes would not agree. Not a member. */
  | { readonly kind: 'refused'; readonly info: ExecutorInfo }

export interface MembershipOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  /** Of this process; only executors with the same are members. */
  readonly duckdbVersion: string
  readonly onEvent: (event: MembershipEvent) => void
  /** See FollowOptions.onReach. */
  readonly onReach?: (reason: unknown) => void
}

export class MembershipView {
  readonly #options: MembershipOptions
  readonly #follow: Follow
  #members = new Map<string, ExecutorInfo>()
  /** Told already. */
  #refused = new Set<string>()

  constructor(options: MembershipOptions) {
    const { store, clock, onReach } = options
    this.#options = options
    this.#follow = new Follow({
      store, clock, prefix: MEMBERS, onView: view => this.#update(view), ...(onReach === undefined ? {} : { onReach }),
    })
  }

  /** Resolves once the first list is there. */
  start(): Promise<void> {
    return this.#follow.start()
  }

  members(): readonly ExecutorInfo[] {
    return [...this.#members.values()]
  }

  close(): void {
    this.#follow.close()
  }

  #update(view: ReadonlyMap<string, Entry>): void {
    const { onEvent } = this.#options
    const infos = [...view.values()].flatMap(({ value }) => decodeExecutorInfo(value) ?? [])
    const fitting = infos.filter(info => this.#fits(info))
    this.#refused = new Set(infos.map(startOf).filter(start => this.#refused.has(start)))
    const members = new Map(fitting.map(info => [info.id, info]))
    const before = this.#members
    this.#members = members
    for (const info of before.values()) {
      if (members.get(info.id)?.incarnation !== info.incarnation) onEvent({ kind: 'left', info })
    }
    for (const info of members.values()) {
      const known = before.get(info.id)
      if (known?.incarnation !== info.incarnation) onEvent({ kind: 'joined', info })
      else if (!sameBytes(encodeExecutorInfo(known), encodeExecutorInfo(info))) onEvent({ kind: 'changed', info })
    }
  }

  #fits(info: ExecutorInfo): boolean {
    if (info.duckdbVersion === this.#options.duckdbVersion) return true
    const start = startOf(info)
    if (!this.#refused.has(start)) this.#options.onEvent({ kind: 'refused', info })
    this.#refused.add(start)
    return false
  }
}

function startOf({ id, incarnation }: ExecutorInfo): string {
  return `${id}/${incarnation}`
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
