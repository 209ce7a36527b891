/** 100,000 statements made by chance, or SEEDS of them, or the one of SEED; an hour and more of one core. */

import t from 'tap'
import { runByChance } from '../planner/chance-cluster.ts'

const named = process.env['SEED']
const from = Number(named ?? 0)
const to = named === undefined ? Number(process.env['SEEDS'] ?? 100_000) : from + 1
/** So many at a time, each reported: a long run shows how far it is. */
const STEP = 1000

for (let at = from; at < to; at += STEP) {
  t.test(`seeds from ${at}: statements made by chance have the answers of one DuckDB`, async t => {
    const { wrong, same, whole, failing } = await runByChance(at, Math.min(to, at + STEP))
    t.strictSame(wrong, [])
    t.comment(`${same} the same, ${whole} whole, ${failing} fail in both`)
  })
}
