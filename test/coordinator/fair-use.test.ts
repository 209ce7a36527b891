/** What groups and users get of the cluster over time, by admission's own decisions. */

import t from 'tap'
import { ask, leave, noQueries, withBudget, type Decision } from '../../coordinator/admission.ts'
import type { QueryId } from '../../proto/ids.ts'
import { DEFAULT_GROUP } from '../../proto/resource-group.ts'

/** Asks for as many queries at once as it has clients, each as soon as the last one has ended. */
interface Load {
  readonly user: string
  readonly group?: string
  readonly weight?: number
  readonly clients: number
  readonly slots: number
  readonly runMs: number
  readonly fromMs?: number
}

const SLOTS = 32

/** Slot time of each load until each of `untilMs`, and how long a query of it has waited at most. */
function run(loads: readonly Load[], ...untilMs: number[]): { used: number[][]; waitedMs: number[] } {
  let state = withBudget(noQueries, { memoryBytes: 1e12, slots: SLOTS }, 0).next
  const used = loads.map(() => 0)
  const waitedMs = loads.map(() => 0)
  const seen: number[][] = []
  const running: { query: QueryId; load: number; endMs: number }[] = []
  const sinceMs = new Map<QueryId, number>()
  let count = 0
  let nowMs = 0
  const take = ({ next, admitted }: Decision): void => {
    state = next
    for (const query of admitted) {
      const load = Number(query.split('-')[1])
      running.push({ query, load, endMs: nowMs + (loads[load]?.runMs ?? 0) })
      waitedMs[load] = Math.max(waitedMs[load] ?? 0, nowMs - (sinceMs.get(query) ?? 0))
    }
  }
  const submit = (load: number): void => {
    const query = `q${count++}-${load}` as QueryId
    const { user = '', group = 'default', weight = 1, slots = 1 } = loads[load] ?? {}
    sinceMs.set(query, nowMs)
    take(ask(state, {
      query, user, slots, memoryBytes: 1, group: { ...DEFAULT_GROUP, name: group, weight }, sinceMs: nowMs,
      untilMs: Infinity,
    }))
  }
  for (; nowMs <= Math.max(...untilMs); nowMs += 100) {
    if (untilMs.includes(nowMs)) seen.push([...used])
    loads.forEach(({ clients, fromMs = 0 }, load) => {
      if (fromMs === nowMs) for (let i = 0; i < clients; i++) submit(load)
    })
    for (const done of running.filter(({ endMs }) => endMs <= nowMs)) {
      running.splice(running.indexOf(done), 1)
      take(leave(state, done.query, nowMs))
      submit(done.load)
    }
    for (const { load } of running) used[load] = (used[load] ?? 0) + 100 * (loads[load]?.slots ?? 0)
  }
  return { used: seen, waitedMs }
}

/** Of the first among all. */
function share(used: readonly number[] = [], before: readonly number[] = []): number {
  const spent = used.map((ms, i) => ms - (before[i] ?? 0))
  return (spent[0] ?? 0) / spent.reduce((sum, ms) => sum + ms)
}

const bi = { user: 'ann', group: 'bi', weight: 3, clients: 40, slots: 2, runMs: 1_300 }
const etl = { user: 'eve', group: 'etl', weight: 1, clients: 40, slots: 1, runMs: 7_000 }

t.test('groups get the cluster by their weights, whatever their queries are like', async t => {
  for (const loads of [
    [bi, etl], [bi, { ...etl, slots: 5 }], [{ ...bi, slots: 3, runMs: 5_000 }, { ...etl, runMs: 200 }],
  ]) {
    const [used] = run(loads, 60_000).used
    t.ok(Math.abs(share(used) - 0.75) < 0.02, `${share(used)}`)
  }
})

t.test('what one had before the other came is not held against it, and what it did not want is not owed', async t => {
  const { used: [before, after], waitedMs } = run([{ ...bi, fromMs: 60_000 }, etl], 60_000, 120_000)
  t.equal(share(before), 0)
  t.ok(Math.abs(share(after, before) - 0.75) < 0.04, `${share(after, before)}`)
  t.ok((waitedMs[1] ?? Infinity) < 60_000, `${waitedMs[1]} ms`)
})

t.test('what one got besides, for want of room for the other, is paid back', async t => {
  // all at once, and one slot is left again and again that only the second can use
  const { used: [used] } = run([{ ...etl, clients: 100 }, { ...bi, clients: 100, slots: 7 }].reverse(), 60_000)
  t.ok(Math.abs(share(used) - 0.75) < 0.03, `${share(used)}`)
})

t.test('the users of a group get the same', async t => {
  const user = (name: string, runMs: number): Load => ({ user: name, clients: 40, slots: 1, runMs })
  const [used] = run([user('ann', 300), user('bob', 4_000)], 60_000).used
  t.ok(Math.abs(share(used) - 0.5) < 0.02, `${share(used)}`)
})

t.test('a group of small weight waits no longer than others need to catch up', async t => {
  const { waitedMs } = run([{ ...etl, clients: 1, slots: 32, runMs: 600_000 }, { ...bi, weight: 100, clients: 200,
    fromMs: 100 }, { ...etl, user: 'tim', clients: 1, fromMs: 599_000 }], 660_000)
  t.ok((waitedMs[2] ?? Infinity) < 45_000, `${waitedMs[2]} ms`)
})
