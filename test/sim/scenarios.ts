/**
 * What the simulation puts a coordinator and its executors through, each for one seed: how many queries, what was found
 * wrong, and counts that show that the run was what it is meant to be.
 */

import { DutyKeeper } from '../../cluster/duty.ts'
import type { Clock } from '../../proto/clock.ts'
import { FlightResults } from '../../coordinator/serve/flight-results.ts'
import { MAX_LOSSES } from '../../coordinator/stage.ts'
import type { QueryError } from '../../proto/errors.ts'
import { Signer } from '../../proto/signed-text.ts'
import { noFaults, SimulatedCluster, type Outcome } from './cluster.ts'
import type { Faults } from './network.ts'
import { isSorted } from './program.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import { skewedClock, type Skew } from './skewed-clock.ts'

export interface Run {
  readonly queries: number
  readonly found: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

/** Quiet time at the end: enough for every retry of a release. */
const SETTLE_MS = 30_000
/** Queries, and for how long they come. */
const CROWD = 100
const CROWD_MS = 60_000
const LOSSY: Faults = { loseCall: 0.02, doubleCall: 0.05, breakStream: 0.01, maxDelayMs: 60 }
/** Two of them are up to ten minutes apart, and draw apart by 0.4 ms a second. */
const SKEW: Skew = { maxOffsetMs: 300_000, maxDrift: 0.0002 }
const OTHER_SKEW: Skew = { maxOffsetMs: 600_000, maxDrift: 0.0004 }
/** Seven stages, whose tasks keep to the executor on which they are thirty times slower: 24 s each at most. */
const SLOW_CHAIN_MS = 240_000
const ENDED: readonly string[] = ['finished', 'failed', 'cancelled']

/** What is wrong with an outcome, or null. */
function fault(outcome: Outcome, allowed: readonly string[]): string | null {
  const { id, rows, error, expected, planned } = outcome
  if (error !== null) {
    return allowed.includes(error.code) || isHeldForPoison(error, outcome) ? null
      : `${id} failed: ${error.code} ${error.message}`
  }
  const values = (rows ?? []).map(({ value }) => value)
  if (!isSorted(planned)) values.sort((a, b) => a - b)
  if (JSON.stringify(values) !== JSON.stringify(expected)) return `${id} gave ${values.join()} for ${expected.join()}`
  const attempts = new Map<string, Set<string>>()
  for (const mark of new Set((rows ?? []).flatMap(({ marks }) => marks))) {
    const [task = '', attempt = ''] = mark.split('@')
    attempts.set(task, (attempts.get(task) ?? new Set()).add(attempt))
  }
  const mixed = [...attempts].filter(([, of]) => of.size > 1)
  return mixed.length === 0 ? null : `${id} mixed attempts of ${mixed.map(([task]) => task).join()}`
}

/** So many executors were lost under it that it is stopped, as what may have ended them: no query here does. */
function isHeldForPoison({ code, message }: QueryError, { losses }: Outcome): boolean {
  const verdict = `${MAX_LOSSES} executors were lost while they ran partition `
  return code === 'INTERNAL' && message.startsWith(verdict) && losses >= MAX_LOSSES
}

/** What must hold after every run. */
async function ended(
  cluster: SimulatedCluster, allowed: readonly string[], found: readonly string[] = [],
): Promise<Run> {
  const { simulation, network, service, outcomes } = cluster
  network.faults = noFaults
  network.cut.clear()
  const queries = service.list().length
  await simulation.run(cluster.deadlineMs + 5_000, () => outcomes.length === queries)
  const stuck = service.list().filter(query => !ENDED.includes(query.state()))
  await simulation.run(SETTLE_MS)
  const errors = outcomes.filter(({ error }) => error !== null).length
  return {
    queries, counts: { answers: outcomes.length - errors, errors },
    found: [
      ...found,
      ...outcomes.map(outcome => fault(outcome, allowed)).filter(one => one !== null),
      ...stuck.map(query => `${query.id} is stuck in ${query.state()}`),
      ...(outcomes.length < queries ? [`${queries - outcomes.length} clients wait for ever`] : []),
      ...cluster.executors.filter(({ alive }) => alive).flatMap(executor => executor.leftovers()),
      ...simulation.crashes.map(String),
      ...simulation.universe.running().filter(name => /^(query|stage) /.test(name)).map(name => `${name} runs on`),
    ],
  }
}

/** Some executor dies and comes back, or not, or hangs; some are slow. */
function disturb(cluster: SimulatedCluster, executors: number): void {
  const { simulation } = cluster
  const id = `e${simulation.draw(1, 1 + executors)}`
  if (simulation.chance(0.2)) cluster.slow(id, simulation.draw(2, 10))
  if (simulation.chance(0.3)) cluster.cutOff(id, simulation.draw(500, 8_000))
  else cluster.kill(id, simulation.chance(0.8) ? simulation.draw(300, 3_000) : null)
}

export async function undisturbed(seed: number): Promise<Run> {
  const cluster = new SimulatedCluster(
    seed, { executors: 1 + seed % 4, faults: noFaults, holdBytes: seed % 2 === 0 ? 100 : 1_000_000 },
  )
  for (let i = 0; i < 3; i++) cluster.submit(undefined, i * 50)
  return ended(cluster, [])
}

export async function disturbed(seed: number): Promise<Run> {
  const executors = 2 + seed % 3
  const cluster = new SimulatedCluster(
    seed, { executors, holdBytes: seed % 5 === 0 ? 100 : 1_000_000, faults: LOSSY },
  )
  const { simulation } = cluster
  for (let i = 0; i < 4; i++) {
    // some readers are so slow that what was held for them is let go of
    const slowMs = simulation.chance(0.2) ? 700 : simulation.draw(0, 100)
    simulation.clock.after(simulation.draw(0, 4_000), () => { cluster.submit(undefined, slowMs) })
  }
  for (let i = 0; i < 4; i++) simulation.clock.after(simulation.draw(200, 8_000), () => disturb(cluster, executors))
  await simulation.run(15_000)
  return ended(cluster, ['EXECUTOR_LOST', 'NO_EXECUTOR'])
}

export async function stragglers(seed: number): Promise<Run> {
  const cluster = new SimulatedCluster(seed, {
    executors: 4, slots: 2, holdBytes: 1_000_000, faults: seed % 8 === 0 ? noFaults : LOSSY, deadlineMs: SLOW_CHAIN_MS,
  })
  const { simulation } = cluster
  cluster.slow('e1', 30)
  for (let i = 0; i < 3; i++) simulation.clock.after(simulation.draw(0, 2_000), () => { cluster.submit() })
  if (seed % 5 === 0) simulation.clock.after(simulation.draw(1_000, 6_000), () => cluster.kill('e2', 2_000))
  await simulation.run(60_000)
  const tasks = cluster.service.list().flatMap(query => query.tasks())
  const twice = tasks.filter(({ attempt, state }) => attempt > 0 && state === 'succeeded').length
  const run = await ended(cluster, ['EXECUTOR_LOST'])
  return { ...run, counts: { ...run.counts, twice } }
}

/**
 * Results of several tasks, some of them slow: their rows are held back, or go out while two attempts make them, to
 * clients that begin to read at any moment, many just as a second attempt ends; the actors hear of it late; some
 * executors die in the middle of it, or are cut off.
 */
export async function slowResults(seed: number): Promise<Run> {
  const lost = seed % 2 === 0 ? 0 : seed % 4
  // a stream of news that breaks twice in a row is a lost executor
  const faults = lost > 0 ? LOSSY : { ...LOSSY, breakStream: 0 }
  const cluster = new SimulatedCluster(seed, {
    executors: 4, slots: 2, holdBytes: [1_000_000, 100, 20][seed % 3] ?? 0, faults,
    turnMs: [0, 5, 20][(seed >> 2) % 3] ?? 0,
  })
  const { simulation } = cluster
  cluster.slow('e1', simulation.draw(1, 20), simulation.draw(1, 200))
  const ofSeveral = (): PlannedQuery => {
    for (;;) {
      const planned = cluster.randomQuery()
      if (planned.fragments.at(-1)?.tasks !== 'one') return planned
    }
  }
  const beginning = new Map<string, () => void>()
  cluster.onResult((query, attempt) => {
    if (attempt > 0) simulation.clock.after(simulation.draw(0, faults.maxDelayMs), () => beginning.get(query)?.())
  })
  for (let i = 0; i < 4; i++) {
    const slowMs = [0, 0, 30, 700][simulation.draw(0, 4)] ?? 0
    simulation.clock.after(simulation.draw(0, 2_000), () => {
      let begin = (): void => undefined
      const first = new Promise<void>(resolve => { begin = resolve })
      const query = cluster.submit(ofSeveral(), { slowMs, first })
      beginning.set(query.id, begin)
      simulation.clock.after(simulation.chance(0.3) ? 0 : simulation.draw(3_000, 15_000), begin)
    })
  }
  for (let i = lost; i > 0; i--) {
    // the slow one too, in the middle of what it makes
    const id = `e${simulation.draw(1, 5)}`
    simulation.clock.after(simulation.draw(1_000, 12_000), () => {
      if (simulation.chance(0.5)) cluster.kill(id, simulation.draw(300, 3_000))
      else cluster.cutOff(id, simulation.draw(500, 8_000))
    })
  }
  await simulation.run(60_000)
  const twice = { begun: 0, counted: 0 }
  for (const query of cluster.service.list()) {
    const last = Math.max(...query.tasks().map(({ stage }) => stage))
    const seconds = query.tasks().filter(({ stage, attempt }) => stage === last && attempt > 0)
    twice.begun += seconds.length
    twice.counted += seconds.filter(({ state }) => state === 'succeeded').length
  }
  // where no executor is lost, the rows that are with a client never are
  const run = await ended(cluster, lost > 0 ? ['EXECUTOR_LOST', 'NO_EXECUTOR'] : [])
  return { ...run, counts: { ...run.counts, ...twice } }
}

/**
 * The coordinator's clock is right, those of executors and of another coordinator are not. What is shown to the other
 * one meanwhile is a ticket of a statement here: it has to know whose it is.
 */
export async function skewedClocks(seed: number): Promise<Run> {
  const executors = 2 + seed % 3
  const cluster = new SimulatedCluster(seed, {
    executors, holdBytes: seed % 2 === 0 ? 100 : 1_000_000, faults: LOSSY, skew: SKEW,
  })
  const { simulation } = cluster
  const resultsOf = (coordinator: string, clock: Clock): FlightResults =>
    new FlightResults(new Signer(new Uint8Array(32), clock), clock, coordinator, new DutyKeeper('coordinator'))
  const [here, other] = [resultsOf('c1', simulation.clock), resultsOf('c2', skewedClock(simulation, OTHER_SKEW))]
  const found: string[] = []
  for (let i = 0; i < 4; i++) {
    simulation.clock.after(simulation.draw(0, 4_000), () => {
      const query = cluster.submit(undefined, simulation.draw(0, 60))
      const { handle } = here.add(query, thrown => thrown)
      simulation.clock.after(simulation.draw(0, 8_000), () => {
        if (other.otherOwner(handle) !== 'c1') found.push(`${query.id} is not found by its ticket`)
        here.find(handle, query.request.principal)
      })
    })
  }
  for (let i = 0; i < 2; i++) simulation.clock.after(simulation.draw(200, 8_000), () => disturb(cluster, executors))
  await simulation.run(15_000)
  return ended(cluster, ['EXECUTOR_LOST', 'NO_EXECUTOR'], found)
}

export async function cancelled(seed: number): Promise<Run> {
  const cluster = new SimulatedCluster(
    seed, { executors: 3, holdBytes: 200, faults: { ...noFaults, loseCall: 0.02 } },
  )
  const { simulation } = cluster
  const late: string[] = []
  for (let i = 0; i < 3; i++) {
    const query = cluster.submit(undefined, 100)
    simulation.clock.after(simulation.draw(0, 2_500), () => {
      if (seed % 2 === 0) query.cancel('the user said so')
      else query.release()
      simulation.clock.after(1_000, () => { if (!ENDED.includes(query.state())) late.push(`${query.id} runs on`) })
    })
  }
  await simulation.run(10_000)
  return ended(cluster, ['CANCELLED', 'NOT_FOUND', 'EXECUTOR_LOST'], late)
}

export async function hungry(seed: number): Promise<Run> {
  const options = { executors: 1 + seed % 3, faults: noFaults, holdBytes: 1_000_000 }
  const cluster = new SimulatedCluster(seed, options)
  // the estimate is a few MB; an executor has 1 GB, of which a second try gets a half
  cluster.needMemory(1n << 29n)
  cluster.submit()
  await cluster.simulation.run(20_000)
  const first = await ended(cluster, [])
  const larger = new SimulatedCluster(seed, options) // where no result is kept that would answer the same question
  larger.needMemory(1n << 40n)
  larger.submit()
  await larger.simulation.run(20_000)
  const { error } = larger.outcomes.at(-1) ?? {}
  const wrong = error?.code === 'OUT_OF_MEMORY' ? [] : [`no OUT_OF_MEMORY but ${error?.code}`]
  return { queries: first.queries + 1, found: [...first.found, ...wrong], counts: first.counts }
}

export async function filesGo(seed: number): Promise<Run> {
  const cluster = new SimulatedCluster(seed, { executors: 3, faults: noFaults, holdBytes: 100 })
  cluster.submit(undefined, 1_000) // a slow client: the query lives for long after its last stage has read
  await cluster.simulation.run(10_000)
  const removed = cluster.executors.reduce((sum, { removedFiles }) => sum + removedFiles, 0)
  const early = cluster.service.list().some(query => query.state() === 'running')
  const left = early ? cluster.executors.flatMap(one => one.leftovers()).filter(what => what.includes(': file ')) : []
  const run = await ended(cluster, [], left)
  return { ...run, counts: { ...run.counts, removed } }
}

export async function unread(seed: number): Promise<Run> {
  const cluster = new SimulatedCluster(seed, { executors: 1 + seed % 3, faults: noFaults, holdBytes: 30 })
  cluster.submit(undefined, 60_000) // takes a frame a minute
  await cluster.simulation.run(15_000)
  const booked = cluster.executors.flatMap(({ id, booked }) => [...booked].map(query => `${query} on ${id}`))
  return ended(cluster, ['DEADLINE_EXCEEDED'], booked)
}

export async function asksAgain(seed: number): Promise<Run> {
  const cluster = new SimulatedCluster(seed, {
    executors: 1 + seed % 3, holdBytes: seed % 3 === 0 ? 30 : 1_000_000,
    faults: seed % 2 === 0 ? noFaults : { ...LOSSY, breakStream: 0.02 },
  })
  const { simulation } = cluster
  const planned = cluster.randomQuery()
  const ask = () => cluster.submit(planned, simulation.draw(0, 60))
  const asked = [ask()]
  for (let i = 0; i < 6; i++) simulation.clock.after(simulation.draw(2_000, 20_000), () => { asked.push(ask()) })
  for (const executor of cluster.executors) {
    simulation.clock.after(simulation.draw(5_000, 20_000), () => executor.forgetKept())
  }
  if (seed % 4 === 1) simulation.clock.after(simulation.draw(4_000, 15_000), () => cluster.kill('e1', 1_000))
  await simulation.run(30_000)
  const run = await ended(cluster, ['EXECUTOR_LOST', 'NO_EXECUTOR'])
  const uses = { hit: 0, miss: 0, off: 0 }
  for (const query of asked) uses[query.stats().result_cache]++
  return { ...run, counts: { ...run.counts, ...uses } }
}

/** Many users at once for a long time, more than are admitted together; executors come and go all the while. */
export async function crowd(seed: number): Promise<Run> {
  const executors = 2 + seed % 4
  const cluster = new SimulatedCluster(seed, {
    executors, holdBytes: seed % 5 === 0 ? 100 : 1_000_000, faults: seed % 3 === 0 ? noFaults : LOSSY,
  })
  const { simulation } = cluster
  for (let i = 0; i < CROWD; i++) {
    simulation.clock.after(simulation.draw(0, CROWD_MS), () => {
      const slowMs = simulation.chance(0.1) ? 700 : simulation.draw(0, 60)
      const query = cluster.submit(undefined, { slowMs, user: `user${simulation.draw(0, 8)}` })
      if (!simulation.chance(0.05)) return
      simulation.clock.after(simulation.draw(0, 4_000), () => query.cancel('the user said so'))
    })
  }
  for (let at = 0; at < CROWD_MS; at += 5_000) {
    simulation.clock.after(at + simulation.draw(0, 5_000), () => disturb(cluster, executors))
  }
  await simulation.run(CROWD_MS)
  // more may be asked for than is done before their deadlines
  const run = await ended(cluster, ['EXECUTOR_LOST', 'NO_EXECUTOR', 'CANCELLED', 'NOT_FOUND', 'QUERY_QUEUE_FULL',
    'DEADLINE_EXCEEDED'])
  // all may have died for good in the middle of it
  const { answers = 0, errors = 0 } = cluster.executors.some(({ alive }) => alive) ? run.counts : {}
  return { ...run, counts: { ...run.counts, served: answers, unserved: errors } }
}
