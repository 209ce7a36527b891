/** Files that are missing, broken or no Parquet at all: a typed error that names them; other tables are not touched. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from './command.ts'
import { faultConfig, writeBadFiles } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { workFiles } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-corrupt-'))
await writeBadFiles(folder)
const config = faultConfig(folder, ['good', 'torn', 'damaged', 'empty', 'text', 'gone'])
t.teardown(() => rm(folder, { recursive: true }))

const expected = {
  torn: ['FILE_CORRUPT', /'torn\/1\.parquet' in bucket lake is not a Parquet file/],
  damaged: ['FILE_CORRUPT', /\bError: .*reading .*damaged\//],
  empty: ['FILE_NOT_FOUND', /table shop\.main\.empty: no file matches 'empty\/\*\.parquet' in bucket lake/],
  text: ['FILE_CORRUPT', /'text\/0\.parquet' in bucket lake is not a Parquet file/],
  gone: ['FILE_NOT_FOUND', /table shop\.main\.gone: no file matches 'gone\/\*\.parquet' in bucket lake/],
} as const

for (const [mode, environment] of [['whole', {}], ['spread', { SKEIN_WHOLE_BYTES: '0' }]] as const) {
  t.test(`files that cannot be read, ${mode}`, async t => {
    const skein = await Skein.start({ folder: join(folder, mode), executors: 2, config, environment })
    for (const [table, [code, message]] of Object.entries(expected)) {
      for (const sql of [`SELECT * FROM ${table}`, `SELECT max(a.word) FROM good a JOIN ${table} b USING (id)`]) {
        t.match(await skein.query(sql), { kind: 'error', code, message }, sql)
      }
    }
    const sql = 'SELECT id, word FROM damaged'
    const words = ['query', '--url', skein.doors.http ?? '', '--format', 'csv', sql]
    const { status, stdout, stderr } = await runCommand(words)
    t.strictSame({ status, stdout }, { status: 1, stdout: '' })
    t.match(stderr, /^error: FILE_CORRUPT: [^\n]*\n$/)
    t.match(await skein.query('SELECT count(*), max(id) FROM good'), { answer: { rows: [['2000', '1999']] } })
    t.strictSame(workFiles(join(folder, mode, 'data')), [])
    await skein.stop()
  })
}
