/** What SQL cannot do on an executor's instances, even if the planner let it pass. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openWorkbench } from './workbench.ts'

const never = new AbortController().signal

t.test('nothing outside the fence can be reached, and the fence cannot be moved', async t => {
  const bench = await openWorkbench(t)
  const outside = join(bench.folder, 'outside.csv')
  writeFileSync(outside, 'secret\n1\n')
  const attempts = [
    "SELECT * FROM read_text('/etc/passwd')", `SELECT * FROM read_csv('${outside}')`,
    `SELECT * FROM read_csv('${bench.lake}/../outside.csv')`, `SELECT * FROM glob('${bench.folder}/*')`,
    `COPY (SELECT 1) TO '${bench.folder}/written.csv'`, `ATTACH '${bench.folder}/x.duckdb'`, 'INSTALL httpfs',
    'LOAD httpfs',
    "SELECT * FROM read_parquet('https://example.org/x.parquet')", 'SET enable_external_access = true',
    "SET allowed_directories = ['/']", "SET temp_directory = '/'", `EXPORT DATABASE '${bench.folder}/export'`,
  ]
  for (const kind of ['emitted', 'original'] as const) {
    const { connection, done } = await (kind === 'emitted'
      ? bench.instances.emitted('q' as never, true, 0, '', never)
      : bench.instances.original('q' as never, 't' as never, [], 0, never))
    const through: string[] = []
    for (const sql of attempts) await connection.run(sql).then(() => through.push(sql), () => undefined)
    t.strictSame(through, [], kind)
    await done(false)
  }
})

t.test('a principal\'s instance reads its own files and no other of the lake', async t => {
  const bench = await openWorkbench(t)
  for (const name of ['mine.csv', 'other.csv']) writeFileSync(join(bench.lake, name), 'a\n1\n')
  const files = [join(bench.lake, 'mine.csv')]
  const { connection, done } = await bench.instances.original('q' as never, 't' as never, files, 0, never)
  await connection.run(`SELECT * FROM read_csv('${bench.lake}/mine.csv')`)
  await t.rejects(connection.run(`SELECT * FROM read_csv('${bench.lake}/other.csv')`), { message: /^Permission Error/ })
  await done(false)
})

t.test('a leased instance keeps its own budget, and spills where it may', async t => {
  const bench = await openWorkbench(t)
  const { connection, done } = await bench.instances.emitted('q' as never, false, 300 * 1024 * 1024, '', never)
  const sql = "SELECT current_setting('memory_limit'), current_setting('preserve_insertion_order')"
  const [row] = await connection.texts(sql, [0, 1])
  t.strictSame(row, ['300.0 MiB', 'false'])
  await done(false)
  await bench.instances.releaseQuery('q' as never)
})
