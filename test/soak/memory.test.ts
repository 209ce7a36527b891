/**
 * Heavy aggregations beyond an executor's memory, many at once: each gives the right answer or is refused with a typed
 * error; the executor stays within twice its DuckDB memory, is never killed, and leaves nothing on disk.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { heavyRun } from '../cluster/heavy-runs.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-memory-'))
t.teardown(() => rm(folder, { recursive: true }))

const GB = 1e9

for (const mode of ['whole', 'spread'] as const) {
  t.test(`20 at once on an executor of 1 GB, ${mode}`, async t => {
    const run = await heavyRun({ folder: join(folder, mode), mode, rows: 5_000_000, queries: 20, memory: '1GB' })
    t.comment(JSON.stringify({ ...run, faults: run.faults.length }))
    t.strictSame(run.faults, [])
    t.ok(run.answers > 0, `${run.answers} answered, refused: ${run.refused.join(', ')}`)
    t.ok(run.peakBytes < 2 * GB, `${run.peakBytes} bytes at most`)
    t.strictSame(run.left, [], 'nothing is left')
  })
}
