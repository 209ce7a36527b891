/** Aggregations that do not fit into memory, at once: each is answered or refused. The soak tests do more of it. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { heavyRun } from './heavy-runs.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-memory-'))
t.teardown(() => rm(folder, { recursive: true }))

/** Of the whole process, with Node's own and what DuckDB does not count. */
const MOST_BYTES = 900e6

t.test('six at once on an executor of 300 MB', async t => {
  const run = await heavyRun({ folder, mode: 'whole', rows: 600_000, queries: 6, memory: '300MB' })
  t.comment(JSON.stringify(run))
  t.strictSame(run.faults, [])
  t.ok(run.answers > 0, `${run.answers} answered, refused: ${run.refused.join(', ')}`)
  t.ok(run.peakBytes < MOST_BYTES, `${run.peakBytes} bytes at most`)
  t.strictSame(run.left, [], 'nothing is left')
})
