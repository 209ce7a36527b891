/**
 * Bloom filters that pyarrow has written: no row is in what they leave out, and they leave out nearly all that has
 * none. SKEIN_PYTHON names a Python that has .ci/interop-requirements.txt.
 */

import t from 'tap'
import { openFiltered, pruned } from '../catalog/filtered-table.ts'
import { GROUPS, GROUP_ROWS, filteredColumns } from '../catalog/filtered-file.ts'
import { python, runPython, scriptPath } from './python.ts'

const { status, output } = await runPython(['-c', 'import pyarrow.parquet'])
t.test('filters of another writer, for every type', {
  skip: status === 0 ? false : `${python} cannot import pyarrow.parquet: ${output.trim().split('\n').at(-1)}`,
}, async t => {
  const written = await openFiltered(t, async lake => {
    const arguments_ = [lake.path('t.parquet'), String(GROUP_ROWS), String(GROUPS)]
    const ended = await runPython([scriptPath('bloom_write.py'), ...arguments_])
    t.equal(ended.status, 0, ended.output)
  })
  const { kept, needed, wrong } = await pruned(written, [...filteredColumns, {
    name: 'd38', sql: '', literal: n => `${n}::DECIMAL(38,4)`, value: n => BigInt(n) * 10_000n,
  }])
  t.strictSame(wrong, [])
  t.ok(needed > 100 && kept < 1.2 * needed, `${kept} row groups for ${needed}`)
})
