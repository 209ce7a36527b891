/**
 * What a cluster of hosts does while parts of it are away: its store, a coordinator, the network of one executor. The
 * soak tests do more of it.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { systemClock } from '../../proto/clock.ts'
import { EtcdServers, freePorts, haveEtcd } from '../etcd-server.ts'
import { difference } from '../sql/answer.ts'
import { TcpProxy, type Cut } from '../tcp-proxy.ts'
import { Hosts } from './hosts.ts'
import type { Skein, SkeinOutcome } from './skein.ts'
import { makeTpch } from './tpch-runs.ts'
import { Operator, until } from './watch.ts'

const SCALE = 0.02
const GRACE_MS = 8_000
const SEEN_WITHIN_MS = 30_000
/** A lease, the store's own time to notice, and a machine with much else to do. */
const GONE_WITHIN_MS = 30_000
/** On retry, at another coordinator, with 32 clients on a machine that has much else to do. */
const RETRY_WITHIN_MS = 10_000
const CLIENTS = 32

if (haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-host-faults-'))
  const etcd = await EtcdServers.start(1)
  const [port = 0] = await freePorts(1)
  const data = await makeTpch(SCALE, folder)
  const executorProxy = await TcpProxy.start(() => ({ host: '127.0.0.1', port }))
  const storeUrl = new URL(etcd.hosts[0] ?? '')
  const storeProxy = await TcpProxy.start(() => ({ host: storeUrl.hostname, port: Number(storeUrl.port) }))
  const config = { ...tpchConfig(data.folder), store_grace: `${GRACE_MS}ms` }
  const hosts = await Hosts.start({
    folder: join(folder, 'hosts'), store: { etcd: etcd.hosts }, coordinators: 2, executors: 3, config,
    environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
    otherwise: {
      'executor-1': {
        store: { etcd: [`http://127.0.0.1:${storeProxy.port}`] },
        node: { advertise: `127.0.0.1:${executorProxy.port}`, threads: 1, memory: '500MB' },
        listen: { node: `127.0.0.1:${port}` },
      },
    },
  })
  const operator = new Operator(hosts.coordinator(0).doors)
  t.teardown(async () => {
    operator.close()
    executorProxy.cut = storeProxy.cut = 'none'
    await hosts.stop()
    await executorProxy.close()
    await storeProxy.close()
    await etcd.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const inState = async (state: string): Promise<number> =>
    (await operator.executors()).filter(each => each.state === state).length
  const allActive = (): Promise<number> =>
    until('all are active', SEEN_WITHIN_MS, async () => await inState('active') === 3)
  const [q3, q18] = [2, 17]
  const ask = (skein: Skein, index: number): Promise<SkeinOutcome> => skein.query(tpchQueries(SCALE)[index]?.sql ?? '')
  const fault = (outcome: SkeinOutcome, index: number): string | undefined => {
    const expected = data.answers[index]
    if (outcome.kind === 'error') return `${outcome.code} ${outcome.message}`
    return expected === undefined ? 'no expectation' : difference(expected, outcome.answer, true)
  }

  await t.test('with the store away queries go on for a while, then new ones are told, and it heals', async t => {
    await allActive()
    const running = ask(hosts.coordinator(1), q18)
    await etcd.kill(0)
    const awayMs = systemClock.nowMs()
    t.equal(fault(await running, q18), undefined, 'one that runs')
    t.equal(fault(await ask(hosts.coordinator(0), q3), q3), undefined, 'a new one')
    await until('new ones are refused', 2 * GRACE_MS + SEEN_WITHIN_MS, async () => {
      const outcome = await ask(hosts.coordinator(0), q3)
      if (outcome.kind === 'rows') return false
      t.match(outcome, { code: 'UNAVAILABLE', message: /coordinator \S+ has not reached the store for \d+ ms/ })
      return true
    })
    t.ok(systemClock.nowMs() - awayMs >= GRACE_MS, 'not before the time of grace is over')
    etcd.restart(0)
    await etcd.ready()
    await until('it is taken again', SEEN_WITHIN_MS, async () =>
      fault(await ask(hosts.coordinator(0), q3), q3) === undefined)
    await allActive()
  })

  for (const cut of ['both', 'answers', 'requests'] as const satisfies readonly Cut[]) {
    await t.test(`an executor whose network is cut (${cut}) is used no more, and comes back as another`, async t => {
      await allActive()
      const address = `127.0.0.1:${executorProxy.port}`
      const before = (await operator.executors()).find(each => each.address === address)
      const running = ask(hosts.coordinator(0), q18)
      executorProxy.cut = storeProxy.cut = cut
      t.equal(fault(await running, q18), undefined, 'a query that it worked for')
      await until('it is no member', GONE_WITHIN_MS, async () => (await operator.executors()).length === 2)
      const outcome = await ask(hosts.coordinator(0), q3)
      t.equal(fault(outcome, q3), undefined, 'a query without it')
      executorProxy.cut = storeProxy.cut = 'none'
      await allActive()
      const after = (await operator.executors()).find(({ id }) => id === before?.id)
      t.equal(after?.pid, before?.pid, 'the same process')
      t.equal(fault(await ask(hosts.coordinator(0), q3), q3), undefined, 'a query with what is new of it')
    })
  }

  await t.test('when one of two coordinators dies, its clients go on at the other; others see nothing', async t => {
    await allActive()
    const [survivor, victim] = [hosts.coordinator(0), hosts.coordinator(1)]
    let stopped = false
    const faults: string[] = []
    const retriedMs: number[] = []
    let [answers, broken] = [0, 0]
    const client = async (own: Skein): Promise<void> => {
      for (let index = q3; !stopped; index = index === q3 ? 5 : q3) {
        try {
          const found = fault(await ask(own, index), index)
          if (found === undefined) answers++
          else faults.push(`at ${own === victim ? 'the victim' : 'the survivor'}: ${found}`)
        } catch (error) {
          if (own === survivor) {
            faults.push(`at the survivor: ${String(error)}`)
            continue
          }
          broken++
          own = survivor
          const startMs = systemClock.nowMs()
          const found = fault(await own.query('SELECT count(*) AS n FROM nation'), -1)
          if (found !== 'no expectation') faults.push(`on retry: ${found}`)
          retriedMs.push(systemClock.nowMs() - startMs)
        }
      }
    }
    const clients = Array.from({ length: CLIENTS }, (_, i) => client(i % 2 === 0 ? survivor : victim))
    await until('both are busy', 4 * SEEN_WITHIN_MS, () => answers >= CLIENTS)
    await hosts.kill('coordinator', 1)
    await until('its clients have gone on', 4 * SEEN_WITHIN_MS, () => retriedMs.length >= CLIENTS / 2)
    stopped = true
    await Promise.all(clients)
    t.strictSame(faults, [])
    t.equal(broken, CLIENTS / 2)
    t.comment(`${answers} answers; retried within ${Math.round(Math.max(...retriedMs))} ms`)
    t.ok(Math.max(...retriedMs) < RETRY_WITHIN_MS, `within ${RETRY_WITHIN_MS} ms`)
  })
}
