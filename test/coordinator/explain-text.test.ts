/** Explanations as people see them: a plan with a shared stage and pruned files, and what was seen when it ran. */

import t from 'tap'
import { explanationMermaid } from '../../coordinator/explain-mermaid.ts'
import { explanationText } from '../../coordinator/explain-text.ts'
import type { ActualStage, ActualTask, ExplainedStage, Explanation } from '../../coordinator/explanation.ts'
import { matchGolden } from '../golden.ts'

const stage: ExplainedStage = {
  stage: 0, sql: 'SELECT t1."customer" AS c0 FROM scan0 AS t1', tasks: 2, estimated_rows: 1500, estimated_bytes: 12_000,
  operators: [
    { depth: 0, text: 'Aggregate by customer: sum(amount)', estimated_rows: 1500, reads: null },
    { depth: 1, text: `Scan orders: customer, amount where day > '2026-01-01'`, estimated_rows: 3e6, reads: null },
  ],
  output: 'broadcast', output_reason: 'read 2 times', inputs: [],
  scans: [{
    table: 'lake.main.orders', columns: ['customer', 'amount', 'day'], reads: 'split', files: 100_000, files_kept: 12,
    row_groups: 400_000, row_groups_kept: 31, bytes: 48_000_000, bytes_to_fetch: 40_000_000, bytes_cached: 8_000_000,
    steps: 1,
  }],
  placement: [
    { executor: '18420783-0000', files: ['orders/a', 'orders/b', 'orders/c'], file_count: 7, bytes: 30_000_000 },
    { executor: '3bce621c-0000', files: ['orders/d'], file_count: 5, bytes: 18_000_000 },
  ],
  actual: null,
}

const last: ExplainedStage = {
  ...stage, stage: 1, tasks: 1, estimated_rows: 10, sql: 'SELECT t1.c0 AS c0 FROM ex0 AS t1', output: 'result',
  output_reason: 'rows go to the client', scans: [], placement: [],
  operators: [
    { depth: 0, text: 'INNER join on sum(amount) = max(sum(amount))', estimated_rows: 10, reads: null },
    { depth: 1, text: 'Read stage 0 by broadcast', estimated_rows: 1500, reads: 0 },
    { depth: 1, text: 'Read stage 0 by all of it', estimated_rows: 1500, reads: 0 },
  ],
  inputs: [
    { stage: 0, exchange: 'broadcast', reason: 'read 2 times' }, { stage: 0, exchange: 'all', reason: 'read 2 times' },
  ],
}

const planned: Explanation = {
  version: 1, dialect: null, statement: 'SELECT 1', columns: [], whole_reason: null, executors: 2, plan_ms: 12.34,
  bytes: 48_000_000, bytes_to_fetch: 40_000_000, bytes_cached: 8_000_000, stages: [stage, last], actual: null,
}

const task: ActualTask = {
  partition: 0, attempt: 0, executor: '18420783-0000', state: 'succeeded', rows: 2_000_000, bytes: 9_000_000,
  exchange_bytes: 0, bytes_fetched: 30_000_000, bytes_cached: 0, cpu_ms: 900, run_ms: 1200, queued_ms: 1, from_ms: 20,
  to_ms: 1220, peak_memory_bytes: 256_000_000, spilled: true,
}

const seen: ActualStage = {
  rows: 4_000_000, bytes: 18_000_000, exchange_bytes: 0, bytes_fetched: 40_000_000, bytes_cached: 8_000_000,
  cpu_ms: 1800, run_ms: 2400, from_ms: 20, to_ms: 1320, peak_memory_bytes: 256_000_000, spilled: true, attempts: 3,
  retries: 1, tasks: [task, { ...task, partition: 1, state: 'failed', rows: 0, run_ms: 0, cpu_ms: 0 },
    { ...task, partition: 1, attempt: 1, executor: '3bce621c-0000' }],
}

const ran: Explanation = {
  ...planned,
  stages: [{ ...stage, actual: seen }, {
    ...last,
    actual: {
      ...seen, rows: 10, bytes: 420, exchange_bytes: 36_000_000, bytes_fetched: 0, bytes_cached: 0, cpu_ms: 80,
      run_ms: 90, from_ms: 1320, to_ms: 1500, peak_memory_bytes: 0, spilled: false, attempts: 1, retries: 0,
      tasks: [{ ...task, rows: 10, run_ms: 90, cpu_ms: 80 }],
    },
  }],
  actual: {
    elapsed_ms: 1530, plan_ms: 12.34, cpu_ms: 1880, attempts: 4, retries: 1, executors: 2, rows: 10, result_bytes: 420,
    bytes_fetched: 40_000_000, bytes_cached: 8_000_000, exchange_bytes: 36_000_000, peak_memory_bytes: 256_000_000,
    spilled: true,
  },
}

t.test('a table that may be read in part is told apart', async t => {
  const steps = stage.scans.map(scan => ({ ...scan, steps: 3 }))
  t.match(explanationText({ ...planned, stages: [{ ...stage, scans: steps }, last] }),
    '40 MB to fetch at most, in 3 steps at most\n')
  t.notMatch(explanationText(planned), 'steps')
})

t.test('explanations look as the golden text', async t => {
  const whole = { ...planned, whole_reason: 'small: 3 MB to read, under 32 MB', stages: [{ ...last, inputs: [] }] }
  const texts = [planned, ran, whole].map(explanation => explanationText(explanation))
  matchGolden(t, 'test/coordinator/golden/explain.txt', texts.join('\n'))
})

t.test('and as drawings', async t => {
  matchGolden(t, 'test/coordinator/golden/explain.mermaid', [planned, ran].map(explanationMermaid).join('\n'))
})

t.test('a sample is not said to have fewer rows than were thought: those are what it is drawn from', async t => {
  const sample: ExplainedStage = { ...stage, output: 'sample', estimated_rows: 3e6, actual: { ...seen, rows: 512 } }
  const text = explanationText({ ...ran, stages: [sample, ...ran.stages.slice(1)] })
  t.match(text, /^.*512 keys drawn$/m)
  t.notMatch(text, /512 rows/)
  t.notMatch(text, /3\.0?M estimated/)
})
