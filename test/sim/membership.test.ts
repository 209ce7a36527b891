/**
 * Membership over a store that is far, lossy, and cut off one way or both, with clocks that stand and run differently:
 * who trusts its lease has it; who lost it never comes back as what it was; and all agree once the network is whole.
 * `SEED=17` repeats one run, `SEEDS=2000` or `SEEDS=2001-4000` does more.
 */

import t from 'tap'
import { memberKey } from '../../cluster/keys.ts'
import { MembershipView } from '../../cluster/membership.ts'
import { LEASE_TTL_MS, Registration } from '../../cluster/registration.ts'
import type { Clock } from '../../proto/clock.ts'
import { encodeExecutorInfo, executorInfo, WIRE_VERSION } from '../../proto/cluster-values.ts'
import type { ExecutorId } from '../../proto/ids.ts'
import { seedsOf } from './seeds.ts'
import { Simulation } from './simulation.ts'
import { skewedClock } from './skewed-clock.ts'
import { SimulatedStore, StoreLink } from './store.ts'

const seeds = seedsOf(process.env, '40')
const EXECUTORS = 4
const GRACE_MS = 5_000
/** Of a lease's time, what a process trusts; the rest is for clocks that run wrong. */
const TRUSTED_MS = 0.7 * LEASE_TTL_MS
const CUT_FOR_MS = 120_000
const STEP_MS = 100
/** A lease, and its registration anew; lists come every 30 s at the latest. */
const SETTLED_MS = 60_000
const DUCKDB = 'v1'
/** Up to an hour off, and a tenth faster or slower. */
const SKEW = { maxOffsetMs: 3_600_000, maxDrift: 0.1 }

class Member {
  incarnation = 0
  registration: Registration | null = null
  readonly id: ExecutorId
  readonly link: StoreLink
  readonly clock: Clock

  constructor(simulation: Simulation, store: SimulatedStore, index: number) {
    this.id = `e${index}` as ExecutorId
    this.link = new StoreLink(simulation, store)
    this.clock = skewedClock(simulation, SKEW)
  }

  value(): Uint8Array {
    return encodeExecutorInfo(executorInfo({
      id: this.id, incarnation: `${this.id}-${this.incarnation}`, address: 'h:1', slots: 1, duckdbVersion: DUCKDB,
      wireVersion: WIRE_VERSION,
    }))
  }

  async start(): Promise<void> {
    this.registration = await Registration.start({
      store: this.link, clock: this.clock, key: memberKey(this.id), name: this.id, graceMs: GRACE_MS,
      value: () => this.value(), onLost: () => { this.incarnation++ },
      onUsurped: cause => { throw cause }, onReach: () => undefined,
    })
  }

  takesWork(): boolean {
    try {
      this.registration?.check()
      return true
    } catch {
      return false
    }
  }
}

async function faultsOf(seed: number): Promise<{ readonly faults: string[]; readonly lost: number }> {
  const simulation = new Simulation(seed)
  const store = new SimulatedStore(simulation)
  const members = Array.from({ length: EXECUTORS }, (_, i) => new Member(simulation, store, i + 1))
  const faults: string[] = []
  const watcher = new StoreLink(simulation, store)
  const view = new MembershipView({
    store: watcher, clock: skewedClock(simulation, SKEW), duckdbVersion: DUCKDB, onEvent: () => undefined,
  })
  const started = Promise.all([view.start(), ...members.map(member => member.start())])
  await simulation.run(2_000)
  await started
  for (const link of [watcher, ...members.map(member => member.link)]) {
    link.loss = seed % 3 === 0 ? 0 : 0.05
    for (let i = 0; i < 3; i++) {
      const atMs = simulation.draw(0, CUT_FOR_MS)
      const way = (['requests', 'answers', 'both'] as const)[simulation.draw(0, 3)] ?? 'both'
      simulation.clock.after(atMs, () => { link.cut = way })
      simulation.clock.after(atMs + simulation.draw(500, 40_000), () => { link.cut = 'none' })
    }
  }
  /** Since when each has been cut off, by the simulation's time. */
  const cutSince = new Map<Member, number>()
  for (let passed = 0; passed < CUT_FOR_MS + 40_000; passed += STEP_MS) {
    await simulation.run(STEP_MS)
    for (const member of members) {
      const entry = store.entries.get(memberKey(member.id))
      const holds = entry !== undefined && Buffer.from(entry.value).equals(member.value())
      if (member.registration?.doubtful === false && !holds) faults.push(`${member.id} trusts a lease that it has not`)
      if (member.link.cut === 'none') cutSince.set(member, simulation.clock.nowMs())
      const cutMs = simulation.clock.nowMs() - (cutSince.get(member) ?? 0)
      // its clock may run a tenth slower, and the last call may have been under way
      if (cutMs > (TRUSTED_MS + GRACE_MS) / 0.9 + 2 * STEP_MS && member.takesWork()) {
        faults.push(`${member.id} takes work ${cutMs} ms after it was cut off`)
      }
    }
  }
  for (const link of [watcher, ...members.map(member => member.link)]) [link.loss, link.cut] = [0, 'none']
  await simulation.run(SETTLED_MS)
  const back = members.flatMap(member => {
    const entry = store.entries.get(memberKey(member.id))
    const shown = view.members().find(({ id }) => id === member.id)?.incarnation
    if (entry === undefined || !Buffer.from(entry.value).equals(member.value())) return [`${member.id} is no member`]
    if (shown !== `${member.id}-${member.incarnation}`) return [`${member.id} is seen as ${shown}`]
    return member.takesWork() ? [] : [`${member.id} takes no work`]
  })
  const now = [...store.entries.values()].map(({ value }) => Buffer.from(value).toString('hex'))
  const revived = store.ended.filter(value => now.includes(Buffer.from(value).toString('hex')))
  if (revived.length > 0) faults.push(`${revived.length} came back as what they were`)
  const lost = members.reduce((sum, { incarnation }) => sum + incarnation, 0)
  view.close()
  const stopped = Promise.all(members.map(async member => member.registration?.stop()))
  await simulation.run(2_000)
  await stopped
  return { faults: [...new Set([...faults, ...back])].map(fault => `SEED=${seed}: ${fault}`), lost }
}

t.test('a lease that is trusted is held; one that was lost is lost; and all agree in the end', async t => {
  const found: string[] = []
  let lost = 0
  for (const seed of seeds) {
    const run = await faultsOf(seed)
    found.push(...run.faults)
    lost += run.lost
  }
  t.comment(`${lost} leases were lost`)
  t.strictSame(found, [])
  t.ok(lost > 0, `${lost} leases were lost`)
})
