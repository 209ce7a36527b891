/**
 * The metadata store of one box: in memory, with every change in a journal first. What a call has answered survives a
 * crash; revisions never go back. Leases survive a restart with their full time to live, as etcd's do; time is the
 * given clock's. Reads see the last change that is on the disk.
 */

import type { Clock } from '../proto/clock.ts'
import { asQueryError, QueryError } from '../proto/errors.ts'
import { Journal } from './journal.ts'
import {
  MAX_VALUE_BYTES, type Change, type Entry, type Guard, type Lease, type MetadataStore, type Revision,
} from './store.ts'

/** Changes kept for watches that start in the past; older ones: list anew. */
const MAX_HISTORY = 10_000
/** The journal is written anew when it is so large, and mostly of the past. */
const COMPACT_FROM_BYTES = 1024 * 1024
const COMPACT_FACTOR = 4

/** As in the journal. Bigints are decimal text, values base64. */
type JournalRecord =
  | {
    readonly op: 'put'; readonly key: string; readonly value: string; readonly revision: string
    readonly lease?: string
  }
  | { readonly op: 'delete'; readonly key: string; readonly revision: string }
  | { readonly op: 'grant'; readonly lease: string; readonly ttlMs: number }
  | { readonly op: 'end'; readonly lease: string }
  /** Heads a compacted journal: where counting goes on. */
  | { readonly op: 'state'; readonly revision: string; readonly lastLease: string }

interface Cell extends Entry {
  readonly leaseId: bigint | null
}

interface LeaseState {
  readonly ttlMs: number
  untilMs: number
  cancelTimer: () => void
}

interface Watcher {
  readonly prefix: string
  readonly onChanges: (changes: readonly Change[]) => void
  readonly onError: (reason: unknown) => void
}

export class EmbeddedStore implements MetadataStore {
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #cells = new Map<string, Cell>()
  readonly #leases = new Map<bigint, LeaseState>()
  readonly #watchers = new Set<Watcher>()
  #history: Change[] = []
  /** Changes up to this one are not in the history. */
  #historyAfter: Revision = 0n
  #revision: Revision = 0n
  #lastLease = 0n
  #liveBytes = 0
  #closed = false
  /** Changes happen one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(journal: Journal, clock: Clock) {
    this.#journal = journal
    this.#clock = clock
  }

  /** Opens the store in `path`, or makes it. FILE_CORRUPT if the journal is damaged. */
  static async open(path: string, clock: Clock): Promise<EmbeddedStore> {
    const { journal, records } = await Journal.open(path)
    const store = new EmbeddedStore(journal, clock)
    for (const record of records) store.#apply(record as JournalRecord)
    store.#history = []
    store.#historyAfter = store.#revision
    for (const leaseId of store.#leases.keys()) store.#renew(leaseId)
    return store
  }

  get(key: string): Promise<Entry | null> {
    return this.#reading(() => this.#cells.get(key) ?? null)
  }

  list(prefix: string): Promise<{ readonly entries: readonly Entry[]; readonly revision: Revision }> {
    return this.#reading(() => {
      const entries = [...this.#cells.values()].filter(({ key }) => key.startsWith(prefix))
      return { entries: entries.sort((a, b) => a.key < b.key ? -1 : 1), revision: this.#revision }
    })
  }

  compareAndSwap(
    key: string, expected: Revision, value: Uint8Array | null, lease?: Lease, guard?: Guard,
  ): Promise<Revision | null> {
    return this.#changing(async () => {
      if (value !== null && value.length > MAX_VALUE_BYTES) {
        throw new QueryError(
          'INVALID_REQUEST', `the value of ${key} has ${value.length} bytes, more than ${MAX_VALUE_BYTES}`,
        )
      }
      if (this.#revisionOf(key) !== expected) return null
      if (guard !== undefined && this.#revisionOf(guard.key) !== guard.revision) return null
      if (lease !== undefined && !this.#leases.has(lease.leaseId)) {
        throw new QueryError('NOT_FOUND', `lease ${lease.leaseId} is gone`)
      }
      if (value === null && expected === 0n) return this.#revision
      const revision = this.#revision + 1n
      await this.#commit([value === null ? { op: 'delete', key, revision: String(revision) } : {
        op: 'put', key, value: Buffer.from(value).toString('base64'), revision: String(revision),
        ...(lease === undefined ? {} : { lease: String(lease.leaseId) }),
      }])
      return revision
    })
  }

  grantLease(ttlMs: number): Promise<Lease> {
    return this.#changing(async () => {
      const leaseId = this.#lastLease + 1n
      await this.#commit([{ op: 'grant', lease: String(leaseId), ttlMs }])
      this.#renew(leaseId)
      return { leaseId, ttlMs }
    })
  }

  keepAlive({ leaseId }: Lease): Promise<boolean> {
    return this.#reading(() => this.#renew(leaseId))
  }

  revokeLease({ leaseId }: Lease): Promise<void> {
    return this.#changing(() => this.#endLease(leaseId))
  }

  watch(
    prefix: string, after: Revision,
    onChanges: (changes: readonly Change[]) => void, onError: (reason: unknown) => void,
  ): () => void {
    const watcher: Watcher = { prefix, onChanges, onError }
    if (this.#closed) {
      onError(closedError())
    } else if (after < this.#historyAfter) {
      onError(new QueryError('NOT_FOUND', `changes after revision ${after} are not kept`))
    } else {
      this.#watchers.add(watcher)
      this.#tell(watcher, this.#history.filter(({ revision }) => revision > after))
    }
    return () => { this.#watchers.delete(watcher) }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const lease of this.#leases.values()) lease.cancelTimer()
    for (const { onError } of this.#watchers) onError(closedError())
    this.#watchers.clear()
    await this.#last.catch(() => undefined) // whoever asked for that change was told
    await this.#journal.close()
  }

  #revisionOf(key: string): Revision {
    return this.#cells.get(key)?.revision ?? 0n
  }

  #reading<T>(read: () => T): Promise<T> {
    return this.#closed ? Promise.reject(closedError()) : Promise.resolve(read())
  }

  #changing<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      if (this.#closed) throw closedError()
      return change()
    })
    this.#last = result.catch(() => undefined)
    return result
  }

  async #commit(records: readonly JournalRecord[]): Promise<void> {
    await this.#journal.append(records)
    const changes = records.flatMap(record => this.#apply(record) ?? [])
    for (const watcher of this.#watchers) this.#tell(watcher, changes)
    const { sizeBytes } = this.#journal
    if (sizeBytes < COMPACT_FROM_BYTES || sizeBytes < COMPACT_FACTOR * this.#liveBytes) return
    // the journal as it is still holds everything: a failure only leaves it long
    await this.#journal.replace(this.#snapshot()).catch(() => undefined)
  }

  #tell({ prefix, onChanges }: Watcher, changes: readonly Change[]): void {
    const own = changes.filter(({ key }) => key.startsWith(prefix))
    if (own.length > 0) onChanges(own)
  }

  #snapshot(): JournalRecord[] {
    return [
      { op: 'state', revision: String(this.#revision), lastLease: String(this.#lastLease) },
      ...[...this.#leases].map(
        ([leaseId, { ttlMs }]): JournalRecord => ({ op: 'grant', lease: String(leaseId), ttlMs }),
      ),
      ...[...this.#cells.values()].map(({ key, value, revision, leaseId }): JournalRecord => ({
        op: 'put', key, value: Buffer.from(value).toString('base64'), revision: String(revision),
        ...(leaseId === null ? {} : { lease: String(leaseId) }),
      })),
    ]
  }

  /** The state after one record; answers the change that watches see. */
  #apply(record: JournalRecord): Change | null {
    switch (record.op) {
      case 'put': {
        const { key, lease } = record
        const [revision, value] = [BigInt(record.revision), Buffer.from(record.value, 'base64')]
        this.#forget(key)
        this.#cells.set(key, { key, value, revision, leaseId: lease === undefined ? null : BigInt(lease) })
        this.#liveBytes += cellBytes(key, value)
        return this.#changed({ key, value, revision })
      }
      case 'delete':
        this.#forget(record.key)
        return this.#changed({ key: record.key, value: null, revision: BigInt(record.revision) })
      case 'grant':
        this.#lastLease = max(this.#lastLease, BigInt(record.lease))
        this.#leases.set(BigInt(record.lease), { ttlMs: record.ttlMs, untilMs: 0, cancelTimer: () => undefined })
        return null
      case 'end':
        this.#leases.get(BigInt(record.lease))?.cancelTimer()
        this.#leases.delete(BigInt(record.lease))
        return null
      case 'state':
        this.#revision = BigInt(record.revision)
        this.#lastLease = BigInt(record.lastLease)
        return null
      default: throw new QueryError('FILE_CORRUPT', `the journal holds an unknown record ${JSON.stringify(record)}`)
    }
  }

  #forget(key: string): void {
    const cell = this.#cells.get(key)
    if (cell === undefined) return
    this.#liveBytes -= cellBytes(key, cell.value)
    this.#cells.delete(key)
  }

  #changed(change: Change): Change {
    this.#revision = max(this.#revision, change.revision)
    this.#history.push(change)
    if (this.#history.length <= MAX_HISTORY) return change
    this.#historyAfter = this.#history[MAX_HISTORY / 2]?.revision ?? this.#revision
    this.#history = this.#history.slice(MAX_HISTORY / 2 + 1)
    return change
  }

  #renew(leaseId: bigint): boolean {
    const lease = this.#leases.get(leaseId)
    if (lease === undefined) return false
    lease.cancelTimer()
    lease.untilMs = this.#clock.nowMs() + lease.ttlMs
    lease.cancelTimer = this.#clock.after(lease.ttlMs, () => {
      this.#changing(async () => {
        // renewed while this waited for its turn
        if (this.#clock.nowMs() >= lease.untilMs) await this.#endLease(leaseId)
      }).catch((reason: unknown) => { if (!this.#closed) this.#watchersFail(reason) })
    })
    return true
  }

  /** Its keys go first, in one write with it. */
  async #endLease(leaseId: bigint): Promise<void> {
    if (!this.#leases.has(leaseId)) return
    let revision = this.#revision
    const deletes = [...this.#cells.values()].filter(cell => cell.leaseId === leaseId)
      .map(({ key }): JournalRecord => ({ op: 'delete', key, revision: String(++revision) }))
    await this.#commit([...deletes, { op: 'end', lease: String(leaseId) }])
  }

  /** A lease could not be ended on the disk: whoever relies on watches has to look for itself. */
  #watchersFail(reason: unknown): void {
    const watchers = [...this.#watchers]
    this.#watchers.clear()
    for (const { onError } of watchers) onError(asQueryError(reason))
  }
}

function cellBytes(key: string, value: Uint8Array): number {
  return key.length + value.length + 64
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function closedError(): QueryError {
  return new QueryError('UNAVAILABLE', 'the metadata store is closed')
}
