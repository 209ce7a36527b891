/**
 * An executor in a network of its own that is cut, both ways and one way only: packets are lost, as with a cable, and
 * nobody is told. Queries that it works for have their answers, it stops working within its lease, what it makes too
 * late is used nowhere, and it comes back as another. Needs root and Linux.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { systemClock } from '../../proto/clock.ts'
import { Hosts } from '../cluster/hosts.ts'
import { makeTpch } from '../cluster/tpch-runs.ts'
import { idle, Operator, until } from '../cluster/watch.ts'
import { Certificates, pem } from '../certificates.ts'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'
import { Network } from '../network.ts'
import { difference } from '../sql/answer.ts'

const SCALE = 0.1
/** A lease, the store's own time to notice, and what a machine that has much else to do takes. */
const GONE_WITHIN_MS = 30_000
const SEEN_WITHIN_MS = 30_000
const QUERIES_A_CUT = 6

const network = Network.open()
t.ok(network !== null, 'a network of its own: this test needs root, ip and iptables')

if (network !== null && haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-partition-'))
  const certificates = new Certificates(join(folder, 'certs'))
  const node = certificates.make('node', 'skein')
  const etcd = await EtcdServers.start(1, { host: network.hostAddress })
  const data = await makeTpch(SCALE, folder)
  const here = { node: { advertise: `${network.hostAddress}:0`, threads: 1, memory: '500MB' } }
  const listen = { node: `${network.hostAddress}:0` }
  const hosts = await Hosts.start({
    folder: join(folder, 'hosts'), store: { etcd: etcd.hosts }, coordinators: 1, executors: 3,
    config: { ...tpchConfig(data.folder), tls: node },
    environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
    within: { 'executor-1': network.within },
    otherwise: {
      'executor-1': {
        node: { ...here.node, advertise: `${network.address}:0` }, listen: { node: `${network.address}:0` },
      },
      'executor-2': { ...here, listen }, 'executor-3': { ...here, listen },
    },
  })
  const operator = new Operator(hosts.coordinator(0).doors, pem(certificates.make('operator', 'ann')))
  t.teardown(async () => {
    operator.close()
    network.lose('none')
    await hosts.stop()
    await etcd.stop()
    network.close()
    await rm(folder, { recursive: true, force: true })
  })
  const queries = tpchQueries(SCALE)
  const fault = async (index: number): Promise<string | undefined> => {
    const outcome = await hosts.coordinator(0).query(queries[index]?.sql ?? '')
    if (outcome.kind === 'error') return `${outcome.code} ${outcome.message}`
    const expected = data.answers[index]
    return expected === undefined ? 'no expectation' : difference(expected, outcome.answer, true) ?? undefined
  }
  const members = async (): Promise<readonly string[]> =>
    (await operator.executors()).filter(({ state }) => state === 'active').map(({ id }) => id)
  const lonely = async () =>
    (await operator.executors()).find(({ address }) => address.startsWith(`${network.address}:`))

  for (const loss of ['both', 'in', 'out'] as const) {
    await t.test(`what is lost: ${loss}`, async t => {
      await until('all are active', SEEN_WITHIN_MS, async () => (await members()).length === 3)
      const before = await lonely()
      const running = Array.from({ length: QUERIES_A_CUT }, (_, i) => fault((i * 4 + 2) % queries.length))
      await until('it works', SEEN_WITHIN_MS, async () => ((await lonely())?.runningTasks ?? 0) > 0)
      network.lose(loss)
      const cutMs = systemClock.nowMs()
      t.strictSame(await Promise.all(running), Array.from({ length: QUERIES_A_CUT }), 'queries that it worked for')
      await until('it is no member', GONE_WITHIN_MS, async () => (await members()).length === 2)
      t.comment(`no member after ${Math.round(systemClock.nowMs() - cutMs)} ms`)
      await until('it does not work any more', GONE_WITHIN_MS, () => idle([hosts.executor(0).pid]))
      t.equal(await fault(17), undefined, 'a query without it')
      network.lose('none')
      await until('it is back', SEEN_WITHIN_MS, async () => (await members()).length === 3)
      const after = await lonely()
      t.strictSame([after?.id, after?.pid], [before?.id, before?.pid], 'the same process')
      t.equal(await fault(17), undefined, 'a query with it')
    })
  }
}
