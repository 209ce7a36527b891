/**
 * The coordinator's actors under faults, over many seeds. `SEED=17` repeats one run, `SEEDS=2000` or `SEEDS=2001-4000`
 * does more. docs/SIMULATION.md has what was found.
 */

import t, { type Test } from 'tap'
import * as scenarios from './scenarios.ts'
import type { Run } from './scenarios.ts'
import { seedsOf } from './seeds.ts'

const seeds = seedsOf(process.env, '50')

/** Over all seeds nothing is found wrong; the sums of what was counted. */
async function overSeeds(
  t: Test, scenario: (seed: number) => Promise<Run>, some = seeds,
): Promise<(count: string) => number> {
  const found: string[] = []
  const sums = new Map<string, number>()
  for (const seed of some) {
    const run = await scenario(seed)
    found.push(...run.found.map(text => `SEED=${seed}: ${text}`))
    for (const [name, count] of Object.entries(run.counts)) sums.set(name, (sums.get(name) ?? 0) + count)
  }
  t.strictSame(found, [])
  t.comment([...sums].map(([name, sum]) => `${sum} ${name}`).join(', '))
  return name => sums.get(name) ?? 0
}

t.test('without faults every query gives the right answer', async t => {
  const sum = await overSeeds(t, scenarios.undisturbed)
  t.equal(sum('answers'), 3 * seeds.length)
})

t.test('when executors die, hang and come back, an answer is right or a typed error', async t => {
  const sum = await overSeeds(t, scenarios.disturbed)
  t.ok(seeds.length < 50 || sum('answers') > 10 * sum('errors'), 'most queries survive')
})

t.test('what a slow executor holds up runs elsewhere too, and one of the two counts', async t => {
  // these runs are long
  const some = seeds.length > 1 ? seeds.filter(seed => seed % 4 === 0) : seeds
  const sum = await overSeeds(t, scenarios.stragglers, some)
  t.ok(sum('twice') > some.length, `${sum('twice')} second attempts counted`)
})

t.test('a part of a result that is slow is made elsewhere too, and the rows of one attempt go out', async t => {
  const some = seeds.length > 1 ? seeds.filter(seed => seed % 3 !== 0 || seed % 4 === 0) : seeds
  const sum = await overSeeds(t, scenarios.slowResults, some)
  t.ok(seeds.length < 50 || sum('answers') > 10 * sum('errors'), 'most queries survive')
  t.ok(seeds.length < 50 || sum('counted') > some.length / 4, `${sum('counted')} second attempts counted`)
})

t.test('clocks that are minutes apart, and draw apart, change nothing', async t => {
  const sum = await overSeeds(t, scenarios.skewedClocks)
  t.ok(seeds.length < 50 || sum('answers') > 10 * sum('errors'), 'most queries survive')
})

t.test('a query that is cancelled ends at once and leaves nothing', async t => {
  await overSeeds(t, scenarios.cancelled)
})

t.test('a task that fails for want of memory gets more, once; then its query fails', async t => {
  await overSeeds(t, scenarios.hungry)
})

t.test('exchange files go once their last reader is done, before their query is over', async t => {
  const sum = await overSeeds(t, scenarios.filesGo)
  t.ok(sum('removed') > 0, `${sum('removed')} files`)
})

t.test('a client that does not read keeps no memory, on executors or in the queue', async t => {
  await overSeeds(t, scenarios.unread)
})

t.test('a result that was kept answers who asks the same, or the query runs: the answer is right', async t => {
  const sum = await overSeeds(t, scenarios.asksAgain)
  t.ok(sum('hit') > seeds.length && sum('miss') > seeds.length && sum('off') === 0)
})

t.test('many users at once, while executors come and go', async t => {
  const sum = await overSeeds(t, scenarios.crowd, seeds.slice(0, Math.max(1, seeds.length / 16)))
  t.ok(seeds.length < 50 || sum('served') > 4 * sum('unserved'), 'most queries survive where an executor does')
})
