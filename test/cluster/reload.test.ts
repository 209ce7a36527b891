/** The configuration changes under a running cluster: wholly, or not at all. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { S3Server } from '../s3-server.ts'
import { runCommand } from './command.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { Operator, until } from './watch.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-reload-'))
const server = await S3Server.start()
const data = join(root, 'data')
mkdirSync(join(data, 'numbers'), { recursive: true })
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
for (const part of [0, 1]) {
  const path = join(data, `numbers/${part}.parquet`)
  await connection.run(`COPY (SELECT i FROM range(${part * 500}, ${part * 500 + 500}) t(i)) TO '${path}'`)
  server.objects.put('lake', `numbers/${part}.parquet`, readFileSync(path))
}
instance.closeSync()

const table = { type: 'bucket_tables', tables: { numbers: 'numbers/*.parquet' } }
const near = { buckets: { near: { provider: 'local', path: data } }, catalogs: { near: { ...table, bucket: 'near' } } }
const far = {
  buckets: { ...near.buckets, far: {
    provider: 'custom', bucket: 'lake', endpoint: server.endpoint,
    access_key_id: 'test', secret_access_key: 'testsecret',
  } },
  catalogs: { ...near.catalogs, far: { ...table, bucket: 'far' } },
  default_catalog: 'near',
}
const folder = join(root, 'own')
const skein = await Skein.start({ folder, executors: 2, config: near, environment: { SKEIN_WHOLE_BYTES: '0' } })
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await server.close()
  rmSync(root, { recursive: true })
})

const file = join(folder, 'skein.yaml')
const first = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
const write = (config: Record<string, unknown>): void => {
  writeFileSync(file, JSON.stringify({ ...first, ...config }))
}
async function reload(): Promise<unknown> {
  const words = ['admin', 'reload', '--format', 'json', '--url', skein.doors.admin ?? '']
  const { status, stdout, stderr } = await runCommand(words)
  return status === 0 ? (JSON.parse(stdout) as { key: string }[]).map(({ key }) => key) : stderr
}
const count = async (name: string): Promise<unknown> => told(await skein.query(`SELECT count(*) FROM ${name}`))
const told = (outcome: SkeinOutcome): unknown => outcome.kind === 'rows' ? outcome.answer.rows[0]?.[0] : outcome.code

t.test('a bucket of another machine and a catalog over it are there at once, on every executor', async t => {
  t.equal(await count('far.numbers'), 'TABLE_NOT_FOUND')
  write(far)
  t.strictSame(await reload(), ['buckets.far', 'catalogs.far'])
  t.strictSame([await count('far.numbers'), await count('numbers')], ['1000', '1000'])
  t.strictSame(await reload(), [], 'nothing has changed since')
})

t.test('an executor that dies later comes back with what was reloaded', async t => {
  const [victim, other] = await operator.executors()
  process.kill(victim?.pid ?? 0, 'SIGKILL')
  process.kill(other?.pid ?? 0, 'SIGKILL')
  await until('both are back', 30_000, async () => {
    const now = await operator.executors()
    return now.filter(({ state, pid }) => state === 'active' && ![victim?.pid, other?.pid].includes(pid)).length === 2
  })
  t.equal(await count('far.numbers'), '1000')
})

t.test('what needs a restart is named, and nothing that came with it is taken', async t => {
  write({
    ...far, catalogs: { ...far.catalogs, more: { ...table, bucket: 'far' } },
    node: { memory: '3GB' }, result_hold_bytes: '1MB',
    buckets: { ...far.buckets, other: { provider: 'local', path: root } },
  })
  const answer = String(await reload())
  t.match(answer, /^error: INVALID_CONFIG: nothing was changed: /)
  for (const name of ['node.memory', 'result_hold_bytes', 'buckets.other']) t.match(answer, new RegExp(`${name}: `))
  t.equal(await count('more.numbers'), 'TABLE_NOT_FOUND')
})

t.test('an executor that hangs refuses it for all, and reads later what it missed', async t => {
  const [hung] = await operator.executors()
  write({ ...far, catalogs: { ...far.catalogs, more: { ...table, bucket: 'far' } }, buckets: {
    ...far.buckets, far: { ...far.buckets.far, endpoint: 'http://127.0.0.1:1' },
  } })
  process.kill(hung?.pid ?? 0, 'SIGSTOP')
  try {
    t.match(await reload(), /^error: UNAVAILABLE: the executor does not answer within \d+ ms/)
  } finally {
    process.kill(hung?.pid ?? 0, 'SIGCONT')
  }
  await until('both are active', 30_000, async () =>
    (await operator.executors()).filter(({ state }) => state === 'active').length === 2)
  t.strictSame([await count('more.numbers'), await count('far.numbers')], ['TABLE_NOT_FOUND', '1000'])
})

t.test('SIGHUP does the same, and a file that is wrong leaves all as it is', async t => {
  const hangUp = async (pattern: RegExp): Promise<void> => {
    process.kill(skein.pid, 'SIGHUP')
    await until(`it says ${String(pattern)}`, 20_000, async () => pattern.test(skein.errors))
  }
  write({ ...far, catalogs: { ...far.catalogs, far: { ...table, bucket: 'nowhere' } } })
  await hangUp(/not reloaded: INVALID_CONFIG: .*catalogs\.far\.bucket: no bucket named 'nowhere'/)
  t.equal(await count('far.numbers'), '1000')
  write({
    ...near, catalogs: { near: { ...near.catalogs.near, tables: { renamed: 'numbers/*.parquet' } } },
    resource_groups: { quick: { users: ['tim'], statement_timeout: '100ms' } },
  })
  await hangUp(/reloaded: buckets\.far, .*catalogs\.far/)
  t.match(skein.errors, /catalogs\.near\.tables\.numbers, catalogs\.near\.tables\.renamed, .*resource_groups\.quick/)
  t.strictSame([await count('far.numbers'), await count('numbers'), await count('renamed')],
    ['TABLE_NOT_FOUND', 'TABLE_NOT_FOUND', '1000'])
  const slow = 'SELECT count(*) FROM range(1000000000000) t(i) WHERE hash(i) = 1'
  t.match(await skein.query(slow, { user: 'tim' }), { kind: 'error', code: 'DEADLINE_EXCEEDED' })
})
