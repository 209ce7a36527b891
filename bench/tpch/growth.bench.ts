/**
 * What ten times the data costs: the 22 questions at two scales, on a cluster with thresholds as shipped and on plain
 * DuckDB.
 */

import { systemClock } from '../../proto/clock.ts'
import type { Skein } from '../../test/cluster/skein.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { compare, geometricMean, measuredOf, type Measured } from '../harness.ts'
import { treeCpuMs } from '../processes.ts'
import { ratio, whole } from '../report.ts'
import { ask, withCluster } from './cluster.ts'
import { generatedData, type TpchData } from './data.ts'
import { PlainDuckDB } from './plain.ts'
import { tpchQueries } from './queries.ts'
import { unseenText } from '../unseen-text.ts'

const EXECUTORS = 2
const MAX_RUNS = 2
/** In a smoke run every so manieth question. */
const SMOKE_STEP = 6

const SMALL = 'skein, small'
const LARGE = 'skein, large'
const PLAIN_SMALL = 'plain, small'
const PLAIN_LARGE = 'plain, large'

interface Scales {
  readonly small: TpchData
  readonly large: TpchData
}

interface QueryGrowth {
  readonly number: number
  readonly sides: readonly Measured[]
  /** What was wrong, or undefined. */
  readonly fault: string | undefined
}

export const family: Family = { name: 'growth', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const [small, large] = options.smoke ? [0.01, 0.02] : [0.1, 1]
  const scales: Scales = {
    small: await generatedData(small, options.folder), large: await generatedData(large, options.folder),
  }
  const on = <T>(data: TpchData, use: (skein: Skein) => Promise<T>): Promise<T> =>
    withCluster({ data, executors: EXECUTORS, threadsEach: 1 }, use)
  return on(scales.small, skeinSmall => on(scales.large, async skeinLarge => {
    const plainSmall = await PlainDuckDB.start(scales.small)
    const plainLarge = await PlainDuckDB.start(scales.large)
    try {
      const results: QueryGrowth[] = []
      for (const { number } of tpchQueries(1).filter((_, i) => !options.smoke || i % SMOKE_STEP === 0)) {
        results.push(await grow(number, scales, { skeinSmall, skeinLarge, plainSmall, plainLarge }, options))
      }
      return resultOf(results, scales)
    } finally {
      plainSmall.stop()
      plainLarge.stop()
    }
  }))
}

interface Servers {
  readonly skeinSmall: Skein
  readonly skeinLarge: Skein
  readonly plainSmall: PlainDuckDB
  readonly plainLarge: PlainDuckDB
}

async function grow(
  number: number, { small, large }: Scales, { skeinSmall, skeinLarge, plainSmall, plainLarge }: Servers,
  { rounds, print }: FamilyOptions,
): Promise<QueryGrowth> {
  const textAt = (scale: number): string => tpchQueries(scale)[number - 1]?.sql ?? ''
  const [sqlSmall, sqlLarge] = [textAt(small.scale), textAt(large.scale)]
  const faults: string[] = []
  for (const [skein, sql] of [[skeinSmall, sqlSmall], [skeinLarge, sqlLarge]] as const) {
    const outcome = await skein.query(sql)
    if (outcome.kind === 'error') faults.push(`Q${number}: ${outcome.code}: ${outcome.message}`)
    else if (outcome.answer.rows.length === 0) faults.push(`Q${number}: no rows`)
  }
  let run = 0
  const sides = await compare([
    {
      name: SMALL, run: () => ask(skeinSmall, unseenText(sqlSmall, `run ${run++}`)),
      cpuMs: () => treeCpuMs(skeinSmall.pid),
    },
    {
      name: LARGE, run: () => ask(skeinLarge, unseenText(sqlLarge, `run ${run++}`)),
      cpuMs: () => treeCpuMs(skeinLarge.pid),
    },
    { name: PLAIN_SMALL, run: () => plainSmall.run(sqlSmall), cpuMs: () => plainSmall.cpuMs() },
    { name: PLAIN_LARGE, run: () => plainLarge.run(sqlLarge), cpuMs: () => plainLarge.cpuMs() },
  ], { rounds, maxRuns: MAX_RUNS }, systemClock)
  print(`Q${number}: ${sides.map(side => `${side.name} ${whole(side.cpuMs)} ms`).join(', ')}`)
  return { number, sides, fault: faults.length === 0 ? undefined : faults.join('; ') }
}

function resultOf(results: readonly QueryGrowth[], { small, large }: Scales): FamilyResult {
  const factor = large.scale / small.scale
  const grown = (sides: readonly Measured[]): number =>
    measuredOf(sides, LARGE).cpuMs / Math.max(1, measuredOf(sides, SMALL).cpuMs)
  const plainGrown = (sides: readonly Measured[]): number =>
    measuredOf(sides, PLAIN_LARGE).cpuMs / Math.max(1, measuredOf(sides, PLAIN_SMALL).cpuMs)
  const cpu = (sides: readonly Measured[], name: string): string => whole(measuredOf(sides, name).cpuMs)
  const wall = (sides: readonly Measured[], name: string): string => whole(measuredOf(sides, name).wallMs)
  const mean = (of: (sides: readonly Measured[]) => number): number =>
    geometricMean(results.map(({ sides }) => of(sides)))
  return {
    method: [
      `TPC-H at scales ${small.scale} and ${large.scale}, ${factor} times the data, ${EXECUTORS} executors of`,
      'one thread each, thresholds as shipped: what is small runs whole, what is large is spread. CPU of all of',
      'the cluster\'s processes, and of one plain DuckDB; medians of rounds that take turns; every text is',
      'planned anew.',
    ].join(' '),
    tables: [
      {
        title: '', heads: [
          'query', 'skein small, CPU ms', 'large', 'grown', 'skein small, wall ms', 'large', 'plain small, CPU ms',
          'large', 'grown',
        ],
        rows: results.map(({ number, sides }) => [
          `Q${number}`, cpu(sides, SMALL), cpu(sides, LARGE), ratio(grown(sides)), wall(sides, SMALL),
          wall(sides, LARGE), cpu(sides, PLAIN_SMALL), cpu(sides, PLAIN_LARGE), ratio(plainGrown(sides)),
        ]),
      },
      {
        title: `Geometric means of what ${factor} times the data cost`, heads: ['', 'CPU'],
        rows: [['skein', ratio(mean(grown))], ['plain DuckDB', ratio(mean(plainGrown))]],
      },
    ],
    figures: [],
    chart: {
      title: `CPU at scale ${large.scale} over CPU at scale ${small.scale}`, unit: '',
      series: ['plain DuckDB', 'skein'],
      groups: results.map(({ number, sides }) => ({ name: `Q${number}`, values: [plainGrown(sides), grown(sides)] })),
      mark: { value: factor, name: 'as the data' },
    },
    checks: results.length, faults: results.flatMap(({ fault }) => fault === undefined ? [] : [fault]),
  }
}
