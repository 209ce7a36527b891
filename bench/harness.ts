/**
 * A against B on the same machine in the same minute. Rounds take turns, A B A B, so that a slow moment hits all sides
 * alike; what counts is the median over the rounds of the ratio to the first side. CPU time is counted besides wall
 * time, because it is the firmer of the two where others share the cores.
 */

import type { Clock } from '../proto/clock.ts'

export interface Side {
  readonly name: string
  /** Does the work once, all of it. */
  run(): Promise<void>
  /** Before each round, not measured: what the sides before have left is put away. */
  prepare?(): void
  /** CPU time that the side's processes have used since they started. */
  cpuMs(): number
}

export interface Measured {
  readonly name: string
  /** Medians over the rounds, for one run. */
  readonly wallMs: number
  readonly cpuMs: number
  /** Medians over the rounds of this side divided by the first one. */
  readonly wallRatio: number
  readonly cpuRatio: number
}

/** CPU time of ended threads is told in steps of 10 ms: a side runs often enough in a round that one is under 4 %. */
const ROUND_MS = 250
/** One run of a few milliseconds may be told as 0. */
const LEAST_CPU_MS = 1
export const MAX_RUNS_A_ROUND = 25

/** Each side runs once unmeasured, which tells how often it runs in a round. */
export async function compare(
  sides: readonly Side[], { rounds, maxRuns }: { readonly rounds: number; readonly maxRuns: number }, clock: Clock,
): Promise<Measured[]> {
  let shortestMs = Infinity
  for (const side of sides) {
    const startMs = clock.nowMs()
    await side.run()
    shortestMs = Math.min(shortestMs, clock.nowMs() - startMs)
  }
  const runs = Math.min(maxRuns, Math.ceil(ROUND_MS / shortestMs))
  const table: Sample[][] = []
  for (let round = 0; round < rounds; round++) {
    const row: Sample[] = []
    for (const side of sides) row.push(await sample(side, runs, clock))
    table.push(row)
  }
  return sides.map(({ name }, i) => measured(name, table.map(row => [row[0], row[i]])))
}

interface Sample {
  readonly wallMs: number
  readonly cpuMs: number
}

async function sample(side: Side, runs: number, clock: Clock): Promise<Sample> {
  side.prepare?.()
  const [startMs, startCpuMs] = [clock.nowMs(), side.cpuMs()]
  for (let i = 0; i < runs; i++) await side.run()
  return { wallMs: (clock.nowMs() - startMs) / runs, cpuMs: (side.cpuMs() - startCpuMs) / runs }
}

function measured(name: string, rounds: readonly (readonly [Sample | undefined, Sample | undefined])[]): Measured {
  const over = (value: (first: Sample, own: Sample) => number): number =>
    median(rounds.flatMap(([first, own]) => first === undefined || own === undefined ? [] : [value(first, own)]))
  return {
    name, wallMs: over((_, own) => own.wallMs), cpuMs: over((_, own) => own.cpuMs),
    wallRatio: over((first, own) => own.wallMs / first.wallMs),
    cpuRatio: over((first, own) => own.cpuMs / Math.max(first.cpuMs, LEAST_CPU_MS)),
  }
}

/** Of a table of sides; all names are there by construction. */
export function measuredOf(table: readonly Measured[], name: string): Measured {
  const found = table.find(side => side.name === name)
  if (found === undefined) throw new Error(`no side ${name} was measured`)
  return found
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The nearest value from above; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}
