/**
 * The wide set: realistic analytical statements. All have plain DuckDB's answer, and at least 95 in 100 are distributed
 * when that is forced; those that are not say `-- whole`, or read no table once DuckDB has optimised them.
 */

import t from 'tap'
import { FORCED } from './planning.ts'
import { runWideSet, wideCases } from './wide-set.ts'

const EXECUTORS = 3
const DISTRIBUTED_AT_LEAST = 0.95

t.test('the wide set', async t => {
  const outcomes = await runWideSet(t, wideCases, EXECUTORS, FORCED)
  t.strictSame(outcomes.filter(({ fault }) => fault !== null).map(({ test, fault }) => `${test.place}: ${fault}`), [],
    "every statement has plain DuckDB's values and types")
  const whole = outcomes.filter(({ wholeReason }) => wholeReason !== null && !wholeReason.includes('it reads no table'))
  t.strictSame(whole.map(({ test }) => test.place), outcomes.filter(({ test }) => test.where === 'whole')
    .map(({ test }) => test.place), 'those run whole that say so')
  t.ok(outcomes.length >= 380, `${outcomes.length} statements`)
  t.ok(whole.length <= outcomes.length * (1 - DISTRIBUTED_AT_LEAST), `${whole.length} run whole`)
})
