/**
 * Distributed queries on a cluster of hosts over an etcd of three members: in each, a random executor is killed at a
 * random moment, with the command that would start it again, as when its host dies. It is started anew while the next
 * queries run, which may find one executor less.
 */

import { systemClock } from '../../proto/clock.ts'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { EtcdServers } from '../etcd-server.ts'
import { mulberry32 } from '../random.ts'
import { Hosts } from './hosts.ts'
import { killRun, questionsOf } from './kill-runs.ts'
import type { TpchData } from './tpch-runs.ts'
import { Operator, until } from './watch.ts'

const EXECUTORS = 4
/** Of them, before the next query: one is on its way back. */
const ACTIVE_BEFORE = 3
const BACK_WITHIN_MS = 60_000

export interface HostKillOptions {
  readonly data: TpchData
  readonly folder: string
  readonly runs: number
  readonly seed: number
  readonly onRun: (line: string) => void
}

export interface HostKillResult {
  /** One line for each wrong answer or error. */
  readonly faults: readonly string[]
  readonly hits: number
  readonly again: number
  /** Of the time of a query in which an executor died, to that of the same query before: over the hits. */
  readonly medianRatio: number
}

export async function hostKillRuns({ data, folder, runs, seed, onRun }: HostKillOptions): Promise<HostKillResult> {
  const random = mulberry32(seed)
  const etcd = await EtcdServers.start(3)
  const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }
  const store = { etcd: etcd.hosts }
  const hosts = await Hosts.start(
    { folder, store, coordinators: 1, executors: EXECUTORS, config: tpchConfig(data.folder), environment },
  ).catch(async (reason: unknown) => {
    await etcd.stop()
    throw reason
  })
  const operator = new Operator(hosts.coordinator(0).doors)
  const faults: string[] = []
  const ratios: number[] = []
  let [hits, again] = [0, 0]
  let restarting: Promise<unknown> = Promise.resolve()
  const active = async (): Promise<number> =>
    (await operator.executors()).filter(({ state }) => state === 'active').length
  try {
    const questions = questionsOf(data)
    for (let run = 0; run < runs; run++) {
      const question = questions[run % questions.length]
      if (question === undefined) throw new Error('no question')
      await until('enough executors are there', BACK_WITHIN_MS, async () => await active() >= ACTIVE_BEFORE)
      const index = Math.floor(random() * EXECUTORS)
      await restarting
      let dead: Promise<void> = Promise.resolve()
      const outcome = await killRun(hosts.coordinator(0), question, () => {
        dead = hosts.kill('executor', index)
      }, random())
      restarting = dead.then(() => hosts.restart('executor', index))
      restarting.catch((reason: unknown) => faults.push(`executor ${index + 1} did not come back: ${String(reason)}`))
      const { hit, usualMs, elapsedMs, killedMs } = outcome
      if (hit) {
        hits++
        ratios.push(elapsedMs / usualMs)
      }
      if (outcome.again) again++
      if (outcome.fault !== undefined) faults.push(`run ${run}, ${question.name}: ${outcome.fault}`)
      onRun(`${run} ${question.name}: ${Math.round(usualMs)} ms before; killed after ${Math.round(killedMs)} of `
        + `${Math.round(elapsedMs)} ms${hit ? '' : ', too late'}${outcome.again ? ', tasks made again' : ''}`)
    }
    await restarting
    await until('all are back', BACK_WITHIN_MS, async () => await active() === EXECUTORS)
  } catch (error) {
    throw new Error(`${String(error)}; ${faults.join('; ')}`, { cause: error })
  } finally {
    operator.close()
    await restarting.catch(() => undefined) // told above
    await hosts.stop().finally(() => etcd.stop())
  }
  return { faults, hits, again, medianRatio: median(ratios) }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** As long as it takes; for lines of progress. */
export function stopwatch(): () => string {
  const startMs = systemClock.nowMs()
  return () => `${Math.round((systemClock.nowMs() - startMs) / 1_000)} s`
}
