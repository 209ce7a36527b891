/**
 * Statements made by chance, cut and run in one process, against plain DuckDB: rows, types and errors. A seed names a
 * statement, and the tables, the number of executors and the thresholds that it meets: `SEED=17` repeats one,
 * `SEEDS=400-5000` takes these instead of the first 400.
 *
 * Findings: count_if of no rows is NULL, not 0.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { PlanThresholds } from '../../planner/planned-query.ts'
import type { Streamed } from '../../planner/enough-rows.ts'
import { difference } from './compare.ts'
import { chanceTables } from './chance-tables.ts'
import { StatementGenerator } from './generated.ts'
import { InProcessCluster, type Answer } from './in-process-cluster.ts'
import { Planning, writeTables } from './planning.ts'

/** Statements that meet the same tables: making them costs as much as some statements. */
const SEEDS_PER_TABLES = 100

export interface ChanceTotals {
  readonly same: number
  readonly whole: number
  /** Plain DuckDB refuses the statement, or fails. */
  readonly failing: number
  readonly wrong: readonly string[]
}

/** Columns that the tables are divided by, in turns. */
const DIVISIONS: readonly (readonly string[])[] = [[], ['k'], ['id', 'g', 'k', 'h']]

/** CI runs those up to 5,000 besides. */
const DEFAULT_SEEDS = '0-400'
/** One in so many may run whole. */
const WHOLE_AT_MOST = 20

/** Half open; of the environment, or `usual`. A single seed ends up in one of the parts. */
export function seedRange(usual: string): { readonly from: number; readonly to: number } {
  const named = process.env['SEED']
  if (named !== undefined) return { from: Number(named), to: Number(named) + 1 }
  const [from = 0, to = 0] = (process.env['SEEDS'] ?? usual).split('-').map(Number)
  return { from, to }
}

/** The part of all seeds with the number `part` of `parts`. */
export async function compareByChance(t: Test, part: number, parts: number): Promise<void> {
  const { from: first, to: end } = seedRange(DEFAULT_SEEDS)
  const at = (share: number): number => first + Math.floor((end - first) * share / parts)
  const [from, to] = [at(part), at(part + 1)]
  const { wrong, whole, same } = await runByChance(from, to)
  t.strictSame(wrong, [], `seeds ${from} to ${to}`)
  t.ok(whole <= Math.ceil((to - from) / WHOLE_AT_MOST), `${same} the same, ${whole} whole`)
}

/** Runs the seeds in [from, to). */
export async function runByChance(from: number, to: number): Promise<ChanceTotals> {
  let [same, whole, failing] = [0, 0, 0]
  const wrong: string[] = []
  await eachSeed(from, to, async (cluster, seed) => {
    const outcome = await cluster.outcome(seed)
    if (outcome === 'same') same++
    else if (outcome === 'whole') whole++
    else if (outcome === 'failing') failing++
    else wrong.push(`SEED=${seed} ${outcome}`)
  })
  return { same, whole, failing, wrong }
}

/** Of joins under a LIMIT that has all of their rows: how many read some scan in steps, and what is wrong. */
export async function readPartsByChance(from: number, to: number): Promise<{ streamed: number; wrong: string[] }> {
  let streamed = 0
  const wrong: string[] = []
  await eachSeed(from, to, async (cluster, seed) => {
    const outcome = await cluster.outcomeOfPart(seed)
    if (outcome !== null) streamed++
    if (outcome !== null && outcome !== 'part') wrong.push(`SEED=${seed} ${outcome}`)
  })
  return { streamed, wrong }
}

/** Those of the same tables share a cluster. */
async function eachSeed(
  from: number, to: number, run: (cluster: ChanceCluster, seed: number) => Promise<void>,
): Promise<void> {
  for (let seed = from; seed < to;) {
    const tablesSeed = Math.floor(seed / SEEDS_PER_TABLES)
    const cluster = await ChanceCluster.open(tablesSeed)
    try {
      for (; seed < to && Math.floor(seed / SEEDS_PER_TABLES) === tablesSeed; seed++) await run(cluster, seed)
    } finally {
      await cluster.close()
    }
  }
}

class ChanceCluster {
  readonly #folder: string
  readonly #planning: Planning
  readonly #cluster: InProcessCluster

  private constructor(folder: string, planning: Planning, cluster: InProcessCluster) {
    this.#folder = folder
    this.#planning = planning
    this.#cluster = cluster
  }

  static async open(tablesSeed: number): Promise<ChanceCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'skein-chance-'))
    const { selects, filesPerTable, executors } = chanceTables(tablesSeed)
    await writeTables(folder, selects, filesPerTable)
    const planning = await Planning.open(folder, Object.keys(selects), DIVISIONS[tablesSeed % DIVISIONS.length])
    const cluster = await InProcessCluster.open(executors, planning.clusterTables, join(folder, 'exchange'))
    return new ChanceCluster(folder, planning, cluster)
  }

  async close(): Promise<void> {
    this.#planning.close()
    await this.#cluster.close()
    await rm(this.#folder, { recursive: true })
  }

  /** 'same', 'whole' (its own text: nothing to compare), 'failing', or what is wrong. */
  async outcome(seed: number): Promise<string> {
    const sql = new StatementGenerator(seed).statement()
    const expected = await attempt(this.#planning.oracle(sql))
    const planned = await this.#planning.plan(sql, thresholdsOf(seed)).catch((thrown: unknown) => firstLine(thrown))
    if (typeof planned === 'string') return 'error' in expected ? 'failing' : `${sql}: not planned: ${planned}`
    if (planned.sqlKind === 'original') return 'whole'
    const actual = await attempt(this.#cluster.run(planned.fragments, { TimeZone: 'UTC' }))
    if ('error' in expected) return 'failing' // which rows meet an error first is not said
    // sums of floats may differ in their last bits, and then in their order
    const inOrder = / AS q ORDER BY /.test(sql) && !expected.types.some(type => /DOUBLE|FLOAT/.test(type))
    const differs = 'error' in actual ? actual.error : difference(expected, actual, inOrder)
    return differs === null ? 'same' : `${sql}: ${differs}`
  }

  /**
   * 'part' if of a part of the scans that may be read in steps no row comes that does not come of all of them; what is
   * wrong; or null: there are no such scans, or it fails.
   */
  async outcomeOfPart(seed: number): Promise<string | null> {
    const generator = new StatementGenerator(seed)
    const parts = Array.from({ length: 1 + seed % 2 }, (_, i) => generator.rows(2, (seed >> i) % 4 > 1))
    const sql = `SELECT * FROM (${parts.join(' UNION ALL ')}) AS q LIMIT 1000000`
    const thresholds = { ...thresholdsOf(seed), ...(seed % 3 === 0 ? { wholeBytes: Infinity } : {}) }
    const planned = await this.#planning.plan(sql, thresholds).catch(() => null)
    const halved = (planned?.fragments ?? []).flatMap(({ enough }) =>
      enough === undefined ? [] : chosen(enough.streamed, seed))
    if (planned === null || halved.length === 0) return null
    const whole = await attempt(this.#cluster.run(planned.fragments, { TimeZone: 'UTC' }))
    const part = await attempt(this.#cluster.run(planned.fragments, { TimeZone: 'UTC' }, new Set(halved)))
    if ('error' in whole || 'error' in part) return null
    const left = new Map<string, number>()
    const count = (row: readonly unknown[], by: number): number => {
      const key = JSON.stringify(row)
      left.set(key, (left.get(key) ?? 0) + by)
      return left.get(key) ?? 0
    }
    for (const row of whole.rows) count(row, 1)
    const other = part.rows.find(row => count(row, -1) < 0)
    return other === undefined ? 'part' : `${sql}: ${JSON.stringify(other)} comes of a part only`
  }
}

/** One way to read in steps; which one, a seed tells. */
function chosen(streamed: Streamed<number>, seed: number): readonly number[] {
  switch (streamed.kind) {
    case 'scan': return [streamed.scan]
    case 'every': return streamed.of.flatMap(one => chosen(one, seed))
    case 'either': {
      const one = streamed.of[seed % streamed.of.length]
      return one === undefined ? [] : chosen(one, seed)
    }
  }
}

/** Each of them forces other cuts. */
function thresholdsOf(seed: number): PlanThresholds {
  const broadcastRows = [0, 0, 15, 1_000_000][seed % 4] ?? 0
  const replicateRows = [0, 0, 0, 10][Math.floor(seed / 4) % 4] ?? 0
  const sortRows = [0, 20][Math.floor(seed / 16) % 2] ?? 0
  const filterByKeys = Math.floor(seed / 8) % 2 === 0 ? 'always' : 'never'
  const skew = Math.floor(seed / 32) % 2 === 0 ? { skewRows: 0 } : {}
  return { wholeBytes: 0, broadcastRows, replicateRows, sortRows, filterByKeys, ...skew }
}

type Outcome = Answer | { readonly error: string }

function attempt(work: Promise<Answer>): Promise<Outcome> {
  return work.catch((thrown: unknown) => ({ error: firstLine(thrown) }))
}

function firstLine(thrown: unknown): string {
  const [line = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')
  return line
}
