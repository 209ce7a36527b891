/**
 * Every type of a result as pyarrow reads it from a real cluster: fully validated, and each value equal. SKEIN_PYTHON
 * names a Python that has .ci/interop-requirements.txt.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import t from 'tap'
import { Skein } from '../cluster/skein.ts'
import { textCases, textsSql, typeCases, valuesSql, type TypeCase } from '../executor/arrow-types.ts'
import { tablesConfig, writeTables } from '../sql/tables.ts'
import { python, runPython, scriptPath } from './python.ts'

const ROWS = 300
/** The server is of this Node. */
const codecs = ['none', 'lz4', ...'zstdCompressSync' in zlib ? ['zstd'] : []]
/** HUGEINTs of 39 digits are right to the bit, but exceed the precision that the schema must name. */
const isValid = ({ type }: TypeCase): boolean => type !== 'HUGEINT'
/** The planner does not take a cast to a type with an ENUM inside. */
const isPlanned = ({ type }: TypeCase): boolean => !/.ENUM|ENUM.*\[/.test(type)
const cases = [...typeCases, ...textCases].filter(one => isValid(one) && isPlanned(one))

const { status, output } = await runPython(['-c', 'import pyarrow.flight'])
t.test('pyarrow finds every type valid and every value equal', {
  skip: status === 0 ? false : `${python} cannot import pyarrow.flight: ${output.trim().split('\n').at(-1)}`,
}, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-types-'))
  await writeTables(join(folder, 'files'))
  const skein = await Skein.start({ folder, executors: 1, config: tablesConfig(join(folder, 'files')) })
  const address = (skein.doors.flight ?? '').replace('grpc://', '')
  for (const nulls of [false, true]) {
    const statements = [valuesSql(cases, ROWS, nulls), textsSql(cases, ROWS, nulls)]
    const ended = await runPython([scriptPath('arrow_types.py'), address, ...statements, codecs.join(',')])
    const passed = ended.output.split('\n').filter(line => line.startsWith('ok '))
    for (const line of passed) t.pass(line.slice(3))
    t.equal(ended.status, 0, ended.output)
    t.equal(passed.length, (1 + codecs.length) * (cases.length + 1))
  }
  await skein.stop()
  await rm(folder, { recursive: true })
})
