/** Statements made by chance that were wrong once; earlier ones were those of another generator. */

import t from 'tap'
import { runByChance } from './chance-cluster.ts'

for (const seed of [90034]) {
  t.test(`seed ${seed}`, async t => {
    const { same, wrong } = await runByChance(seed, seed + 1)
    t.strictSame({ same, wrong }, { same: 1, wrong: [] })
  })
}
