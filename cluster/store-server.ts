/** Serves a metadata store to the executors of one box. The server's `authenticate` asks for the cluster's secret. */

import type { Call, GrpcServer } from '../proto/grpc-server.ts'
import { asQueryError, QueryError } from '../proto/errors.ts'
import { StoreService, type WatchRequest } from '../proto/gen/cluster_pb.js'
import type { Change, Lease, MetadataStore } from './store.ts'

/** Changes that wait for one slow watcher; beyond it the watcher has to list anew. */
const MAX_QUEUED_CHANGES = 10_000

export function addStoreService(server: GrpcServer, store: MetadataStore): void {
  server.addService(StoreService, {
    get: async ({ key }) => {
      const entry = await store.get(key)
      return entry === null ? {} : { entry: { ...entry } }
    },
    list: async ({ prefix }) => {
      const { entries, revision } = await store.list(prefix)
      return { entries: entries.map(entry => ({ ...entry })), revision }
    },
    compareAndSwap: async ({ key, expectedRevision, value, leaseId, guard }) => {
      const lease = leaseId === undefined ? undefined : leaseOf(leaseId)
      const revision = await store.compareAndSwap(key, expectedRevision, value ?? null, lease, guard)
      return { swapped: revision !== null, revision: revision ?? 0n }
    },
    grantLease: async ({ ttlMs }) => ({ leaseId: (await store.grantLease(Number(ttlMs))).leaseId }),
    keepAlive: async ({ leaseId }) => ({ alive: await store.keepAlive(leaseOf(leaseId)) }),
    revokeLease: async ({ leaseId }) => {
      await store.revokeLease(leaseOf(leaseId))
      return {}
    },
    watch: (request, call) => watch(store, request, call),
  })
}

/** The store knows a lease's time to live by its id. */
function leaseOf(leaseId: bigint): Lease {
  return { leaseId, ttlMs: 0 }
}

async function* watch(store: MetadataStore, { prefix, afterRevision }: WatchRequest, call: Call) {
  const queue: Change[] = []
  let broken: unknown
  let wake = (): void => undefined
  const stop = store.watch(prefix, afterRevision,
    changes => {
      queue.push(...changes)
      if (queue.length > MAX_QUEUED_CHANGES) broken ??= new QueryError('UNAVAILABLE', 'the watcher is too slow')
      wake()
    },
    reason => {
      broken ??= reason
      wake()
    })
  call.signal.addEventListener('abort', () => wake())
  try {
    while (!call.signal.aborted) {
      if (broken !== undefined) throw asQueryError(broken)
      if (queue.length > 0) {
        const changes = queue.splice(0)
        yield { changes: changes.map(({ value, ...rest }) => ({ ...rest, ...(value === null ? {} : { value }) })) }
      } else {
        await new Promise<void>(resolve => { wake = resolve })
      }
    }
  } finally {
    stop()
  }
}
