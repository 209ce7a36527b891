/** One budget of disk for spills, exchange files and spools: what outgrows it is DISK_FULL and leaves nothing. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { folderBytes } from '../../executor/folder-size.ts'
import { openWorkbench } from './workbench.ts'

const MIB = 1024 * 1024
const columns = [{ type: 'BIGINT', wireType: 'BIGINT' }]
/** Wide values that Parquet cannot make small: some 100 MB/s, without end. */
const ENDLESS = "SELECT (hash(i * 7) // 2)::BIGINT AS c0 FROM range(100000000000) t(i)"

for (const partitionCount of [1, 8]) {
  t.test(`an endless exchange of ${partitionCount} partitions stops at the limit`, async t => {
    const bench = await openWorkbench(t, { diskBytes: 64 * MIB })
    const hashKeys = partitionCount > 1 ? ['c0'] : []
    let largest = 0
    let ended = false
    const look = async (): Promise<void> => {
      largest = Math.max(largest, await folderBytes(bench.exchangeFiles.root))
      if (!ended) systemClock.after(20, () => { void look() })
    }
    void look()
    const output = { case: 'exchange' as const, value: { columns, hashKeys, partitionCount } }
    const outcome = await bench.run({ sql: ENDLESS, output })
    ended = true
    t.match(outcome, { kind: 'failed', cause: { code: 'DISK_FULL', message: /67108864 bytes of disk.*node\.spill/ } })
    t.ok(largest < 512 * MIB, `${largest} bytes at most`)
    t.strictSame(readdirSync(join(bench.exchangeFiles.root, 'q')), [], 'nothing is left')
    t.equal(bench.disk.freeBytes, bench.disk.totalBytes, 'and all of it is free again')
  })
}

t.test('a sort that cannot spill what it has to is DISK_FULL', async t => {
  const bench = await openWorkbench(t, { diskBytes: 32 * MIB, memoryBytes: 256 * MIB })
  const sql = "SELECT i AS c0 FROM range(3000000) t(i) ORDER BY hash(i)::VARCHAR || repeat('x', 100)"
  const outcome = await bench.run({ sql, output: { case: 'exchange', value: { columns, partitionCount: 1 } } })
  t.match(outcome, { kind: 'failed', cause: { code: 'DISK_FULL' } })
})

t.test('exchange files count until they are removed, with their task or with their query', async t => {
  const bench = await openWorkbench(t, { diskBytes: 64 * MIB })
  const output = { case: 'exchange' as const, value: { columns, partitionCount: 1 } }
  const free = () => bench.disk.totalBytes - bench.disk.freeBytes
  const made = []
  for (let i = 0; i < 2; i++) {
    const outcome = await bench.run({ sql: 'SELECT (hash(i) // 2)::BIGINT AS c0 FROM range(100000) t(i)', output })
    if (outcome.kind === 'failed') throw outcome.cause
    made.push(outcome.stats.outputBytes)
  }
  t.equal(free(), made.reduce((sum, bytes) => sum + bytes, 0))
  await bench.exchangeFiles.removeOutput({ queryId: 'q' as never, stage: 0, partition: 0, attempt: 0 })
  t.equal(free(), made[1])
  await bench.exchangeFiles.removeQuery('q' as never)
  t.equal(free(), 0)
  t.notOk(existsSync(join(bench.exchangeFiles.root, 'q')))
})
