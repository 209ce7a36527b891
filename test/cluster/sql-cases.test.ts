/** The SQL cases on a real cluster of three executors, spread wherever they can be, against one plain DuckDB. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkout } from '../checkout.ts'
import { Oracle } from '../sql/oracle.ts'
import { judge, readCases } from '../sql/sql-logic.ts'
import { tables, tablesConfig, writeTables } from '../sql/tables.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-cases-'))
const files = join(folder, 'files')
await writeTables(files)
const oracle = await Oracle.open(files, tables, 'lake')
const cases = readCases(new URL('test/sql/', checkout))
t.teardown(async () => {
  oracle.close()
  await rm(folder, { recursive: true })
})

const modes: readonly (readonly [string, Record<string, string>])[] = [
  ['as the planner decides', {}],
  ['distribution and hash exchanges forced', { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }],
]

for (const [i, [mode, environment]] of modes.entries()) {
  t.test(`every case has plain DuckDB's values and types, ${mode}`, async t => {
    const config = tablesConfig(files)
    const skein = await Skein.start({ folder: join(folder, `mode${i}`), executors: 3, config, environment })
    try {
      t.ok(cases.length >= 150, 'the cases are there')
      for (const test of cases) {
        const expected = await oracle.run(test.sql).catch((error: Error) => error)
        const outcome = await skein.query(test.sql)
        const forced = environment['SKEIN_BROADCAST_ROWS'] === '0' // else small tables are copied to one task
        t.equal(judge(test, expected, outcome, forced), undefined, `${test.place} ${test.name}`)
      }
    } finally {
      await skein.stop()
    }
  })
}
