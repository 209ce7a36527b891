/**
 * A family of benches: what it is asked for, and what it gives. It prints and writes nothing itself; `report.ts` does.
 *
 * Figures are what the project wants to reach. One that is missed is reported, and is no failure: a family fails only
 * when an answer is wrong or something breaks.
 */

import type { BarChart } from './chart.ts'

export interface FamilyOptions {
  /** The smallest size, one round: shows that the family works. */
  readonly smoke: boolean
  /** For generated data, which stays for the next run, and for what a run leaves behind. */
  readonly folder: string
  readonly rounds: number
  /** TPC-H tables that are given, instead of generated ones. */
  readonly dataFolder?: string | undefined
  /** Scale factor of the TPC-H tables that are generated. */
  readonly scale?: number | undefined
  /** Sizes of the clusters that are compared. */
  readonly executors?: readonly number[] | undefined
  /** A line for whoever watches. */
  readonly print: (line: string) => void
}

export interface Table {
  readonly title: string
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface Figure {
  readonly what: string
  readonly value: number
  readonly bound: 'at most' | 'at least'
  readonly limit: number
  /** After the number, with its space: ` ms`. */
  readonly unit: string
}

export interface FamilyResult {
  /** What was measured, and how: sentences. */
  readonly method: string
  readonly tables: readonly Table[]
  readonly figures: readonly Figure[]
  readonly chart: BarChart
  /** Answers that were compared with what they must be. */
  readonly checks: number
  /** What was wrong with them. */
  readonly faults: readonly string[]
}

export interface Family {
  readonly name: string
  run(options: FamilyOptions): Promise<FamilyResult>
}

/** Something that the family needs is not on this machine: it neither passes nor fails. */
export class NotRun extends Error {}

export function isReached({ value, bound, limit }: Figure): boolean {
  return bound === 'at most' ? value <= limit : value >= limit
}
