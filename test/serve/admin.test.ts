/** The admin API over queries and executors by hand. */

import { create } from '@bufbuild/protobuf'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cacheRows } from '../../cli/cache-admin.ts'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { Events } from '../../coordinator/serve/events.ts'
import { adminHandlers } from '../../coordinator/serve/admin.ts'
import type { LoadedTable } from '../../catalog/catalog.ts'
import type { Table } from '../../catalog/table.ts'
import type { CacheAdminPorts } from '../../coordinator/serve/cache-admin.ts'
import type { CoordinatorAdmin } from '../../coordinator/serve/coordinator-admin.ts'
import type { QueryAdmin } from '../../coordinator/serve/ports.ts'
import { systemClock, type Clock } from '../../proto/clock.ts'
import { AdminService } from '../../proto/gen/admin_pb.js'
import {
  CoordinatorInfoSchema, ExecutorInfoSchema, ExecutorInfo_State as State,
} from '../../proto/gen/cluster_pb.js'
import { CachedFileSchema, CacheStateSchema, WarmCacheResponseSchema } from '../../proto/gen/cache_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { GrpcServer } from '../../proto/grpc-server.ts'
import { openUsers } from '../coordinator/open-users.ts'
import type { ExecutorId, QueryId, SessionId } from '../../proto/ids.ts'
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
    load: { running: 1, waiting: 0 },
    setDraining: async id => { if (id !== 'e1') throw new QueryError('NOT_FOUND', `no executor ${id}`) },
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

const state = create(CacheStateSchema, {
  budgetBytes: 100_000_000n, usedBytes: 5n, files: 2,
  tables: [{ catalog: 'lake', schema: 'main', table: 'orders', bytesFetched: 90n, bytesCached: 10n }],
})
const table: Table = {
  name: { catalog: 'lake', schema: 'main', table: 'orders' }, version: 'v', format: 'parquet', hiveKeys: [],
  columns: [{ name: 'id', type: 'BIGINT' }, { name: 'word', type: 'VARCHAR' }], shapes: [],
  filename: null, readOptions: {}, rowCount: 20, sizeBytes: 2e8, skeletonPath: '', distinctCounts: [],
  files: ['a', 'b'].map(key => ({
    file: { bucket: 'prod', key, etag: 'x', sizeBytes: 1e8 }, shape: 0, hiveValues: [], rowCount: 10,
    rowGroups: [{ rowCount: 10, columns: [4e7, 5e7].map(sizeBytes => (
      { offset: 0, sizeBytes, min: null, max: null, nullCount: null }
    )) }],
  })),
}

/** What executors are asked to bring: executor, keys, columns. */
const warmed: string[] = []
/** Null while it does not answer. */
let secondState: typeof state | null = null
const caches: CacheAdminPorts['caches'] = {
  look: async () => [{ executor: 'e1', state }, { executor: 'e2', state: secondState }],
  evict: async (bucket, prefix, keys = []) => [
    { executor: `e1 without ${bucket}/${prefix} ${keys.join()}`, state }, { executor: 'e2', state: secondState },
  ],
  files: async () => [create(CachedFileSchema, { bucket: 'prod', key: 'b', etag: 'x', chunks: 2, bytes: 90n })],
  warm: async (executor, wanted) => {
    warmed.push(...wanted.map(({ file, columns }) => `${executor} ${file.key} ${columns?.join() ?? ''}`))
    return create(WarmCacheResponseSchema, { bytesFetched: 7n, bytesCached: 1n })
  },
}
function refreshed(name: readonly string[]): readonly LoadedTable[] {
  if (name.join('/') !== 'lake' && name.join('/') !== 'lake/or.ders') return []
  const error = new QueryError('FILE_NOT_FOUND', 'gone')
  return [{ state: 'loaded', name: table.name, table }, { state: 'failed', name: table.name, error }]
}

const cacheAdmin: CacheAdminPorts = {
  caches,
  tables: { find: async name => name.join('.') === 'lake.orders' ? table : undefined, seen: () => [table],
    refresh: async name => refreshed(name) },
  ground: () => ({ rooms: ['e1', 'e2'].map(id => ({ id: id as ExecutorId, slots: 1 })), wholeBytes: 1e6 }),
}

const events = new Events(clock)

const drained: string[] = []
const coordinators: CoordinatorAdmin = {
  list: () => ['c1', 'c2'].map(id => create(CoordinatorInfoSchema, {
    id, processId: 7, admin: 'h:1', state: drained.includes(id) ? State.DRAINED : State.ACTIVE,
  })),
  setDraining: async ({ id }, draining) => { drained.splice(0, drained.length, ...(draining ? [id] : [])) },
}

async function openAdmin(t: Test) {
  const server = new GrpcServer({ authenticate: () => undefined })
  const moveCache = async (): Promise<number> => 3
  const users = await openUsers(t)
  const folder = await mkdtemp(join(tmpdir(), 'skein-admin-'))
  const store = await EmbeddedStore.open(join(folder, 'journal'), systemClock)
  server.addService(AdminService, adminHandlers({
    queries: fakeAdmin(), clock, stores, cacheAdmin, moveCache, events, users,
    settings: () => [{ name: 'data_dir', value: 'x' }], reload: async () => ['catalogs.lake'],
    store, coordinators,
    system: { parts: async function* (table, principal) {
      yield { content: Buffer.from(`${table} of ${principal ?? 'all'}`), rowCount: 1 }
    } },
    about: { coordinator: 'c1', version: '1', duckdbVersion: 'v1', startedMs: 0 },
  }))
  const channel = new GrpcChannel(`127.0.0.1:${await server.listen('127.0.0.1', 0)}`)
  t.teardown(async () => {
    channel.close()
    server.close()
    await store.close()
    await rm(folder, { recursive: true })
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

t.test('tables are looked at again', async t => {
  const admin = await openAdmin(t)
  t.match((await admin.refreshTables({ name: 'lake' })).tables, [
    { catalog: 'lake', schema: 'main', table: 'orders', files: 2, rows: 20n, bytes: 200_000_000n, error: '' },
    { table: 'orders', files: 0, error: 'FILE_NOT_FOUND: gone' },
  ])
  t.equal((await admin.refreshTables({ name: 'lake."or.ders"' })).tables.length, 2)
  await t.rejects(admin.refreshTables({ name: 'none' }), { code: 'NOT_FOUND' })
  await t.rejects(admin.refreshTables({ name: 'a b' }), { code: 'INVALID_REQUEST' })
})

t.test('caches are seen and emptied', async t => {
  const admin = await openAdmin(t)
  const told = (await admin.listCaches({})).caches
  t.match(told, [{ executor: 'e1', state: { usedBytes: 5n, files: 2 } }, { executor: 'e2', state: undefined }])
  t.match(await cacheRows({ kind: 'cache-status' }, admin, { deadlineMs: 10_000 }), [
    { executor: 'e1', used_bytes: 5, error: '' }, { executor: 'e2', used_bytes: null, error: 'no answer' },
  ])
  const silent = { executor: 'e2', state: undefined }
  t.match((await admin.evictCaches({ bucket: 'lake', prefix: 'a/' })).caches,
    [{ executor: 'e1 without lake/a/ ' }, silent])
  t.match((await admin.evictCaches({ table: 'lake.orders' })).caches, [{ executor: 'e1 without prod/ a,b' }, silent])
  await t.rejects(admin.evictCaches({ table: 'none' }), { code: 'TABLE_NOT_FOUND', message: 'no table none' })
  t.match((await admin.listCachedTables({})).tables, [{
    executor: 'e1', catalog: 'lake', schema: 'main', table: 'orders', files: 1, chunks: 2, bytes: 90n,
    bytesFetched: 90n, bytesCached: 10n, error: '',
  }, { executor: 'e2', table: '', error: 'no answer' }])
  t.match(await cacheRows({ kind: 'cache-tables' }, admin, { deadlineMs: 10_000 }), [
    { executor: 'e1', table: 'lake.main.orders', hit_ratio: 0.1, error: '' },
    { executor: 'e2', table: null, files: null, hit_ratio: null, error: 'no answer' },
  ])
})

t.test('columns of a table are brought to where they would be read', async t => {
  const admin = await openAdmin(t)
  const warm = async (): Promise<unknown[][]> => {
    const news = []
    for await (const { executor, files, filesDone, bytesFetched, error } of admin.warmCaches({
      table: 'lake.orders', columns: ['WORD'],
    })) news.push([executor, files, filesDone, bytesFetched, error])
    return news.sort()
  }
  t.strictSame(await warm(), [['e1', 1, 1, 7n, ''], ['e2', 1, 0, 0n, 'no answer']], 'one that hangs keeps no other')
  warmed.length = 0
  secondState = state
  t.strictSame(await warm(), [['e1', 1, 1, 7n, ''], ['e2', 1, 1, 7n, '']], 'within the bound of its load')
  t.strictSame(warmed.map(text => text.slice(3)).sort(), ['a word', 'b word'])
  const all = admin.warmCaches({ table: 'lake.orders', columns: ['none'] })[Symbol.asyncIterator]()
  await t.rejects(all.next(), { code: 'BIND_ERROR', message: 'table orders has no column none' })
  state.budgetBytes = 1000n
  const tight = admin.warmCaches({ table: 'lake.orders' })[Symbol.asyncIterator]()
  await t.rejects(tight.next(), { code: 'DISK_FULL', message: /^9\d+ bytes of it belong to executor e1, .* for 1000$/ })
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

t.test('an executor drains once its cached files have moved, or at once', async t => {
  const admin = await openAdmin(t)
  t.match(await admin.drainExecutor({ id: 'e1' }), { filesMoved: 3 })
  t.match(await admin.drainExecutor({ id: 'e1', now: true }), { filesMoved: 0 })
  await admin.undrainExecutor({ id: 'e1' })
  await t.rejects(admin.drainExecutor({ id: 'e9' }), { code: 'NOT_FOUND' })
})

t.test('coordinators are seen, and drain', async t => {
  const admin = await openAdmin(t)
  const states = async () => (await admin.listCoordinators({})).coordinators.map(({ id, state }) => `${id} ${state}`)
  await admin.drainCoordinator({ id: 'c2' })
  t.strictSame(await states(), ['c1 active', 'c2 drained'])
  await admin.undrainCoordinator({ id: 'c2' })
  t.strictSame(await states(), ['c1 active', 'c2 active'])
  await t.rejects(admin.drainCoordinator({ id: 'c3' }), { code: 'NOT_FOUND', message: /no coordinator c3/ })
})

t.test('users are added, listed, and removed; nothing tells of their passwords', async t => {
  const admin = await openAdmin(t)
  await admin.addUser({ name: 'ann', password: 'correct horse' })
  await t.rejects(admin.addUser({ name: 'ann', password: 'another one' }), { code: 'INVALID_REQUEST' })
  await t.rejects(admin.addUser({ name: 'a:b', password: 'correct horse' }), { code: 'INVALID_REQUEST' })
  await t.rejects(admin.addUser({ name: 'bob', password: 'short' }), { code: 'INVALID_REQUEST' })
  await admin.setPassword({ name: 'ann', password: 'another one' })
  const { users } = await admin.listUsers({})
  t.strictSame(users.map(({ name }) => name), ['ann'])
  t.strictSame(Object.keys(users[0] ?? {}).sort(), ['$typeName', 'changedMs', 'name'])
  await admin.removeUser({ name: 'ann' })
  t.strictSame((await admin.listUsers({})).users, [])
  await t.rejects(admin.removeUser({ name: 'ann' }), { code: 'NOT_FOUND' })
})

t.test('other coordinators read what one knows of a table, of one user or of all', async t => {
  const admin = await openAdmin(t)
  const read = async (table: string, principal: string, all = false): Promise<string[]> => {
    const parts: string[] = []
    for await (const { content } of admin.readSystemTable({ table, principal, all })) {
      parts.push(Buffer.from(content).toString())
    }
    return parts
  }
  t.strictSame(await read('queries', 'ann'), ['queries of ann'])
  t.strictSame(await read('events', '', true), ['events of all'])
  t.strictSame(await read('queries', ''), ['queries of '], 'who names nobody gets nobody\'s')
  await t.rejects(read('none', ''), { code: 'NOT_FOUND' })
})
