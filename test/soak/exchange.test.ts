/** Exchanges at their ends: ten thousand partitions, a gigabyte. What was written is read, and all of it goes. */

import t from 'tap'
import { exchanged } from '../executor/exchanges.ts'
import { openWorkbench } from '../executor/workbench.ts'

const GB = 1e9
t.setTimeout(1_200_000)

for (const [what, rows, partitionCount, width] of [
  ['ten thousand partitions', 200_000, 10_000, 1],
  ['a gigabyte', 12_000_000, 4, 12],
  ['a gigabyte in one file', 12_000_000, 1, 12],
] as const) {
  t.test(what, async t => {
    const bench = await openWorkbench(t, { diskBytes: 4 * GB })
    const { written, totals } = await exchanged(bench, rows, partitionCount, width)
    t.strictSame(totals, [String(rows), String(rows * (rows - 1) / 2)])
    const bytes = written.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    t.comment(`${written.files.length} files, ${bytes} bytes`)
    if (width > 1) t.ok(bytes > GB, `${bytes} bytes`)
    else t.ok(written.files.length > 9_990, `${written.files.length} files`)
    await bench.exchangeFiles.removeQuery('q' as never)
    t.equal(bench.disk.freeBytes, bench.disk.totalBytes)
  })
}
