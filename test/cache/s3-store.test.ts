/** A remote bucket as a store: whole answers or typed errors, whatever the way to it does. */

import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { FaultKind } from '../s3/faults.ts'
import { openRemoteBucket, patient } from './remote-bucket.ts'

const MIB = 1024 * 1024

t.test('an object has its size and an etag, and is read by ranges', async t => {
  const { store, put, server } = await openRemoteBucket(t)
  const { etag } = put('a/é b+c', 'hello world')
  t.strictSame(await store.head('a/é b+c'), { key: 'a/é b+c', etag, sizeBytes: 11 })
  t.equal(Buffer.from(await store.readRange('a/é b+c', 6, 11, etag)).toString(), 'world')
  t.equal((await store.readRange('a/é b+c', 3, 3, etag)).length, 0)
  t.ok(server.seen.filter(({ kind }) => kind === 'get').every(({ ifMatch }) => ifMatch === etag))
  await t.rejects(store.head('gone'), { code: 'FILE_NOT_FOUND', message: `no file 'gone' in bucket prod` })
})

t.test('a long range comes in parts of 8 MiB', async t => {
  const { store, put, server } = await openRemoteBucket(t)
  const body = randomBytes(20 * MIB)
  const { etag } = put('k', body)
  t.ok(Buffer.from(await store.readRange('k', MIB, 20 * MIB, etag)).equals(body.subarray(MIB)))
  t.strictSame(server.seen.map(({ range }) => range).sort(), [
    `bytes=${MIB}-${9 * MIB - 1}`, `bytes=${17 * MIB}-${20 * MIB - 1}`, `bytes=${9 * MIB}-${17 * MIB - 1}`,
  ])
})

t.test('a file that was replaced or has shrunk is FILE_CHANGED, which may be tried again', async t => {
  const { store, put, server } = await openRemoteBucket(t)
  const { etag } = put('k', 'one')
  put('k', 'two')
  await t.rejects(store.readRange('k', 0, 3, etag), { code: 'FILE_CHANGED', class: { retryable: true } })
  const now = await store.head('k')
  await t.rejects(store.readRange('k', 5, 9, now.etag), { code: 'FILE_CHANGED' })
  server.faults.rules.push({ kind: 'get', fault: 'other-etag', times: 9 })
  server.forget()
  await t.rejects(store.readRange('k', 0, 3, now.etag), { code: 'FILE_CHANGED' }, 'a store that ignores the condition')
  t.equal(server.requests, 3)
})

t.test('what passes is tried again until it has passed', async t => {
  const { open, put, server } = await openRemoteBucket(t)
  const store = open({}, { ...patient, attemptMs: 700 })
  const body = randomBytes(100_000)
  const { etag } = put('k', body)
  const faults: FaultKind[] = ['error-500', 'slow-down', 'reset', 'cut', 'short', 'silence', 'other-etag']
  for (const fault of faults) {
    server.faults.rules.push({ kind: 'get', fault, times: 1 })
    t.ok(Buffer.from(await store.readRange('k', 5, 99_995, etag)).equals(body.subarray(5, 99_995)), fault)
  }
  t.equal(server.faults.struck, faults.length)
  t.ok(server.traffic('get').requests >= 2 * faults.length)
})

t.test('a store that only fails is a typed error within the deadline', async t => {
  const { open, put, server } = await openRemoteBucket(t)
  const { etag } = put('k', 'hello world')
  const store = open({}, { deadlineMs: 200, attemptMs: 100, pauseMs: 1, maxPauseMs: 50 })
  for (const fault of ['error-500', 'slow-down', 'reset', 'cut', 'short', 'silence'] as const) {
    server.faults.spread({ seed: 1, share: 1, faults: [fault] })
    const startedMs = performance.now()
    await t.rejects(store.readRange('k', 0, 11, etag), { code: 'UNAVAILABLE' }, fault)
    t.ok(performance.now() - startedMs < 5000, fault)
  }
})

t.test('a list gives every object, a page at a time', async t => {
  const { store, put, server } = await openRemoteBucket(t)
  const keys = Array.from({ length: 3500 }, (_, i) => `t/${String(i).padStart(5, '0')}.parquet`)
  for (const key of keys) put(key, 'x')
  put('t/folder/', '')
  put('u', 'x')
  const found: string[] = []
  for await (const { key } of store.list('t/')) found.push(key)
  t.strictSame(found, keys)
  t.equal(server.traffic('list').requests, 4)
  server.forget()
  for await (const { key } of store.list('t/')) if (key === keys[500]) break
  t.equal(server.traffic('list').requests, 1, 'no page is asked for before it is needed')
  for (const fault of ['error-500', 'cut', 'short', 'reset'] as const) {
    server.faults.rules.push({ kind: 'list', fault, times: 1 })
  }
  let count = 0
  for await (const _ of store.list('t/')) count++
  t.equal(count, 3500, 'whatever happens to its pages')
  const wanted: string[] = []
  for await (const { key } of store.list('t/', { wants: path => path.endsWith('7.parquet') })) wanted.push(key)
  t.equal(wanted.length, 350)
})

t.test('the check says what is wrong', async t => {
  const { open, server } = await openRemoteBucket(t)
  const keys = { accessKeyId: 'test', secretAccessKey: 'testsecret', sessionToken: null }
  await open().check()
  const says = async (more: Parameters<typeof open>[0], code: string, message: RegExp) =>
    t.rejects(open(more).check(), { name: 'QueryError', code, message })
  await says({ bucket: 'other' }, 'FILE_NOT_FOUND', /^bucket prod: 127\.0\.0\.1:\d+ has no bucket 'other'$/)
  await says({ credentials: { ...keys, secretAccessKey: 'x' } }, 'PERMISSION_DENIED', /the secret access key is not/)
  await says({ credentials: { ...keys, accessKeyId: 'x' } }, 'PERMISSION_DENIED', /does not know the access key$/)
  await says({ region: 'eu-west-1' }, 'INVALID_CONFIG', /'lake' is in region us-east-1, not eu-west-1: set its region$/)
  await says({ endpoint: 'http://127.0.0.1:1' }, 'UNAVAILABLE', /^bucket prod: 127\.0\.0\.1:1 refuses the connection$/)
  await says({ endpoint: 'http://nowhere.invalid' }, 'UNAVAILABLE', /no host nowhere\.invalid is known \(DNS\)$/)
  server.faults.rules.push({ kind: 'list', fault: 'error-500', times: 1 })
  await says({}, 'UNAVAILABLE', /answered 500 InternalError$/)
})

t.test('a clock that is wrong is named by the check, and made good by reads', async t => {
  const hourMs = 3_600_000
  const clock = { nowMs: () => 0, wallMs: () => Date.parse('2026-01-01') + hourMs, after: () => () => undefined }
  const { store, put } = await openRemoteBucket(t, { clock })
  await t.rejects(store.check(), { code: 'PERMISSION_DENIED', message: /the clock of this machine .* differ/ })
  const { etag } = put('k', 'hello world')
  t.equal(Buffer.from(await store.readRange('k', 0, 5, etag)).toString(), 'hello')
})

t.test('no error holds a secret or what was signed', async t => {
  const { open } = await openRemoteBucket(t)
  const store = open({ credentials: { accessKeyId: 'test', secretAccessKey: 'hidden', sessionToken: null } })
  const error: unknown = await store.head('k').catch((thrown: unknown) => thrown)
  t.match(error, { code: 'PERMISSION_DENIED' })
  const seen = (value: unknown): string => value instanceof Error
    ? [value.message, value.stack, JSON.stringify(Object.entries(value)), seen(value.cause)].join('\n') : String(value)
  t.notMatch(seen(error), /hidden|AWS4-HMAC|Credential=/)
})

t.test('credentials come from the environment if the configuration has none', async t => {
  const { open, put } = await openRemoteBucket(t)
  put('k', 'x')
  const before = { ...process.env }
  t.teardown(() => { process.env = before })
  process.env['AWS_ACCESS_KEY_ID'] = 'test'
  process.env['AWS_SECRET_ACCESS_KEY'] = 'testsecret'
  t.match(await open({ credentials: null }).head('k'), { sizeBytes: 1 })
})
