/** 100,000 statements made by chance, or those of SEEDS=from-to, or the one of SEED; an hour and more of one core. */

import t from 'tap'
import { runByChance, seedRange } from '../planner/chance-cluster.ts'

const { from, to } = seedRange('0-100000')
/** So many at a time, each reported: a long run shows how far it is. */
const STEP = 1000

for (let at = from; at < to; at += STEP) {
  t.test(`seeds from ${at}: statements made by chance have the answers of one DuckDB`, async t => {
    const { wrong, same, whole, failing } = await runByChance(at, Math.min(to, at + STEP))
    t.strictSame(wrong, [])
    t.comment(`${same} the same, ${whole} whole, ${failing} fail in both`)
  })
}
