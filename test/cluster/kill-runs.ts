/**
 * Distributed queries on three executors, one of which is killed in the middle of each: the answer is right, and the
 * executor comes back under its name. Half of the questions have fragments whose rows depend on the order in which they
 * are read; those ask for something that holds whatever the order is, unless two attempts are mixed.
 */

import { delay, systemClock } from '../../proto/clock.ts'
import type { Executor } from '../../proto/gen/admin_pb.js'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { difference, type Answer } from '../sql/answer.ts'
import { Skein } from './skein.ts'
import type { TpchData } from './tpch-runs.ts'
import { Operator, until } from './watch.ts'

const EXECUTORS = 3
/** Of a question's own time, when the executor is killed: spread evenly by the golden ratio, the same in each run. */
const GOLDEN = 0.618_034
/** Restarts are put off longer the more often an executor has died. */
const BACK_WITHIN_MS = 30_000
/** With joins over exchanges, and enough of them to be hit. */
const TPCH_NUMBERS = [3, 5, 7, 9, 10, 12, 13, 18, 20, 21]

export interface Question {
  readonly name: string
  readonly sql: string
  readonly expected: Answer
}

export interface KillRunOptions {
  readonly data: TpchData
  readonly folder: string
  readonly runs: number
  readonly onRun: (line: string) => void
}

export interface KillRunResult {
  /** One line for each wrong answer, empty if all is well. */
  readonly faults: readonly string[]
  /** Runs in which the executor died while the query ran. */
  readonly hits: number
  /** Runs in which a task was made again. */
  readonly again: number
}

const one = (value: string): Answer => ({ columns: [{ name: 'n', type: 'BIGINT' }], rows: [[value]] })

/** Each holds only if all readers of the fragment see the same attempt at it. */
const orderSensitive: readonly Question[] = [
  {
    name: 'LIMIT, joined', expected: one('700'),
    sql: `WITH few AS MATERIALIZED (SELECT l_orderkey AS k FROM lineitem WHERE l_linenumber = 1 LIMIT 700)
      SELECT count(*) AS n FROM orders JOIN few ON o_orderkey = k`,
  },
  {
    name: 'LIMIT, joined with itself', expected: one('7'),
    sql: `WITH few AS MATERIALIZED (SELECT l_orderkey, l_linenumber FROM lineitem LIMIT 7)
      SELECT count(*) AS n FROM few a JOIN few b USING (l_orderkey, l_linenumber)`,
  },
  {
    name: 'DISTINCT ON', expected: one('1000'),
    sql: `WITH each AS MATERIALIZED (
        SELECT DISTINCT ON (l_partkey % 1000) l_partkey % 1000 AS p, l_orderkey, l_linenumber FROM lineitem)
      SELECT count(*) AS n FROM each a JOIN each b USING (p, l_orderkey, l_linenumber)`,
  },
  {
    name: 'first', expected: one('1000'),
    sql: `WITH each AS MATERIALIZED (
        SELECT l_partkey % 1000 AS p, first(l_orderkey) AS k, first(l_linenumber) AS l FROM lineitem GROUP BY ALL)
      SELECT count(*) AS n FROM each a JOIN each b USING (p, k, l)`,
  },
  {
    name: 'row_number', expected: one('0'),
    sql: `WITH numbered AS MATERIALIZED (
        SELECT row_number() OVER (PARTITION BY l_suppkey) AS r, l_suppkey AS s, l_orderkey AS o, l_linenumber AS l
        FROM lineitem)
      SELECT count(*) AS n FROM numbered a ANTI JOIN numbered b USING (s, r, o, l)`,
  },
  {
    name: 'arg_min of ties, any_value, list', expected: one('0'),
    sql: `WITH tied AS MATERIALIZED (
        SELECT l_partkey % 500 AS p, arg_min(l_orderkey, 1) AS k, any_value(l_suppkey) AS s, list(l_orderkey)[1] AS f
        FROM lineitem GROUP BY ALL)
      SELECT count(*) AS n FROM tied a ANTI JOIN tied b USING (p, k, s, f)`,
  },
]

export async function killRuns({ data, folder, runs, onRun }: KillRunOptions): Promise<KillRunResult> {
  const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }
  const skein = await Skein.start({ folder, executors: EXECUTORS, config: tpchConfig(data.folder), environment })
  const operator = new Operator(skein.doors)
  const faults: string[] = []
  let [hits, again] = [0, 0]
  try {
    const ids = (await operator.executors()).map(({ id }) => id).sort()
    const questions = questionsOf(data)
    for (let run = 0; run < runs; run++) {
      const question = questions[run % questions.length]
      const victim = (await operator.executors()).find(({ id }) => id === ids[run % EXECUTORS])
      if (question === undefined || victim === undefined) throw new Error('no question, or no executor')
      const kill = (): void => { process.kill(victim.pid, 'SIGKILL') }
      const outcome = await killRun(skein, question, kill, (run * GOLDEN) % 1)
      const backMs = await until(
        `${victim.id} is back`, BACK_WITHIN_MS, async () => isBack(await operator.executors(), ids, victim),
      )
      if (outcome.hit) hits++
      if (outcome.again) again++
      if (outcome.fault !== undefined) faults.push(`run ${run}, ${question.name}: ${outcome.fault}`)
      onRun(`${question.name}: killed after ${Math.round(outcome.killedMs)} of ${Math.round(outcome.elapsedMs)} ms,`
        + `${outcome.hit ? '' : ' too late,'}${outcome.again ? ' tasks made again,' : ''}`
        + ` back in ${Math.round(backMs)} ms`)
    }
    if (!await allUsed(skein, ids)) faults.push('an executor that came back is not used')
  } finally {
    operator.close()
    await skein.stop()
  }
  return { faults, hits, again }
}

/** TPC-H and the order-sensitive ones in turns. */
export function questionsOf({ scale, answers }: TpchData): Question[] {
  const tpch = tpchQueries(scale).flatMap(({ number, sql }, i): Question[] => {
    const expected = answers[i]
    return expected !== undefined && TPCH_NUMBERS.includes(number) ? [{ name: `Q${number}`, sql, expected }] : []
  })
  return tpch.flatMap((question, i) => {
    const other = orderSensitive[i % orderSensitive.length]
    return other === undefined ? [question] : [other, question]
  })
}

/** Asks twice; the second time `kill` is called when that share of the first one's time has passed. */
export async function killRun(skein: Skein, question: Question, kill: () => void, share: number) {
  const startMs = systemClock.nowMs()
  const before = await skein.query(question.sql)
  const usualMs = systemClock.nowMs() - startMs
  if (before.kind === 'error') {
    return { usualMs, killedMs: 0, elapsedMs: usualMs, hit: false, again: false, fault: before.message }
  }
  const askedMs = systemClock.nowMs()
  let answeredMs: number | null = null
  const asked = skein.query(`${question.sql} -- again`).finally(() => { answeredMs = systemClock.nowMs() })
  await delay(systemClock, share * usualMs)
  const killedMs = systemClock.nowMs()
  kill()
  const hit = answeredMs === null
  const outcome = await asked
  const elapsedMs = (answeredMs ?? killedMs) - askedMs
  const fault = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
    : outcome.wholeReason !== null ? `ran whole: ${outcome.wholeReason}`
      : difference(question.expected, outcome.answer, true)
  const again = outcome.kind === 'rows' && (await attempts(skein, outcome.queryId)) > 0
  return { usualMs, killedMs: killedMs - askedMs, elapsedMs, hit, again, fault }
}

async function attempts(skein: Skein, queryId: string): Promise<number> {
  const { task_reports: reports } = await skein.report(queryId)
  return Math.max(...reports.map(({ attempt }) => attempt))
}

function isBack(executors: readonly Executor[], ids: readonly string[], victim: Executor): boolean {
  const active = executors.filter(({ state, pid }) => state === 'active' && pid !== victim.pid).map(({ id }) => id)
  return active.length === ids.length && active.sort().every((id, i) => id === ids[i])
}

async function allUsed(skein: Skein, ids: readonly string[]): Promise<boolean> {
  const outcome = await skein.query('SELECT l_partkey % 7 AS k, count(*) AS n FROM lineitem GROUP BY ALL')
  if (outcome.kind === 'error') return false
  const { task_reports: reports } = await skein.report(outcome.queryId)
  return ids.every(id => reports.some(({ executor }) => executor === id))
}
