/** Missing chunks to requests. */

import t from 'tap'
import type { ByteRange } from '../../cache/column-chunks.ts'
import { planReads } from '../../cache/fetch-plan.ts'
import { mulberry32 } from '../random.ts'

const KIB = 1024
const MIB = 1024 * KIB

function plan(chunks: readonly (readonly ByteRange[])[]): [number, number][] {
  return planReads(chunks.map((_, i) => i), chunk => chunks[chunk] ?? []).map(({ from, to }) => [from, to])
}

const range = (from: number, length: number): ByteRange[] => [{ from, to: from + length }]

t.test('neighbours are one request, of at most 8 MiB', async t => {
  t.strictSame(plan([range(0, 10), range(10, 5), range(15, 1)]), [[0, 16]])
  t.strictSame(plan([range(0, 20 * MIB)]), [[0, 8 * MIB], [8 * MIB, 16 * MIB], [16 * MIB, 20 * MIB]])
  t.strictSame(plan([[]]), [])
})

t.test('a gap is bridged if it is small against all that is asked for', async t => {
  t.strictSame(plan([range(0, 100 * KIB), range(102 * KIB, 100 * KIB)]), [[0, 202 * KIB]])
  t.strictSame(plan([range(0, 100 * KIB), range(150 * KIB, 100 * KIB)]), [[0, 100 * KIB], [150 * KIB, 250 * KIB]])
  const far = range(6 * MIB + 300 * KIB, 6 * MIB)
  t.equal(plan([range(0, 6 * MIB), far]).length, 2, 'and not above 256 KiB')
  const many = Array.from({ length: 50 }, (_, i) => range(i * 12 * KIB, 10 * KIB))
  const bytes = plan(many).reduce((sum, [from, to]) => sum + to - from, 0)
  t.ok(bytes <= 1.05 * 50 * 10 * KIB, `${bytes}`)
})

t.test('whatever the chunks, every byte asked for is read once and little else', async t => {
  const random = mulberry32(5)
  for (let run = 0; run < 200; run++) {
    let at = 4
    const chunks = Array.from({ length: 40 }, (): ByteRange[] => {
      const from = at + Math.floor(random() * 3) * Math.floor(random() * 400 * KIB)
      at = from + Math.floor(random() ** 3 * 12 * MIB)
      return at > from ? [{ from, to: at }] : []
    })
    const reads = planReads(chunks.map((_, i) => i), chunk => chunks[chunk] ?? [])
    const wanted = chunks.flat().reduce((sum, { from, to }) => sum + to - from, 0)
    const read = reads.reduce((sum, { from, to }) => sum + to - from, 0)
    const pieces = reads.flatMap(each => each.pieces)
    const covered = pieces.reduce((sum, { from, to }) => sum + to - from, 0)
    const inside = reads.every(each => each.pieces.every(({ from, to }) => from >= each.from && to <= each.to))
    const bounded = reads.every(({ from, to }) => to - from <= 8 * MIB)
    if (covered !== wanted || !inside || !bounded || read > 1.05 * wanted) t.fail(`run ${run}`)
  }
  t.pass('200 plans')
})
