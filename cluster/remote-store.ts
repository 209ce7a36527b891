/**
 * The metadata store of a one-box cluster as its executors reach it, by gRPC. A call that fails may have been done; a
 * watch that breaks is over, and its owner lists and watches anew.
 */

import { QueryError } from '../proto/errors.ts'
import type { GrpcChannel, ServiceClient } from '../proto/grpc-channel.ts'
import { StoreService } from '../proto/gen/cluster_pb.js'
import type { Change, Entry, Guard, Lease, MetadataStore, Revision } from './store.ts'

/** Below half of any lease's time to live. */
const CALL_DEADLINE_MS = 3_000

export class RemoteStore implements MetadataStore {
  readonly #channel: GrpcChannel
  readonly #service: ServiceClient<typeof StoreService>
  readonly #closing = new AbortController()

  /** Owns the channel from here on. */
  constructor(channel: GrpcChannel) {
    this.#channel = channel
    this.#service = channel.service(StoreService)
  }

  async get(key: string): Promise<Entry | null> {
    const { entry } = await this.#service.get({ key }, this.#options())
    return entry ?? null
  }

  async list(prefix: string): Promise<{ readonly entries: readonly Entry[]; readonly revision: Revision }> {
    return this.#service.list({ prefix }, this.#options())
  }

  async compareAndSwap(
    key: string, expected: Revision, value: Uint8Array | null, lease?: Lease, guard?: Guard,
  ): Promise<Revision | null> {
    const { swapped, revision } = await this.#service.compareAndSwap({
      key, expectedRevision: expected,
      ...(value === null ? {} : { value }), ...(lease === undefined ? {} : { leaseId: lease.leaseId }),
      ...(guard === undefined ? {} : { guard: { ...guard } }),
    }, this.#options())
    return swapped ? revision : null
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    const { leaseId } = await this.#service.grantLease({ ttlMs: BigInt(ttlMs) }, this.#options())
    return { leaseId, ttlMs }
  }

  async keepAlive({ leaseId }: Lease): Promise<boolean> {
    return (await this.#service.keepAlive({ leaseId }, this.#options())).alive
  }

  async revokeLease({ leaseId }: Lease): Promise<void> {
    await this.#service.revokeLease({ leaseId }, this.#options())
  }

  watch(
    prefix: string, after: Revision,
    onChanges: (changes: readonly Change[]) => void, onError: (reason: unknown) => void,
  ): () => void {
    const own = new AbortController()
    const signal = AbortSignal.any([own.signal, this.#closing.signal])
    void this.#pump(prefix, after, signal, onChanges).then(
      () => { if (!own.signal.aborted) onError(new QueryError('UNAVAILABLE', 'the watch has ended')) },
      (reason: unknown) => { if (!own.signal.aborted) onError(reason) })
    return () => own.abort()
  }

  close(): Promise<void> {
    this.#closing.abort()
    this.#channel.close()
    return Promise.resolve()
  }

  async #pump(
    prefix: string, after: Revision, signal: AbortSignal, onChanges: (changes: readonly Change[]) => void,
  ): Promise<void> {
    for await (const { changes } of this.#service.watch({ prefix, afterRevision: after }, { signal })) {
      if (signal.aborted) return
      onChanges(changes.map(({ key, value, revision }) => ({ key, value: value ?? null, revision })))
    }
  }

  #options(): { signal: AbortSignal; deadlineMs: number } {
    return { signal: this.#closing.signal, deadlineMs: CALL_DEADLINE_MS }
  }
}
