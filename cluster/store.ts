/**
 * The metadata store: small values under keys, changed by compare-and-swap, with leases and watches; etcd's model and
 * words. Two implementations: embedded (one box) and etcd (a cluster). Values stay under 64 KB.
 */

/** Larger things belong in a bucket. */
export const MAX_VALUE_BYTES = 64 * 1024

/** Grows with every change of the store; 0 means "absent" in comparisons. */
export type Revision = bigint

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  /** Of the last change of this key. */
  readonly revision: Revision
}

export interface Lease {
  readonly leaseId: bigint
  readonly ttlMs: number
}

/** What else must hold for a write: the last change of `key` is `revision` (0: absent). */
export interface Guard {
  readonly key: string
  readonly revision: Revision
}

/** A key was written (value) or removed or its lease ended (null). */
export interface Change {
  readonly key: string
  readonly value: Uint8Array | null
  readonly revision: Revision
}

export interface MetadataStore {
  get(key: string): Promise<Entry | null>
  /** All entries below `prefix`, by key, and the store's revision they were read at. */
  list(prefix: string): Promise<{ readonly entries: readonly Entry[]; readonly revision: Revision }>
  /**
   * Writes (or with null removes) `key` if its revision is `expected` (0: absent). Answers the new revision, or null
   * if another was faster or the guard does not hold. A value under a lease goes when the lease does. UNAVAILABLE: it
   * may have been done.
   */
  compareAndSwap(
    key: string, expected: Revision, value: Uint8Array | null, lease?: Lease, guard?: Guard,
  ): Promise<Revision | null>
  /** The lease's time to live may be longer than asked for. */
  grantLease(ttlMs: number): Promise<Lease>
  /** False if the lease is gone: its keys are gone too, and a new lease is needed. */
  keepAlive(lease: Lease): Promise<boolean>
  revokeLease(lease: Lease): Promise<void>
  /**
   * Calls back with the changes below `prefix` after `revision`, in order. `onError` is called once when the watch
   * cannot go on: then list and watch anew. The returned function ends the watch.
   */
  watch(
    prefix: string, after: Revision,
    onChanges: (changes: readonly Change[]) => void, onError: (reason: unknown) => void,
  ): () => void
  /** Where history is kept for watches: gives up what is older than `revision`. */
  compact?(revision: Revision): Promise<void>
  close(): Promise<void>
}
