/** Coordinators and executors of several hosts over a real etcd: who is there, who answers, and who goes. */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import type { FlightData } from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { difference } from '../sql/answer.ts'
import { Hosts } from './hosts.ts'
import { Skein } from './skein.ts'
import { makeTpch } from './tpch-runs.ts'
import { Operator, until } from './watch.ts'

const SCALE = 0.02
const SEEN_WITHIN_MS = 5_000
/** A lease, and the store's own time to notice. */
const GONE_WITHIN_MS = 15_000

if (haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-hosts-'))
  const etcd = await EtcdServers.start(1)
  t.teardown(async () => {
    await etcd.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const data = await makeTpch(SCALE, folder)
  const hosts = await Hosts.start({
    folder: join(folder, 'hosts'), store: { etcd: etcd.hosts }, coordinators: 2, executors: 2,
    config: tpchConfig(data.folder), environment: { SKEIN_WHOLE_BYTES: '0' },
  })
  t.teardown(() => hosts.stop())
  const operators = [0, 1].map(i => new Operator(hosts.coordinator(i).doors))
  t.teardown(() => operators.forEach(operator => operator.close()))
  const active = async (operator: Operator): Promise<string[]> =>
    (await operator.executors()).filter(({ state }) => state === 'active').map(({ id }) => id).sort()
  const allSee = (count: number, withinMs = SEEN_WITHIN_MS): Promise<number> =>
    until(`all coordinators see ${count} executors`, withinMs, async () =>
      (await Promise.all(operators.map(active))).every(ids => ids.length === count))

  await t.test('every coordinator answers, with all executors', async t => {
    await allSee(2)
    const queries = tpchQueries(SCALE)
    const faults = await Promise.all([0, 1].map(async c => {
      const coordinator = hosts.coordinator(c)
      const found: string[] = []
      for (const [i, { number, sql }] of queries.entries()) {
        if (i % 2 !== c) continue
        const outcome = await coordinator.query(sql)
        const expected = data.answers[i]
        const fault = outcome.kind === 'error' ? `${outcome.code} ${outcome.message}`
          : expected === undefined ? 'no expectation' : difference(expected, outcome.answer, true)
        if (fault !== undefined) found.push(`Q${number}: ${fault}`)
      }
      return found
    }))
    t.strictSame(faults.flat(), [])
  })

  await t.test('queries of all coordinators are seen at each, and one that does not answer is named', async t => {
    await hosts.coordinator(1).query('SELECT /* at the second */ 1')
    const seen = async (): Promise<readonly (readonly unknown[])[]> => {
      const outcome = await hosts.coordinator(0).query(`SELECT coordinator, count(*) FILTER (state = 'unreachable'),
        count(*) FILTER (starts_with(sql, 'SELECT /* at the second */')), max(error) FILTER (state = 'unreachable')
        FROM skein.queries GROUP BY coordinator ORDER BY 2 DESC, 3`)
      if (outcome.kind === 'error') throw new Error(outcome.message)
      return outcome.answer.rows
    }
    const [first = [], second = []] = await seen()
    t.strictSame([first.slice(1), second.slice(1)], [['0', '0', null], ['0', '1', null]])
    const frozen = hosts.coordinator(1).processes()
    for (const pid of frozen) process.kill(pid, 'SIGSTOP')
    try {
      const [silent, own] = await seen()
      t.match(silent, [second[0], '1', '0', /cannot be asked: DEADLINE_EXCEEDED/])
      t.match(own, [first[0], '0', '0', null])
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT')
    }
    await until('it is asked again', GONE_WITHIN_MS, async () => (await seen())[1]?.[2] === '1')
  })

  await t.test('a ticket is served by every coordinator, and its statement runs once', async t => {
    const clients = [0, 1].map(i =>
      new FlightClient(t, Number(new URL(hosts.coordinator(i).doors.flight ?? '').port)))
    const sql = 'SELECT /* by ticket */ l_orderkey, l_comment FROM lineitem'
    const info = await clients[0]?.getFlightInfo(packed(CommandStatementQuerySchema, { query: sql }))
    const ticket = info?.endpoint[0]?.ticket?.ticket ?? new Uint8Array(0)
    const sizes = await Promise.all([1, 0, 1].map(async i => {
      let bytes = 0
      for await (const { dataBody } of clients[i]?.doGet(ticket) as AsyncIterable<FlightData>) bytes += dataBody.length
      return bytes
    }))
    t.ok((sizes[0] ?? 0) > 1024 * 1024)
    t.strictSame(sizes, sizes.map(() => sizes[0]))
    const runs = await Promise.all(operators.map(async operator =>
      (await operator.queries()).filter(query => query.sql === sql).length))
    t.strictSame(runs, [1, 0])
  })

  await t.test('an executor that is killed is started again by its command, as the one that it was', async t => {
    const before = await active(operators[0] as Operator)
    const [child = 0] = hosts.executor(0).processes()
    process.kill(child, 'SIGKILL')
    await until('it is gone', SEEN_WITHIN_MS, () => !hosts.executor(0).processes().includes(child))
    // who has not heard of its end yet still shows the process that was killed
    await until('it is back', GONE_WITHIN_MS, async () => {
      const views = await Promise.all(operators.map(operator => operator.executors()))
      return views.every(view => !view.some(({ pid }) => pid === child)
        && JSON.stringify(view.filter(({ state }) => state === 'active').map(({ id }) => id).sort())
          === JSON.stringify(before))
    })
    t.match(hosts.executor(0).errors, /the executor ended \(signal SIGKILL\); starting it again/)
  })

  await t.test('a copied folder is told at once, and harms nobody', async t => {
    await allSee(2)
    const { folder: original, config } = hosts.hostOptions('executor', 0)
    const copy = join(folder, 'copy')
    await cp(join(original, 'data', 'executor', 'id'), join(copy, 'data', 'executor', 'id'))
    await t.rejects(Skein.role('executor', { folder: copy, config }),
      /error: INVALID_CONFIG: another process is executor \S+ already: is data_dir a copy of another's\?/)
    await allSee(2)
    const outcome = await hosts.coordinator(0).query('SELECT count(*) AS n FROM orders')
    t.equal(outcome.kind, 'rows')
  })

  await t.test('a host that dies is gone when its lease is, one that stops at once; both come back', async t => {
    await hosts.kill('executor', 0)
    await until('nobody uses it', SEEN_WITHIN_MS, async () => (await active(operators[0] as Operator)).length === 1)
    await until('it is no member', GONE_WITHIN_MS, async () =>
      (await (operators[0] as Operator).executors()).length === 1)
    await hosts.executor(1).stop()
    hosts.executors.splice(0)
    await until('it is no member', SEEN_WITHIN_MS, async () =>
      (await (operators[1] as Operator).executors()).length === 0)
    await Promise.all([0, 1].map(i => hosts.restart('executor', i)))
    await allSee(2)
    t.equal((await hosts.coordinator(1).query('SELECT count(*) AS n FROM lineitem')).kind, 'rows')
  })

  await t.test('what a cluster on hosts needs is named, one thing at a time', async t => {
    const { config } = hosts.hostOptions('executor', 0)
    const without = (key: string) => ({ ...config, [key]: undefined })
    const short = join(folder, 'short.key')
    await writeFile(short, 'short')
    const other = join(folder, 'other.key')
    await writeFile(other, '0'.repeat(64))
    const wrong: [string, Record<string, unknown>][] = [
      ['store: is missing', without('store')],
      ['secret_key_file: is missing', without('secret_key_file')],
      ['node.advertise: is missing', { ...config, node: { threads: 1 } }],
      ['tls: is missing', { ...config, node: { ...config.node, advertise: '10.0.0.1:0' } }],
      ['secret_key_file: .* has 5 characters, at least 32', { ...config, secret_key_file: short }],
      ['secret_key_file: ENOENT', { ...config, secret_key_file: join(folder, 'none') }],
      ['secret_key_file is not the one', { ...config, secret_key_file: other }],
    ]
    for (const [message, content] of wrong) {
      await t.rejects(Skein.role('executor', { folder: join(folder, 'wrong'), config: content }),
        new RegExp(`error: INVALID_CONFIG: .*${message}`))
    }
  })
}
