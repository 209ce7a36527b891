/**
 * Statements made by chance give DuckDB's answer as emitted text. `SEED=17` repeats one; `SEEDS=5000` makes more.
 * Findings: `x % 0` of decimals too wide for a DECIMAL is NULL, of doubles NaN; UNION of one input; SINGLE above ANTI.
 */

import t from 'tap'
import { Unsupported } from '../../planner/unsupported.ts'
import { StatementGenerator } from './generated.ts'
import { RoundTrip } from './round-trip.ts'

/** One in so many may be Unsupported, or refused when the emitted text is bound: those run whole. */
const WHOLE_AT_MOST = 10

const roundTrip = await RoundTrip.open()
t.teardown(() => roundTrip.close())

const only = process.env['SEED']
const count = Number(process.env['SEEDS'] ?? 200)
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)]

/** 'same', 'whole', 'invalid' (DuckDB itself refuses it), or what differs. */
async function outcome(sql: string): Promise<string> {
  try {
    (await roundTrip.plain.prepare(sql)).destroySync()
  } catch {
    return 'invalid'
  }
  try {
    const text = roundTrip.text(await roundTrip.plan(sql))
    ;(await roundTrip.plain.prepare(text)).destroySync()
  } catch (thrown) {
    return thrown instanceof Unsupported || isBindError(thrown) ? 'whole' : String(thrown)
  }
  return await roundTrip.difference(sql) ?? 'same'
}

/** What a fragment's dry bind finds: correlations that DuckDB cannot take apart a second time. */
function isBindError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('Not implemented Error')
}

t.test('generated statements give the same rows and types', async t => {
  const outcomes = []
  for (const seed of seeds) outcomes.push({ seed, found: await outcome(new StatementGenerator(seed).statement()) })
  t.strictSame(outcomes.filter(({ found }) => !['same', 'whole', 'invalid'].includes(found)), [])
  const wholeCount = outcomes.filter(({ found }) => found === 'whole').length
  t.ok(wholeCount <= Math.ceil(seeds.length / WHOLE_AT_MOST), `${wholeCount} whole`)
  const sameCount = outcomes.filter(({ found }) => found === 'same').length
  t.ok(only !== undefined || sameCount > seeds.length * 0.8, `${sameCount} the same`)
})
