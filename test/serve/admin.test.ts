/** The admin API over queries and executors by hand. */

import { create } from '@bufbuild/protobuf'
import t, { type Test } from 'tap'
import { adminHandlers } from '../../coordinator/serve/admin.ts'
import type { QueryAdmin } from '../../coordinator/serve/ports.ts'
import type { Clock } from '../../proto/clock.ts'
import { AdminService } from '../../proto/gen/admin_pb.js'
import { ExecutorInfoSchema } from '../../proto/gen/cluster_pb.js'
import { CacheStateSchema } from '../../proto/gen/cache_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { GrpcServer } from '../../proto/grpc-server.ts'
import type { QueryId, SessionId } from '../../proto/ids.ts'
import { QueryError } from '../../proto/errors.ts'
import { FakeQuery } from './fake-queries.ts'

const clock: Clock = { nowMs: () => 4000, wallMs: () => 1_000_000, after: () => () => undefined }

function fakeAdmin(): QueryAdmin {
  const query = new FakeQuery({
    sql: 'select 1', defaultCatalog: 'lake', defaultSchema: 'main', settings: {}, principal: 'ann',
    sessionId: 's' as SessionId,
    clientInterface: 'HttpQuery', queryId: 'q1' as QueryId,
  }, new Promise(() => undefined))
  const info = create(ExecutorInfoSchema, {
    id: 'e1', address: '127.0.0.1:1', processId: 12, slots: 4, memoryBytes: 2n ** 40n, duckdbVersion: 'v1.5.6',
  })
  return {
    list: () => [query],
    executors: () => [{ info, state: 'active' }, { info: { ...info, id: 'e2' }, state: 'connecting' }],
    kill: id => {
      if (id === query.id && query.cancelled === undefined) query.cancel('killed')
      else return false
      return true
    },
  }
}

const stores = new Map([
  ['lake', { check: () => Promise.resolve() }],
  ['shut', { check: () => Promise.reject(new QueryError('PERMISSION_DENIED', 'bucket shut: access is denied')) }],
])

const state = create(CacheStateSchema, { budgetBytes: 10n, usedBytes: 5n, files: 2 })
const caches = {
  list: async () => [{ executor: 'e1', state }],
  evict: async (bucket: string, prefix: string) => [{ executor: `e1 without ${bucket}/${prefix}`, state }],
}

async function openAdmin(t: Test) {
  const server = new GrpcServer({ authenticate: () => undefined })
  server.addService(AdminService, adminHandlers({ queries: fakeAdmin(), clock, stores, caches }))
  const channel = new GrpcChannel(`127.0.0.1:${await server.listen('127.0.0.1', 0)}`)
  t.teardown(() => {
    channel.close()
    server.close()
  })
  return channel.service(AdminService)
}

t.test('a bucket is looked at, and what is wrong with it comes back', async t => {
  const admin = await openAdmin(t)
  t.match(await admin.testBucket({ name: 'lake' }), { elapsedMs: 0 })
  await t.rejects(admin.testBucket({ name: 'shut' }),
    { code: 'PERMISSION_DENIED', message: 'bucket shut: access is denied' })
  await t.rejects(admin.testBucket({ name: 'none' }), { code: 'NOT_FOUND', message: `no bucket named 'none'` })
})

t.test('caches are seen and emptied', async t => {
  const admin = await openAdmin(t)
  t.match((await admin.listCaches({})).caches, [{ executor: 'e1', state: { usedBytes: 5n, files: 2 } }])
  t.match((await admin.evictCaches({ bucket: 'lake', prefix: 'a/' })).caches, [{ executor: 'e1 without lake/a/' }])
})

t.test('operators see executors and queries, and kill one', async t => {
  const admin = await openAdmin(t)
  const { executors } = await admin.listExecutors({})
  t.match(executors, [
    {
      id: 'e1', address: '127.0.0.1:1', pid: 12, state: 'active', slots: 4, memoryBytes: 2n ** 40n,
      duckdbVersion: 'v1.5.6',
    },
    { id: 'e2', state: 'joining' },
  ])
  t.match((await admin.listQueries({})).queries, [{
    id: 'q1', sql: 'select 1', state: 'planning', principal: 'ann', clientInterface: 'HttpQuery', stages: 2, tasks: 3,
    finishedTasks: 1, startedAtMs: 997_000, elapsedMs: 500, error: '',
  }])
  await admin.killQuery({ id: 'q1' })
  await t.rejects(admin.killQuery({ id: 'q1' }), { code: 'NOT_FOUND', message: 'no query q1 is running' })
})
