/**
 * What becomes of queries while an etcd of three members is in trouble: its leader is killed, all of it is frozen for
 * 5 s, all of it is away for 30 s. What runs finishes, new queries go on for `store_grace` and are told after that, no
 * answer is wrong, and afterwards every executor is a member again by itself.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { delay, systemClock } from '../../proto/clock.ts'
import { Hosts } from '../cluster/hosts.ts'
import { makeTpch } from '../cluster/tpch-runs.ts'
import { Operator, until } from '../cluster/watch.ts'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'
import { difference } from '../sql/answer.ts'

const SCALE = 0.05
const EXECUTORS = 3
const CLIENTS = 4
/** Longer than the store is frozen, shorter than it is away. */
const GRACE_MS = 12_000
const [FROZEN_MS, AWAY_MS] = [5_000, 30_000]
const ACTIVE_WITHIN_MS = 90_000
const SEEN_MS = 5_000
/** With shuffles, some of a second and more. */
const QUERY_NUMBERS = [3, 5, 9, 18, 21]

interface Seen {
  readonly startedMs: number
  readonly endedMs: number
  /** null: the right answer. */
  readonly fault: string | null
}

if (haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-store-faults-'))
  const data = await makeTpch(SCALE, folder)
  const etcd = await EtcdServers.start(3)
  const hosts = await Hosts.start({
    folder: join(folder, 'hosts'), store: { etcd: etcd.hosts }, coordinators: 2, executors: EXECUTORS,
    config: { ...tpchConfig(data.folder), store_grace: `${GRACE_MS}ms` },
    environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
  })
  const operators = hosts.coordinators.map(one => new Operator(one?.doors ?? {}))
  t.teardown(async () => {
    for (const operator of operators) operator.close()
    await hosts.stop()
    await etcd.stop()
    await rm(folder, { recursive: true, force: true })
  })
  /** /readyz: a query that is sent there now could run, so it has reached the store. */
  const isReady = async (coordinator: number): Promise<boolean> =>
    (await fetch(`${hosts.coordinators[coordinator]?.doors['http'] ?? ''}/readyz`)).status === 200
  const allActive = (): Promise<number> => until('all are active', ACTIVE_WITHIN_MS, async () => {
    if (!(await Promise.all(hosts.coordinators.map((_, i) => isReady(i)))).every(ready => ready)) return false
    const seen = await Promise.all(operators.map(operator => operator.executors()))
    return seen.every(each => each.filter(({ state }) => state === 'active').length === EXECUTORS)
  })
  const incarnations = async (): Promise<string> =>
    (await operators[0]?.executors() ?? []).map(({ id, pid }) => `${id} ${pid}`).sort().join()

  /** Clients of both coordinators, until the returned function is called: everything that they saw. */
  const load = (): (() => Promise<readonly Seen[]>) => {
    const seen: Seen[] = []
    let isOver = false
    const queries = tpchQueries(SCALE)
    const client = async (own: number): Promise<void> => {
      for (let turn = own; !isOver; turn++) {
        const number = QUERY_NUMBERS[turn % QUERY_NUMBERS.length]
        const index = queries.findIndex(query => query.number === number)
        const startedMs = systemClock.nowMs()
        const outcome = await hosts.coordinator(own % 2).query(queries[index]?.sql ?? '')
        const expected = data.answers[index]
        const fault = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
          : expected === undefined ? 'no expectation' : difference(expected, outcome.answer, true) ?? null
        seen.push({ startedMs, endedMs: systemClock.nowMs(), fault })
        if (fault?.startsWith('UNAVAILABLE') === true) await delay(systemClock, 200) // as it was told
      }
    }
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(i)))
    return async () => {
      isOver = true
      await clients
      return seen
    }
  }
  const faultsOf = (seen: readonly Seen[]): string[] => seen.flatMap(({ fault }) => fault ?? [])
  const slowest = (seen: readonly Seen[]): number =>
    Math.round(Math.max(...seen.map(({ startedMs, endedMs }) => endedMs - startedMs)))

  await t.test('the leader is killed: nobody notices', async t => {
    await allActive()
    const before = await incarnations()
    const end = load()
    await delay(systemClock, 1_000)
    const leader = await etcd.leader()
    await etcd.kill(leader)
    await delay(systemClock, SEEN_MS)
    etcd.restart(leader)
    await etcd.ready()
    await delay(systemClock, SEEN_MS)
    const seen = await end()
    t.comment(`${seen.length} queries, the slowest took ${slowest(seen)} ms`)
    t.strictSame(faultsOf(seen), [])
    await allActive()
    t.equal(await incarnations(), before, 'the same processes')
  })

  await t.test('all of it is frozen for 5 s: nobody notices', async t => {
    await allActive()
    const end = load()
    await delay(systemClock, 1_000)
    for (const i of [0, 1, 2]) etcd.freeze(i)
    await delay(systemClock, FROZEN_MS)
    for (const i of [0, 1, 2]) etcd.thaw(i)
    await delay(systemClock, SEEN_MS)
    const seen = await end()
    t.comment(`${seen.length} queries, the slowest took ${slowest(seen)} ms`)
    t.strictSame(faultsOf(seen), [])
    await allActive()
  })

  await t.test('all of it is away for 30 s: what runs finishes, new ones go on for a while, then are told', async t => {
    await allActive()
    const end = load()
    await delay(systemClock, 1_000)
    const awayMs = systemClock.nowMs()
    await Promise.all([0, 1, 2].map(i => etcd.kill(i)))
    await delay(systemClock, AWAY_MS)
    for (const i of [0, 1, 2]) etcd.restart(i)
    await etcd.ready()
    const backMs = systemClock.nowMs()
    const recoveredMs = await allActive()
    await delay(systemClock, SEEN_MS)
    const seen = await end()
    const refused = seen.filter(({ fault }) => fault !== null)
    const early = refused.filter(({ startedMs }) => startedMs - awayMs < GRACE_MS)
    const told = /^UNAVAILABLE: .*has not reached the store for \d+ ms/
    const untold = refused.filter(({ fault }) => !told.test(fault ?? ''))
    t.comment(`${seen.length} queries, ${refused.length} refused, the slowest took ${slowest(seen)} ms; `
      + `away for ${Math.round(backMs - awayMs)} ms, recovered ${Math.round(recoveredMs)} ms after`)
    t.strictSame(untold.map(({ fault }) => fault), [], 'what is refused is told why')
    t.strictSame(early.map(({ startedMs }) => Math.round(startedMs - awayMs)), [], 'not within the time of grace')
    t.ok(refused.length > 0, 'new ones are refused')
    const last = seen.filter(({ startedMs }) => startedMs > backMs + recoveredMs)
    t.ok(last.length > 0, 'queries run again')
    t.strictSame(faultsOf(last), [])
  })
}
