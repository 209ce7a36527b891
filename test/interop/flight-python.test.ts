/**
 * Arrow Flight SQL as pyarrow and the ADBC driver speak it, against a real cluster. SKEIN_PYTHON names a Python that
 * has .ci/interop-requirements.txt; the scripts beside this file say what they check, a line each.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { fileURLToPath } from 'node:url'
import { checkout } from '../checkout.ts'
import { Skein } from '../cluster/skein.ts'
import { tablesConfig, writeTables } from '../sql/tables.ts'

interface Ended {
  readonly status: number
  readonly output: string
}

const python = process.env['SKEIN_PYTHON'] ?? 'python3'
const SCRIPT_LIMIT_MS = 60_000

const statement = 'SELECT k, count(*) AS n, sum(v) AS total FROM solid GROUP BY k ORDER BY k'
const rows = [[0, 3, 15], [1, 2, 7], [2, 2, 9], [3, 2, 11], [4, 2, 13]]

const clients = [['flight_pyarrow.py', 'pyarrow.flight'], ['flight_adbc.py', 'adbc_driver_flightsql.dbapi']] as const

for (const [script, module] of clients) {
  const { status, output } = await run(['-c', `import ${module}`])
  t.test(`${module} logs in, lists, asks and reads`, {
    skip: status === 0 ? false : `${python} cannot import ${module}: ${output.trim().split('\n').at(-1)}`,
  }, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'skein-python-'))
    await writeTables(join(folder, 'files'))
    const skein = await Skein.start({ folder, executors: 2, config: tablesConfig(join(folder, 'files')) })
    const address = (skein.doors.flight ?? '').replace('grpc://', '')
    const path = fileURLToPath(new URL(`test/interop/${script}`, checkout))
    const ended = await run([path, address, statement, JSON.stringify(rows)])
    for (const line of ended.output.split('\n').filter(line => line.startsWith('ok '))) t.pass(line.slice(3))
    t.equal(ended.status, 0, ended.output)
    await skein.stop()
    await rm(folder, { recursive: true })
  })
}

function run(parameters: readonly string[]): Promise<Ended> {
  return new Promise(resolve => {
    execFile(python, parameters, { timeout: SCRIPT_LIMIT_MS }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : 1, output: stdout + stderr + (stderr === '' ? error?.message ?? '' : '') })
    })
  })
}
