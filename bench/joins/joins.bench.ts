/**
 * Joins whose both sides move: divided partitions where one key has half of all rows, against one task that has them
 * all; and sides that move without what finds no partner. TPC-H data, in CPU of tasks that run one at a time.
 */

import type { Skein } from '../../test/cluster/skein.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { ratio, whole } from '../report.ts'
import { withCluster } from '../tpch/cluster.ts'
import { generatedData, type TpchData } from '../tpch/data.ts'
import { measuredPath, type MeasuredPath } from '../tpch/measured-path.ts'
import { TaskTurns } from '../tpch/task-turns.ts'

const EXECUTORS = 3
const SMOKE = { scale: 0.01, executors: 1, cases: 1 }
/** Stages of the skewed queries that scan; the costliest of the others is the join. */
const SCANS = 2
/** Of all partitions none. */
const UNDIVIDED = '1000000000'
/** As EXPLAIN says it of a side that moves. */
const FILTERED = /only what has the other side's keys/

interface Case {
  readonly name: string
  readonly sql: string
}

/** Half of lineitem has part 1. */
const skewed = `(SELECT CASE WHEN l_orderkey % 2 = 0 THEN 1 ELSE l_partkey END AS k, l_quantity FROM lineitem) l`
const skewedCases: readonly Case[] = [
  {
    name: 'joined and summed',
    sql: `SELECT count(*), sum(l_quantity), min(p_name) FROM ${skewed} JOIN part ON k = p_partkey`,
  },
  {
    name: 'LEFT JOIN, grouped by a text',
    sql: `SELECT p_name, count(*), sum(l_quantity) FROM ${skewed} LEFT JOIN part ON k = p_partkey GROUP BY p_name`,
  },
  {
    name: 'keys as they are',
    sql: 'SELECT count(*), sum(l_quantity), min(p_name) FROM lineitem JOIN part ON l_partkey = p_partkey',
  },
]

const filterCases: readonly Case[] = [
  {
    name: 'customers of a segment with over 9,000, LEFT JOIN orders',
    sql: `SELECT c_custkey, count(o_orderkey), sum(o_totalprice) FROM customer LEFT JOIN orders ON c_custkey = o_custkey
      WHERE c_mktsegment = 'BUILDING' AND c_acctbal > 9000 GROUP BY c_custkey`,
  },
  {
    name: 'parts of a brand and small sizes, LEFT JOIN lineitem',
    sql: `SELECT p_partkey, count(l_orderkey), sum(l_quantity) FROM part LEFT JOIN lineitem ON p_partkey = l_partkey
      WHERE p_brand = 'Brand#23' AND p_size < 5 GROUP BY p_partkey`,
  },
  {
    name: 'all customers, LEFT JOIN orders',
    sql: `SELECT c_custkey, count(o_orderkey), sum(o_totalprice) FROM customer LEFT JOIN orders ON c_custkey = o_custkey
      GROUP BY c_custkey`,
  },
]

export const family: Family = { name: 'joins', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const data = await generatedData(options.smoke ? SMOKE.scale : options.scale ?? 1, options.folder)
  const skewRows = options.smoke ? { SKEIN_SKEW_ROWS: '1000' } : {}
  const forced = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }
  const ways = [
    () => pathsOf(skewedCases, data, { ...forced, SKEIN_SKEW_ROWS: UNDIVIDED }, options),
    () => pathsOf(skewedCases, data, { ...forced, ...skewRows }, options),
    () => pathsOf(filterCases, data, { SKEIN_WHOLE_BYTES: '0' }, options),
  ]
  const [undivided = [], divided = [], filtered = []] = options.smoke ? await together(ways) : await inTurns(ways)
  const faults = skewedCases.flatMap(({ name }, i) => undivided[i]?.rows === divided[i]?.rows ? []
    : [`${name}: ${undivided[i]?.rows} rows by one task, ${divided[i]?.rows} divided`])
  return resultOf(undivided, divided, filtered, faults)
}

/** A smoke run measures nothing that others could disturb; most of it is waiting for processes to start. */
function together<T>(ways: readonly (() => Promise<T>)[]): Promise<T[]> {
  return Promise.all(ways.map(way => way()))
}

async function inTurns<T>(ways: readonly (() => Promise<T>)[]): Promise<T[]> {
  const made: T[] = []
  for (const way of ways) made.push(await way())
  return made
}

interface Path extends MeasuredPath {
  readonly name: string
  readonly plan: string
}

async function pathsOf(
  all: readonly Case[], data: TpchData, settings: Readonly<Record<string, string>>,
  { smoke, rounds, print }: FamilyOptions,
): Promise<Path[]> {
  const [executors, cases] = smoke ? [SMOKE.executors, all.slice(0, SMOKE.cases)] : [EXECUTORS, all]
  const turns = await TaskTurns.open()
  const environment = { ...settings, ...turns.environment() }
  try {
    return await withCluster({ data, executors, threadsEach: 1, environment }, async skein => {
      const found: Path[] = []
      for (const { name, sql } of cases) {
        const path = await measuredPath(skein, sql, turns, rounds)
        found.push({ ...path, name, plan: await planOf(skein, sql) })
        print(`${name}: ${whole(path.totalMs)} ms, critical path ${whole(path.slowestTaskMs)} ms`)
      }
      return found
    })
  } finally {
    turns.close()
  }
}

function joinMs({ stagesMs }: MeasuredPath): number {
  return Math.max(...stagesMs.slice(SCANS))
}

async function planOf(skein: Skein, sql: string): Promise<string> {
  const outcome = await skein.query(`EXPLAIN ${sql}`)
  if (outcome.kind === 'error') throw new Error(outcome.message)
  return outcome.answer.rows.map(row => row.join('\n')).join('\n')
}

function resultOf(
  undivided: readonly Path[], divided: readonly Path[], filtered: readonly Path[], faults: readonly string[],
): FamilyResult {
  const pairs = undivided.flatMap((one, i) => divided[i] === undefined ? [] : [{ one, several: divided[i] }])
  return {
    method: [
      `${EXECUTORS} executors of one slot; results are read as Arrow and dropped. CPU of tasks, each measured alone;`,
      'the critical path is the slowest task of each stage, summed. Medians of rounds. Skewed: half of lineitem has',
      'one part, shuffles are forced, and `SKEIN_SKEW_ROWS` switches dividing off; the counts of rows were compared.',
      'Filtered by keys: what a plan does by itself, which no setting switches; the last one is not worth filtering.',
    ].join(' '),
    tables: [{
      title: 'Skewed joins, CPU ms', heads: [
        'lineitem and part', 'slowest task of the join, one has all', 'divided', 'ratio', 'critical path', 'divided',
        'ratio', 'all tasks, ratio',
      ],
      rows: pairs.map(({ one, several }) => [
        one.name, whole(joinMs(one)), whole(joinMs(several)),
        ratio(joinMs(several) / joinMs(one)), whole(one.slowestTaskMs), whole(several.slowestTaskMs),
        ratio(several.slowestTaskMs / one.slowestTaskMs), ratio(several.totalMs / one.totalMs),
      ]),
    }, {
      title: 'Filters by keys, CPU ms', heads: ['join', 'filtered', 'rows', 'all tasks', 'critical path'],
      rows: filtered.map(({ name, plan, rows, totalMs, slowestTaskMs }) =>
        [name, FILTERED.test(plan) ? 'yes' : 'no', whole(rows), whole(totalMs), whole(slowestTaskMs)]),
    }],
    figures: [],
    chart: {
      title: 'CPU ms of the slowest task of a skewed join', unit: ' ms', series: ['one task has the key', 'divided'],
      groups: pairs.map(({ one, several }) =>
        ({ name: one.name, values: [joinMs(one), joinMs(several)] })),
    },
    checks: pairs.length, faults,
  }
}
