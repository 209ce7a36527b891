/** Arrow data that pyarrow has written, into a table of DuckDB: large and dictionary types, slices, extensions. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { column, ingest, messagesOf, openConnection } from '../executor/ingest-workbench.ts'
import { python, runPython, scriptPath } from './python.ts'

const { status, output } = await runPython(['-c', 'import pyarrow'])
t.test('what pyarrow writes is taken, value for value', {
  skip: status === 0 ? false : `${python} cannot import pyarrow: ${output.trim().split('\n').at(-1)}`,
}, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-ingest-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'data.arrows')
  const ended = await runPython([scriptPath('arrow_write.py'), file])
  t.equal(ended.status, 0, ended.output)
  const expected = JSON.parse(ended.output) as Record<string, (string | null)[]>
  const connection = await openConnection(t)
  await connection.run("SET SESSION TimeZone = 'UTC'")
  const { rowCount } = await ingest(connection, 'target', await messagesOf(await readFile(file)))
  t.equal(rowCount, 7)
  for (const [name, texts] of Object.entries(expected)) {
    t.strictSame(await column(connection, `SELECT ${name}::VARCHAR FROM target`), texts, name)
  }
})
