/** TPC-H tables that are given: either layout of files is found, the scale is told by the suppliers. */

import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { givenData } from '../../bench/tpch/data.ts'
import { generate } from '../../bench/tpch/generate.ts'

t.test('a folder a table, a file a table, or both; what is missing is named', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-tpch-given-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await generate({ scale: 0.01, folder })
  await rename(join(folder, 'nation', '0.parquet'), join(folder, 'nation.parquet'))
  const { scale, globs } = await givenData(folder)
  t.equal(scale, 0.01)
  t.equal(globs.nation, 'nation.parquet')
  t.equal(globs.lineitem, 'lineitem/*.parquet')
  await rm(join(folder, 'nation.parquet'))
  await t.rejects(givenData(folder), /no table nation in .*: neither nation\/\*\.parquet nor nation\.parquet/)
})
