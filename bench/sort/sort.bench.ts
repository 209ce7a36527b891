/**
 * ORDER BY without a LIMIT over lineitem: rows that are gathered and sorted by one task, against rows that are sorted
 * by ranges. What all tasks spend, and the critical path; from which size on ranges are shorter is the planner's
 * default for `sortRows`.
 */

import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { ratio, whole } from '../report.ts'
import { withCluster } from '../tpch/cluster.ts'
import type { CriticalPath } from '../tpch/critical-path.ts'
import { generatedData, type TpchData } from '../tpch/data.ts'
import { measuredPath, type MeasuredPath } from '../tpch/measured-path.ts'
import { sizesAt } from '../tpch/tables.ts'
import { TaskTurns } from '../tpch/task-turns.ts'

const EXECUTORS = 3
/** Of all orders. */
const SHARES = [0.02, 0.05, 0.1, 0.2, 1]
const GATHERED = '1000000000'
const NARROW = 'l_orderkey, l_extendedprice, l_shipdate'

interface Case {
  readonly name: string
  readonly sql: string
}

interface Sorted {
  readonly name: string
  readonly rows: number
  readonly gathered: CriticalPath
  readonly ranges: CriticalPath
}

export const family: Family = { name: 'sort', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const data = await generatedData(options.smoke ? 0.01 : 1, options.folder)
  const cases = casesOf(data, options.smoke)
  const gathered = await pathsOf(cases, data, GATHERED, options)
  const ranges = await pathsOf(cases, data, '0', options)
  const sorted = cases.map(({ name }, i): Sorted => {
    const [one, several] = [gathered[i], ranges[i]]
    if (one === undefined || several === undefined) throw new Error(`${name} was not measured`)
    return { name, rows: one.rows, gathered: one, ranges: several }
  })
  const faults = cases.flatMap(({ name }, i) => gathered[i]?.rows === ranges[i]?.rows ? []
    : [`${name}: ${gathered[i]?.rows} rows gathered, ${ranges[i]?.rows} by ranges`])
  return resultOf(sorted, faults)
}

function casesOf({ scale }: TpchData, smoke: boolean): Case[] {
  const { orders } = sizesAt(scale)
  const some = (share: number): Case => ({
    name: `${share * 100} % of lineitem, 3 columns`,
    // keys of orders leave gaps: see generate.ts
    sql: `SELECT ${NARROW} FROM lineitem WHERE l_orderkey <= ${4 * orders * share} ORDER BY l_extendedprice`,
  })
  return [
    ...(smoke ? SHARES.slice(-1) : SHARES).map(some),
    { name: 'all of lineitem, by a date', sql: 'SELECT * FROM lineitem ORDER BY l_shipdate' },
    { name: 'all of lineitem, by a text', sql: 'SELECT * FROM lineitem ORDER BY l_comment DESC' },
  ]
}

/** On a cluster whose tasks run one at a time: medians over the rounds. */
async function pathsOf(
  cases: readonly Case[], data: TpchData, sortRows: string, { rounds, print }: FamilyOptions,
): Promise<MeasuredPath[]> {
  const turns = await TaskTurns.open()
  const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_SORT_ROWS: sortRows, ...turns.environment() }
  try {
    return await withCluster({ data, executors: EXECUTORS, threadsEach: 1, environment }, async skein => {
      const found: MeasuredPath[] = []
      for (const { name, sql } of cases) {
        found.push(await measuredPath(skein, sql, turns, rounds))
        print(`${sortRows === '0' ? 'by ranges' : 'gathered'}: ${name}: ${whole(found.at(-1)?.totalMs ?? 0)} ms`)
      }
      return found
    })
  } finally {
    turns.close()
  }
}

function resultOf(sorted: readonly Sorted[], faults: readonly string[]): FamilyResult {
  return {
    method: [
      `Results in order, of ${EXECUTORS} executors of one thread, read as Arrow and dropped. Gathered: one task sorts`,
      'all rows. By ranges: a sample of the keys, rows divided by it, a task a range. CPU of all tasks, each measured',
      'alone, and of the critical path: the slowest task of each stage, summed. Medians of rounds; the counts of rows',
      'were compared.',
    ].join(' '),
    tables: [{
      title: 'CPU ms', heads: [
        'sorted', 'rows', 'gathered, all tasks', 'ranges, all tasks', 'ratio', 'gathered, critical path',
        'ranges, critical path', 'ratio',
      ],
      rows: sorted.map(({ name, rows, gathered, ranges }) => [
        name, whole(rows), whole(gathered.totalMs), whole(ranges.totalMs), ratio(ranges.totalMs / gathered.totalMs),
        whole(gathered.slowestTaskMs), whole(ranges.slowestTaskMs),
        ratio(ranges.slowestTaskMs / gathered.slowestTaskMs),
      ]),
    }],
    figures: [],
    chart: {
      title: 'CPU ms of the critical path', unit: ' ms', series: ['gathered', 'by ranges'],
      groups: sorted.map(({ name, gathered, ranges }) =>
        ({ name, values: [gathered.slowestTaskMs, ranges.slowestTaskMs] })),
    },
    checks: sorted.length, faults,
  }
}
