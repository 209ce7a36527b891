/**
 * The 22 questions on real clusters of 1 to 4 executors of one thread each, with forced distribution, against one plain
 * DuckDB over the same files: the same answers, how much CPU time both take, and the critical path.
 */

import { systemClock } from '../../proto/clock.ts'
import type { Skein } from '../../test/cluster/skein.ts'
import { difference } from '../../test/sql/answer.ts'
import type { Oracle } from '../../test/sql/oracle.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { compare, geometricMean, measuredOf, median, type Measured } from '../harness.ts'
import { treeCpuMs } from '../processes.ts'
import { bytes, ratio, whole } from '../report.ts'
import { ask, tpchOracle, withCluster } from './cluster.ts'
import { criticalPath, type CriticalPath } from './critical-path.ts'
import { generatedData, givenData, type TpchData } from './data.ts'
import { PlainDuckDB } from './plain.ts'
import { tpchQueries, type TpchQuery } from './queries.ts'
import { TaskTurns } from './task-turns.ts'
import { unseenText } from '../unseen-text.ts'

const PLAIN = 'plain DuckDB'
const DEFAULT_SIZES = [1, 2, 3, 4]
/** Of a side in a round: CPU time is told exactly, and a full run stays under 5 minutes. */
const MAX_RUNS = 1
/** Over all questions, before the first is measured: V8 interprets the first hundreds of queries of a server's life. */
const WARM_UP_PASSES = 8
/** Runs that do not count, of one question. */
const MAX_SPOILED = 10
/** In a smoke run every so manieth question. */
const SMOKE_STEP = 5
/** The size that the figures of CPU speak of. */
const FIGURE_SIZE = 3
/** Of the critical path of one executor, wanted of four. */
const PATH_SHARE = 0.36
/** From here on every question reads a table that is worth splitting. */
const SPREAD_SCALE = 0.1

interface QueryResult {
  readonly number: number
  readonly sides: readonly Measured[]
  /** By size of the cluster. */
  readonly paths: ReadonlyMap<number, CriticalPath>
  readonly stats: Readonly<Record<string, unknown>>
  readonly faults: readonly string[]
}

export const family: Family = { name: 'tpch', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const data = options.dataFolder === undefined
    ? await generatedData(options.scale ?? (options.smoke ? 0.01 : 1), options.folder)
    : await givenData(options.dataFolder)
  const sizes = options.executors ?? (options.smoke ? [2] : DEFAULT_SIZES)
  const queries = tpchQueries(data.scale).filter((_, i) => !options.smoke || i % SMOKE_STEP === 0)
  const paths = new Map<number, ReadonlyMap<number, CriticalPath>>()
  for (const size of sizes) paths.set(size, await pathsOf(queries, data, size, options))
  const results = await withClusters(sizes, data, clusters => compareAll(queries, data, clusters, options, paths))
  return resultOf(results, sizes, data)
}

const forced = { SKEIN_WHOLE_BYTES: '0' }

/** Thresholds that the caller set; without any, distribution is forced. */
function environment(): Record<string, string> {
  const set = Object.entries(process.env).filter(([name]) => /^SKEIN_(WHOLE_BYTES|BROADCAST_ROWS)$/.test(name))
  return { ...forced, ...Object.fromEntries(set.map(([name, value]) => [name, value ?? ''])) }
}

async function withClusters<T>(
  sizes: readonly number[], data: TpchData, use: (clusters: ReadonlyMap<number, Skein>) => Promise<T>,
  started: ReadonlyMap<number, Skein> = new Map(),
): Promise<T> {
  const [size, ...rest] = sizes
  if (size === undefined) return use(started)
  return withCluster({ data, executors: size, threadsEach: 1, environment: environment() }, skein =>
    withClusters(rest, data, use, new Map([...started, [size, skein]])))
}

/** Critical paths on a cluster of `size`, whose tasks run one at a time: medians over the rounds. */
async function pathsOf(
  queries: readonly TpchQuery[], data: TpchData, size: number, { rounds, print }: FamilyOptions,
): Promise<ReadonlyMap<number, CriticalPath>> {
  const turns = await TaskTurns.open()
  const settings = { ...environment(), ...turns.environment() }
  try {
    return await withCluster({ data, executors: size, threadsEach: 1, environment: settings }, async skein => {
      const found = new Map<number, CriticalPath>()
      for (const { number, sql } of queries) {
        const samples: CriticalPath[] = []
        for (let run = 0; samples.length <= rounds; run++) {
          if (run > rounds + MAX_SPOILED) throw new Error(`Q${number}: ${run} runs, and tasks were repeated in most`)
          const path = await pathOf(skein, unseenText(sql, `path ${run}`), turns)
          if (path !== undefined) samples.push(path)
        }
        samples.shift() // filled caches
        found.set(number, medians(samples))
      }
      print(`critical paths of ${size} executors: done`)
      return found
    })
  } finally {
    turns.close()
  }
}

/** Undefined if a task was tried more than once: on a busy machine an executor may seem to be lost. */
async function pathOf(skein: Skein, sql: string, turns: TaskTurns): Promise<CriticalPath | undefined> {
  const outcome = await skein.query(sql)
  if (outcome.kind === 'error') throw new Error(`${outcome.code}: ${outcome.message}\n${sql}`)
  const { task_reports: reports } = await skein.report(outcome.queryId)
  const tasks = await turns.take(outcome.queryId, reports.length)
  const isSpoiled = reports.some(({ attempt, state }) => attempt > 0 || state === 'failed')
  return tasks === undefined || isSpoiled ? undefined : criticalPath(tasks)
}

function medians(samples: readonly CriticalPath[]): CriticalPath {
  const over = (value: (path: CriticalPath) => number): number => median(samples.map(value))
  return {
    slowestTaskMs: over(path => path.slowestTaskMs), busiestExecutorMs: over(path => path.busiestExecutorMs),
    totalMs: over(path => path.totalMs),
  }
}

async function compareAll(
  queries: readonly TpchQuery[], data: TpchData, clusters: ReadonlyMap<number, Skein>, options: FamilyOptions,
  paths: ReadonlyMap<number, ReadonlyMap<number, CriticalPath>>,
): Promise<QueryResult[]> {
  const plain = await PlainDuckDB.start(data)
  const oracle = await tpchOracle(data.folder, data.globs)
  try {
    for (let pass = 0; pass < (options.smoke ? 0 : WARM_UP_PASSES); pass++) {
      for (const { sql } of queries) {
        await plain.run(sql)
        for (const skein of clusters.values()) await ask(skein, unseenText(sql, `warm-up ${pass}`))
      }
    }
    const results: QueryResult[] = []
    for (const query of queries) {
      const own = new Map([...paths].flatMap(([size, byQuery]) => {
        const path = byQuery.get(query.number)
        return path === undefined ? [] : [[size, path] as const]
      }))
      const result = { ...await compareQuery(query, { plain, oracle, clusters, data }, options), paths: own }
      options.print(`Q${query.number}: ${result.sides.map(side => `${side.name} ${whole(side.cpuMs)} ms`).join(', ')}`)
      results.push(result)
    }
    return results
  } finally {
    plain.stop()
    oracle.close()
  }
}

interface Sides {
  readonly plain: PlainDuckDB
  readonly oracle: Oracle
  readonly clusters: ReadonlyMap<number, Skein>
  readonly data: TpchData
}

/** Every run's text differs in a comment inside, so no plan and no result is used again. */
async function compareQuery(
  { number, sql }: TpchQuery, { plain, oracle, clusters, data }: Sides, { rounds }: FamilyOptions,
): Promise<Omit<QueryResult, 'paths'>> {
  const expected = await oracle.run(sql)
  const faults: string[] = []
  let stats: Readonly<Record<string, unknown>> = {}
  for (const [size, skein] of clusters) {
    const outcome = await skein.query(sql)
    if (outcome.kind === 'error') throw new Error(`Q${number} on ${size}: ${outcome.code}: ${outcome.message}`)
    if (size <= FIGURE_SIZE) stats = outcome.stats
    const why = data.scale >= SPREAD_SCALE && outcome.wholeReason !== null ? `ran whole: ${outcome.wholeReason}`
      : difference(expected, outcome.answer, true)
    if (why !== undefined) faults.push(`Q${number} on ${size} executors: ${why}`)
  }
  let run = 0
  const sides = await compare([
    { name: PLAIN, run: () => plain.run(sql), cpuMs: () => plain.cpuMs() },
    ...[...clusters].map(([size, skein]) => ({
      name: `N=${size}`, run: () => ask(skein, unseenText(sql, `run ${run++}`)), cpuMs: () => treeCpuMs(skein.pid),
    })),
  ], { rounds, maxRuns: MAX_RUNS }, systemClock)
  return { number, sides, stats, faults }
}

/** The critical path over that of one executor; NaN if that was not measured. */
function ofOne(paths: QueryResult['paths'], size: number): number {
  return (paths.get(size)?.busiestExecutorMs ?? NaN) / (paths.get(1)?.busiestExecutorMs ?? NaN)
}

function resultOf(results: readonly QueryResult[], sizes: readonly number[], data: TpchData): FamilyResult {
  const named = sizes.map(size => `N=${size}`)
  const ratios = (name: string): number[] => results.map(({ sides }) => measuredOf(sides, name).cpuRatio)
  const shareOf = (size: number, of: (path: CriticalPath) => number): number => {
    const shares = results.map(({ paths }) => [paths.get(1), paths.get(size)] as const)
      .map(([one, own]) => one === undefined || own === undefined ? NaN : of(own) / of(one))
    return geometricMean(shares)
  }
  const settings = Object.entries(environment()).map(([name, value]) => `${name}=${value}`).join(' ')
  return {
    method: [
      `TPC-H at scale ${data.scale}, ${settings}, executors of one thread each. CPU is that of coordinator, planner`,
      'and executors together against one plain DuckDB process over the same files with all threads; medians of',
      `rounds that take turns, after ${WARM_UP_PASSES} passes over all questions that do not count; every text is`,
      'planned anew, every answer was compared. The critical path is the CPU',
      'time of the busiest executor of each stage, summed over the stages. Where no executor has two tasks of a stage',
      'that is the slowest task; one executor alone often has several, one after the other, so the slowest tasks',
      'alone would flatter it. A task\'s figure is what its executor\'s process used while the task ran',
      '(process.cpuUsage), on a cluster of its own whose tasks run one at a time; planning and coordination are not',
      'in it. It stands for boxes of their own and a free network; none of it was run on more cores than this machine',
      'has.',
    ].join(' '),
    tables: [
      {
        title: 'CPU ms, and over plain DuckDB',
        heads: ['query', PLAIN, ...named, ...named.map(name => `${name} / plain`), 'stages', 'tasks', 'moved'],
        rows: results.map(({ number, sides, stats }) => [
          `Q${number}`, ...[PLAIN, ...named].map(name => whole(measuredOf(sides, name).cpuMs)),
          ...named.map(name => ratio(measuredOf(sides, name).cpuRatio)), String(stats['stages'] ?? ''),
          String(stats['tasks'] ?? ''), bytes(Number(stats['exchange_bytes'] ?? 0)),
        ]),
      },
      {
        title: 'Critical path, CPU ms, and over that of N=1',
        heads: ['query', ...named, ...named.map(name => `${name} / N=1`)],
        rows: results.map(({ number, paths }) => [
          `Q${number}`, ...sizes.map(size => whole(paths.get(size)?.busiestExecutorMs ?? NaN)),
          ...sizes.map(size => ratio(ofOne(paths, size))),
        ]),
      },
      {
        title: 'Geometric means', heads: ['', ...named],
        rows: [
          ['CPU over plain DuckDB', ...named.map(name => ratio(geometricMean(ratios(name))))],
          ['wall over plain DuckDB', ...named.map(name =>
            ratio(geometricMean(results.map(({ sides }) => measuredOf(sides, name).wallRatio))))],
          ['CPU outside tasks: planning, coordination; ms a query', ...sizes.map(size => whole(geometricMean(
            results.map(({ sides, paths }) => Math.max(1, measuredOf(sides, `N=${size}`).cpuMs
              - (paths.get(size)?.totalMs ?? NaN))))))],
          ['CPU of the tasks alone over N=1', ...sizes.map(size => ratio(shareOf(size, path => path.totalMs)))],
          ['critical path over N=1', ...sizes.map(size => ratio(shareOf(size, path => path.busiestExecutorMs)))],
          ['slowest tasks over N=1', ...sizes.map(size => ratio(shareOf(size, path => path.slowestTaskMs)))],
        ],
      },
    ],
    figures: [
      ...sizes.includes(FIGURE_SIZE) ? [
        { what: 'CPU over plain DuckDB at N=3, geometric mean', value: geometricMean(ratios('N=3')), limit: 1.3 },
        { what: 'CPU over plain DuckDB at N=3, worst query', value: Math.max(...ratios('N=3')), limit: 3 },
      ] : [],
      ...sizes.includes(1) && sizes.includes(4) ? [
        {
          what: 'critical path at N=4 over N=1, geometric mean', value: shareOf(4, path => path.busiestExecutorMs),
          limit: PATH_SHARE,
        },
        {
          what: 'slowest tasks at N=4 over N=1, geometric mean', value: shareOf(4, path => path.slowestTaskMs),
          limit: PATH_SHARE,
        },
      ] : [],
    ].map(figure => ({ ...figure, bound: 'at most' as const, unit: '' })),
    chart: {
      title: 'Critical path over that of one executor', unit: '', series: named,
      mark: { value: PATH_SHARE, name: 'wanted at N=4' },
      groups: results.map(({ number, paths }) => ({
        name: `Q${number}`,
        values: sizes.map(size => ofOne(paths, size)),
      })),
    },
    checks: results.length * sizes.length,
    faults: results.flatMap(({ faults }) => faults),
  }
}
