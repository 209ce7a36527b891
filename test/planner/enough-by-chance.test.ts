/** What is read in steps may be, of statements made by chance: a part of it gives a part of the rows, and no others. */

import t from 'tap'
import { readPartsByChance, seedRange } from './chance-cluster.ts'

t.test('a part of what may be read in steps gives no row that all of it does not give', async t => {
  const { from, to } = seedRange('0-150')
  const { streamed, wrong } = await readPartsByChance(from, to)
  t.strictSame(wrong, [], `seeds ${from} to ${to}`)
  t.ok(streamed >= Math.floor((to - from) / 4), `${streamed} of ${to - from} read in steps`)
})
