/**
 * The 22 questions on a real cluster with forced distribution, against one plain DuckDB over the same files: the same
 * values and types, and how much CPU time both take. Every run's text differs in a comment, so no plan is reused.
 */

import { join } from 'node:path'
import { systemClock } from '../../proto/clock.ts'
import { difference } from '../../test/sql/answer.ts'
import { Oracle } from '../../test/sql/oracle.ts'
import { Skein } from '../../test/cluster/skein.ts'
import { compare, quantile, type Measured } from '../harness.ts'
import { treeCpuMs } from '../processes.ts'
import { generate, globOf } from './generate.ts'
import { PlainDuckDB } from './plain.ts'
import { tpchQueries, type TpchQuery } from './queries.ts'
import { tableNames } from './tables.ts'

export interface TpchOptions {
  readonly scale: number
  readonly executors: number
  readonly rounds: number
  /** A side's runs in a round, at most. */
  readonly maxRuns: number
  /** Data is kept here for the next time; the cluster's own folder is made inside. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly onQuery: (result: QueryResult) => void
}

export interface QueryResult {
  readonly number: number
  readonly plain: Measured
  readonly skein: Measured
  readonly stats: Readonly<Record<string, unknown>>
  /** What is wrong with the answer, or undefined. */
  readonly fault: string | undefined
}

export interface TpchResult {
  readonly queries: readonly QueryResult[]
  readonly selectOneMs: { readonly p50: number; readonly p95: number }
}

const SELECT_ONE_RUNS = 300
const SELECT_ONE_WARM_UP = 50

/** From here on every question reads a table that is worth splitting. */
const SPREAD_SCALE = 0.1

const CATALOG = 'tpch'

/** The catalog of a folder of `generate`, as parts of a configuration. */
export function tpchConfig(folder: string): Record<string, unknown> {
  return {
    buckets: { data: { provider: 'local', path: folder } },
    catalogs: { [CATALOG]: {
      type: 'bucket_tables', bucket: 'data', file_format: 'parquet',
      tables: Object.fromEntries(tableNames.map(name => [name, globOf(name)])),
    } },
    default_catalog: CATALOG,
  }
}

export function tpchOracle(folder: string): Promise<Oracle> {
  return Oracle.open(folder, tableNames.map(name => ({
    catalog: CATALOG, name, glob: globOf(name), reader: 'read_parquet',
  })), CATALOG)
}

export async function compareTpch(options: TpchOptions): Promise<TpchResult> {
  const { scale, executors, folder, environment } = options
  const data = join(folder, `tpch-${scale}`)
  await generate({ scale, folder: data })
  const plain = await PlainDuckDB.start(data)
  const oracle = await tpchOracle(data)
  const skein = await Skein.start({ folder: join(folder, 'cluster'), executors, config: tpchConfig(data), environment })
  try {
    const queries: QueryResult[] = []
    for (const query of tpchQueries(scale)) {
      const result = await compareQuery(query, { plain, oracle, skein }, options)
      options.onQuery(result)
      queries.push(result)
    }
    return { queries, selectOneMs: await selectOne(skein) }
  } finally {
    plain.stop()
    oracle.close()
    await skein.stop()
  }
}

async function compareQuery(
  { number, sql }: TpchQuery, { plain, oracle, skein }: { plain: PlainDuckDB; oracle: Oracle; skein: Skein },
  { rounds, maxRuns, scale }: TpchOptions,
): Promise<QueryResult> {
  const outcome = await skein.query(sql)
  const expected = await oracle.run(sql)
  let run = 0
  const [plainTimes, skeinTimes] = await compare([
    { name: 'plain DuckDB', run: () => plain.run(sql), cpuMs: () => plain.cpuMs() },
    { name: 'skein', run: () => ask(skein, `${sql} -- run ${run++}`), cpuMs: () => treeCpuMs(skein.pid) },
  ], { rounds, maxRuns }, systemClock)
  if (plainTimes === undefined || skeinTimes === undefined) throw new Error('nothing was measured')
  if (outcome.kind === 'error') {
    return { number, plain: plainTimes, skein: skeinTimes, stats: {}, fault: `${outcome.code}: ${outcome.message}` }
  }
  const whole = scale < SPREAD_SCALE || outcome.wholeReason === null ? undefined : `ran whole: ${outcome.wholeReason}`
  const fault = whole ?? difference(expected, outcome.answer, true)
  return { number, plain: plainTimes, skein: skeinTimes, stats: outcome.stats, fault }
}

/** Reads the answer as bytes only: this process shares the cores with the measured ones. */
async function ask(skein: Skein, sql: string): Promise<void> {
  const response = await skein.request('POST', '/query', { statement: sql })
  let last = ''
  for await (const piece of response.setEncoding('latin1')) last = String(piece)
  if (response.statusCode !== 200 || !response.complete) throw new Error(`status ${response.statusCode}: ${last}`)
}

async function selectOne(skein: Skein): Promise<TpchResult['selectOneMs']> {
  const times: number[] = []
  for (let i = 0; i < SELECT_ONE_WARM_UP + SELECT_ONE_RUNS; i++) {
    const startMs = systemClock.nowMs()
    await ask(skein, `SELECT 1 -- run ${i}`)
    if (i >= SELECT_ONE_WARM_UP) times.push(systemClock.nowMs() - startMs)
  }
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) }
}
