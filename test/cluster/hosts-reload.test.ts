/** Commands of a cluster on several hosts read their files again, each its own; one that cannot is as it was. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'
import { S3Server } from '../s3-server.ts'
import { runCommand } from './command.ts'
import { Hosts } from './hosts.ts'
import type { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

/** A command gives its process 10 s to take what is new. */
const TOLD_WITHIN_MS = 30_000

if (haveEtcd(t)) {
  const root = mkdtempSync(join(tmpdir(), 'skein-hosts-reload-'))
  const data = join(root, 'data')
  mkdirSync(data)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (SELECT i FROM range(1000) t(i)) TO '${join(data, 'n.parquet')}'`)
  instance.closeSync()
  const server = await S3Server.start({ buckets: ['lake', 'pond'] })
  for (const bucket of ['lake', 'pond']) server.objects.put(bucket, 'n.parquet', readFileSync(join(data, 'n.parquet')))
  const etcd = await EtcdServers.start(1)
  const table = { type: 'bucket_tables', tables: { numbers: 'n.parquet' } }
  const remote = (bucket: string) => ({
    provider: 'custom', bucket, endpoint: server.endpoint, access_key_id: 'test', secret_access_key: 'testsecret',
  })
  const near = {
    buckets: { near: { provider: 'local', path: data } }, catalogs: { near: { ...table, bucket: 'near' } },
    default_catalog: 'near',
  }
  const far = {
    ...near, buckets: { ...near.buckets, far: remote('lake') },
    catalogs: { ...near.catalogs, far: { ...table, bucket: 'far' } },
  }
  const hosts = await Hosts.start({
    folder: join(root, 'hosts'), store: { etcd: etcd.hosts }, coordinators: 1, executors: 2, config: near,
    environment: { SKEIN_WHOLE_BYTES: '0' },
  })
  const coordinator = hosts.coordinator(0)
  const operator = new Operator(coordinator.doors)
  t.teardown(async () => {
    operator.close()
    try {
      await hosts.stop()
    } finally {
      await etcd.stop()
      await server.close()
      rmSync(root, { recursive: true, force: true })
    }
  })
  const active = async (): Promise<number> =>
    (await operator.executors()).filter(({ state }) => state === 'active').length
  await until('both executors are there', TOLD_WITHIN_MS, async () => await active() === 2)

  const firsts = new Map<string, object>()
  const write = (role: 'coordinator' | 'executor', index: number, config: object): void => {
    const file = join(hosts.hostOptions(role, index).folder, 'skein.yaml')
    const first = firsts.get(file) ?? JSON.parse(readFileSync(file, 'utf8')) as object
    firsts.set(file, first)
    writeFileSync(file, JSON.stringify({ ...first, ...config }))
  }
  const hangUp = async (one: Skein, says: RegExp): Promise<void> => {
    const from = one.errors.length
    process.kill(one.pid, 'SIGHUP')
    await until(`it says ${String(says)}`, TOLD_WITHIN_MS, async () => says.test(one.errors.slice(from)))
  }
  const count = async (name: string): Promise<unknown> => {
    const outcome = await coordinator.query(`SELECT count(*) FROM ${name}`)
    return outcome.kind === 'rows' ? outcome.answer.rows[0]?.[0] : outcome.code
  }

  await t.test('executors learn of a bucket, then the coordinator of it and of a catalog over it', async t => {
    t.equal(await count('far.numbers'), 'TABLE_NOT_FOUND')
    for (const i of [0, 1]) {
      write('executor', i, far)
      await hangUp(hosts.executor(i), /reloaded: buckets\.far/)
    }
    write('coordinator', 0, far)
    const words = ['admin', 'reload', '--format', 'json', '--url', coordinator.doors.admin ?? '']
    const { status, stdout } = await runCommand(words)
    t.equal(status, 0)
    t.strictSame((JSON.parse(stdout) as { key: string }[]).map(({ key }) => key), ['buckets.far', 'catalogs.far'])
    t.strictSame([await count('far.numbers'), await count('numbers')], ['1000', '1000'])
  })

  await t.test('a file that is wrong leaves its process as it is', async t => {
    write('coordinator', 0, { ...far, catalogs: { far: { ...table, bucket: 'nowhere' } } })
    await hangUp(coordinator, /not reloaded: INVALID_CONFIG: .*no bucket named 'nowhere'/)
    write('executor', 0, { ...far, node: { advertise: '127.0.0.1:0', threads: 2, memory: '500MB' } })
    await hangUp(hosts.executor(0), /not reloaded: INVALID_CONFIG: .*node\.threads/)
    t.strictSame([await count('far.numbers'), await count('numbers')], ['1000', '1000'])
  })

  await t.test('an executor that hangs has not taken it, and comes back without it', async t => {
    const one = hosts.executor(0)
    const [child = 0] = one.processes()
    const nowhere = { ...remote('lake'), endpoint: 'http://127.0.0.1:1' }
    write('executor', 0, { ...far, buckets: { ...far.buckets, far: nowhere } })
    process.kill(child, 'SIGSTOP')
    try {
      await hangUp(one, /not reloaded: UNAVAILABLE: the executor does not answer within \d+ ms/)
    } finally {
      process.kill(child, 'SIGKILL')
    }
    await until('it is started again', TOLD_WITHIN_MS, async () => {
      const [now] = one.processes()
      return now !== undefined && now !== child && await active() === 2
    })
    await hosts.kill('executor', 1) // so that only it can answer
    await until('it is alone', TOLD_WITHIN_MS, async () => await active() === 1)
    t.equal(await count('far.numbers'), '1000')
  })
}
