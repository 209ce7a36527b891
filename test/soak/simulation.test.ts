/**
 * Every scenario of the simulation over many seeds that no other test takes: 132 queries a seed. It runs in threads of
 * its own, one a processor, where the hooks of the test runner do not slow it down; `THREADS=1` keeps it to one.
 * `SEEDS=10001-17600` are a million. docs/SIMULATION.md has what was found so far.
 */

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { seedsOf } from '../sim/seeds.ts'
import type { Simulated } from './simulation-thread.ts'

const seeds = seedsOf(process.env, '1001-1200')
const threads = Math.min(seeds.length, Number(process.env['THREADS'] ?? availableParallelism()))
/** Most of what a query leaves is garbage soon. */
const YOUNG_MB = 64
const TOLD_EVERY_MS = 60_000

t.test('over many seeds every answer is right, or a typed error, and nothing is left', async t => {
  const found: string[] = []
  const [startedMs, total] = [systemClock.nowMs(), { queries: 0, answers: 0, seeds: 0 }]
  let toldMs = startedMs
  const tell = (): void => {
    const seconds = (systemClock.nowMs() - startedMs) / 1000
    const rate = Math.round(total.queries / seconds)
    t.comment(`${total.queries} simulated queries, ${total.answers} answers, ${total.seeds} seeds, ${found.length} `
      + `faults in ${Math.round(seconds)} s: ${rate} queries a second by ${threads} threads`)
  }
  const heard = ({ seed, queries, answers, found: wrong }: Simulated): void => {
    total.queries += queries
    total.answers += answers
    total.seeds++
    for (const text of wrong) {
      found.push(`SEED=${seed}: ${text}`)
      t.comment(`SEED=${seed}: ${text}`)
    }
    if (systemClock.nowMs() - toldMs < TOLD_EVERY_MS) return
    toldMs = systemClock.nowMs()
    tell()
  }
  await Promise.all(Array.from({ length: threads }, (_, i) => {
    const worker = new Worker(new URL('simulation-thread.js', import.meta.url), {
      workerData: seeds.filter((_, at) => at % threads === i),
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    worker.on('message', heard)
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => resolve())
    })
  }))
  tell()
  t.strictSame(found, [])
  t.equal(total.seeds, seeds.length)
  t.ok(total.queries >= 100 * seeds.length, `${total.queries} queries`)
})
