/**
 * Arrow Flight SQL as pyarrow and the ADBC driver speak it, against a real cluster. SKEIN_PYTHON names a Python that
 * has .ci/interop-requirements.txt; the scripts beside this file say what they check, a line each.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Skein } from '../cluster/skein.ts'
import { tablesConfig, writeTables } from '../sql/tables.ts'
import { python, runPython, scriptPath } from './python.ts'

const statement = 'SELECT k, count(*) AS n, sum(v) AS total FROM solid GROUP BY k ORDER BY k'
const rows = [[0, 3, 15], [1, 2, 7], [2, 2, 9], [3, 2, 11], [4, 2, 13]]

const clients = [['flight_pyarrow.py', 'pyarrow.flight'], ['flight_adbc.py', 'adbc_driver_flightsql.dbapi']] as const

for (const [script, module] of clients) {
  const { status, output } = await runPython(['-c', `import ${module}`])
  t.test(`${module} logs in, lists, asks and reads`, {
    skip: status === 0 ? false : `${python} cannot import ${module}: ${output.trim().split('\n').at(-1)}`,
  }, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'skein-python-'))
    await writeTables(join(folder, 'files'))
    const skein = await Skein.start({ folder, executors: 2, config: tablesConfig(join(folder, 'files')) })
    const address = (skein.doors.flight ?? '').replace('grpc://', '')
    const ended = await runPython([scriptPath(script), address, statement, JSON.stringify(rows)])
    for (const line of ended.output.split('\n').filter(line => line.startsWith('ok '))) t.pass(line.slice(3))
    t.equal(ended.status, 0, ended.output)
    await skein.stop()
    await rm(folder, { recursive: true })
  })
}
