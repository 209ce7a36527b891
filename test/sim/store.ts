/** The metadata store in the simulation's memory and time, and the way of one process to it, which may fail. */

import type { Change, Entry, Guard, Lease, MetadataStore, Revision } from '../../cluster/store.ts'
import { delay } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { Simulation } from './simulation.ts'

interface Kept extends Entry {
  readonly leaseId: bigint
}

/** A call that has no answer by then has failed, as with the real ones. */
const CALL_DEADLINE_MS = 1_000

export class SimulatedStore {
  readonly entries = new Map<string, Kept>()
  /** Values of keys that went with their leases. */
  readonly ended: Uint8Array[] = []
  readonly #simulation: Simulation
  readonly #leases = new Map<bigint, () => void>()
  readonly #watches = new Set<(change: Change) => void>()
  #revision = 0n
  #ids = 0n

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  get revision(): Revision {
    return this.#revision
  }

  compareAndSwap(
    key: string, expected: Revision, value: Uint8Array | null, lease?: Lease, guard?: Guard,
  ): Revision | null {
    if ((this.entries.get(key)?.revision ?? 0n) !== expected) return null
    if (guard !== undefined && (this.entries.get(guard.key)?.revision ?? 0n) !== guard.revision) return null
    if (lease !== undefined && !this.#leases.has(lease.leaseId)) throw new QueryError('UNAVAILABLE', 'no such lease')
    return this.#write(key, value, lease?.leaseId ?? 0n)
  }

  #write(key: string, value: Uint8Array | null, leaseId: bigint): Revision {
    const revision = ++this.#revision
    if (value === null) this.entries.delete(key)
    else this.entries.set(key, { key, value, revision, leaseId })
    for (const tell of this.#watches) tell({ key, value, revision })
    return revision
  }

  grant(ttlMs: number): Lease {
    const leaseId = ++this.#ids
    this.#prolong({ leaseId, ttlMs })
    return { leaseId, ttlMs }
  }

  keepAlive(lease: Lease): boolean {
    if (!this.#leases.has(lease.leaseId)) return false
    this.#prolong(lease)
    return true
  }

  #prolong(lease: Lease): void {
    this.#leases.get(lease.leaseId)?.()
    this.#leases.set(lease.leaseId, this.#simulation.clock.after(lease.ttlMs, () => this.end(lease)))
  }

  end({ leaseId }: Lease): void {
    this.#leases.get(leaseId)?.()
    this.#leases.delete(leaseId)
    for (const { key, value, leaseId: own } of [...this.entries.values()]) {
      if (own !== leaseId) continue
      this.ended.push(value)
      this.#write(key, null, 0n)
    }
  }

  watch(tell: (change: Change) => void): () => void {
    this.#watches.add(tell)
    return () => { this.#watches.delete(tell) }
  }
}

export class StoreLink implements MetadataStore {
  /** Which way nothing comes through. */
  cut: 'none' | 'requests' | 'answers' | 'both' = 'none'
  /** Of a call to be lost, on either way. */
  loss = 0
  readonly #simulation: Simulation
  readonly #store: SimulatedStore
  readonly #breaks = new Set<() => void>()

  constructor(simulation: Simulation, store: SimulatedStore) {
    this.#simulation = simulation
    this.#store = store
  }

  get(key: string): Promise<Entry | null> {
    return this.#call(() => this.#store.entries.get(key) ?? null)
  }

  list(prefix: string): Promise<{ entries: Entry[]; revision: Revision }> {
    return this.#call(() => ({
      entries: [...this.#store.entries.values()].filter(({ key }) => key.startsWith(prefix)),
      revision: this.#store.revision,
    }))
  }

  compareAndSwap(
    key: string, expected: Revision, value: Uint8Array | null, lease?: Lease, guard?: Guard,
  ): Promise<Revision | null> {
    return this.#call(() => this.#store.compareAndSwap(key, expected, value, lease, guard))
  }

  grantLease(ttlMs: number): Promise<Lease> {
    return this.#call(() => this.#store.grant(ttlMs))
  }

  keepAlive(lease: Lease): Promise<boolean> {
    return this.#call(() => this.#store.keepAlive(lease))
  }

  revokeLease(lease: Lease): Promise<void> {
    return this.#call(() => this.#store.end(lease))
  }

  /** Without history: what came between the list and the watch is seen at the next list. */
  watch(
    prefix: string, _after: Revision,
    onChanges: (changes: readonly Change[]) => void, onError: (reason: unknown) => void,
  ): () => void {
    const end = (): void => {
      unwatch()
      this.#breaks.delete(broken)
    }
    const broken = (): void => {
      end()
      onError(new QueryError('UNAVAILABLE', 'the watch broke'))
    }
    const unwatch = this.#store.watch(change => {
      if (!change.key.startsWith(prefix)) return
      if (this.cut !== 'none' || this.#simulation.chance(this.loss)) broken()
      else onChanges([change])
    })
    this.#breaks.add(broken)
    return end
  }

  async close(): Promise<void> {
    this.#breaks.clear()
  }

  async #call<T>(work: () => T): Promise<T> {
    const { clock } = this.#simulation
    const isLost = (way: 'requests' | 'answers'): boolean =>
      this.cut === way || this.cut === 'both' || this.#simulation.chance(this.loss)
    const lost = async (): Promise<never> => {
      await delay(clock, CALL_DEADLINE_MS)
      throw new QueryError('UNAVAILABLE', 'the store does not answer')
    }
    if (isLost('requests')) return lost()
    await delay(clock, this.#simulation.draw(1, 30))
    const answer = work()
    if (isLost('answers')) return lost()
    await delay(clock, this.#simulation.draw(1, 30))
    return answer
  }
}
