/** Runs every scenario of the simulation for the seeds it is given, and tells of each seed what came of it. */

import { parentPort, workerData } from 'node:worker_threads'
import * as scenarios from '../sim/scenarios.ts'

export interface Simulated {
  readonly seed: number
  readonly queries: number
  readonly answers: number
  readonly found: readonly string[]
}

Error.stackTraceLimit = 0 // thousands of typed errors are made and caught

for (const seed of workerData as readonly number[]) {
  let [queries, answers] = [0, 0]
  const found: string[] = []
  for (const [name, scenario] of Object.entries(scenarios)) {
    const run = await scenario(seed)
    queries += run.queries
    answers += run.counts['answers'] ?? 0
    found.push(...run.found.map(text => `${name}: ${text}`))
  }
  const simulated: Simulated = { seed, queries, answers, found }
  parentPort?.postMessage(simulated)
}
