/**
 * A fatal error of DuckDB, to which a damaged database file leads: the session whose statement it was is told and goes
 * on with another instance; nobody else sees anything of it.
 */

import { copyFile, mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { rows, sessionsOf } from './asking.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator } from './watch.ts'

const BLOCK_BYTES = 256 * 1024
/** Of a database file, before its first block. */
const HEAD_BYTES = 3 * 4096

const folder = await mkdtemp(join(tmpdir(), 'skein-fatal-'))
await writeFaultTables(folder)
const desk = join(folder, 'desk')
await mkdir(desk)
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
await connection.run(`ATTACH '${join(desk, 'good.duckdb')}' AS d`)
await connection.run('CREATE TABLE d.t (k BIGINT PRIMARY KEY, h UBIGINT)')
await connection.run('INSERT INTO d.t SELECT i, hash(i) FROM range(60000) t(i)')
await connection.run('CREATE INDEX x ON d.t(h)')
await connection.run('DETACH d')
connection.closeSync()
instance.closeSync()

/** A copy each, of which one block is not what was written. */
const blocks = Math.floor(((await stat(join(desk, 'good.duckdb'))).size - HEAD_BYTES) / BLOCK_BYTES)
const names = Array.from({ length: blocks }, (_, i) => `damaged${i}`)
for (const [i, name] of names.entries()) {
  const path = join(desk, `${name}.duckdb`)
  await copyFile(join(desk, 'good.duckdb'), path)
  const file = await open(path, 'r+')
  await file.write(Buffer.alloc(1000, 0xff), 0, 1000, HEAD_BYTES + i * BLOCK_BYTES + 5000)
  await file.close()
}

const base = faultConfig(folder) as { readonly buckets: object; readonly catalogs: object }
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 2, config: {
    ...base, buckets: { ...base.buckets, desk: { provider: 'local', path: desk } },
    catalogs: { ...base.catalogs, ...Object.fromEntries(names.map(name =>
      [name, { type: 'duckdb', bucket: 'desk', path: `${name}.duckdb` }])) },
  },
})
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

t.test('a session whose DuckDB has failed for good has another one, and no other query is lost', async t => {
  const before = (await operator.executors()).map(({ pid }) => pid)
  const failures: unknown[] = []
  let isOver = false
  const asking = (async () => {
    while (!isOver) {
      const outcome = await skein.query('SELECT count(*), sum(hash(word) % 100) FROM rows')
      if (outcome.kind === 'error') failures.push(outcome)
    }
  })()
  const session = sessionsOf(skein)
  const fatal: string[] = []
  for (const name of names) {
    if (fatal.length === 2) break
    const insert = `INSERT INTO ${name}.main.t SELECT i, hash(i) FROM range(60000, 60100) t(i)`
    const own = session()
    const outcome = await own(insert)
    if (outcome.kind !== 'error' || outcome.code !== 'EXECUTOR_LOST') continue
    fatal.push(outcome.message)
    t.match(await own('CREATE TEMP TABLE mine AS SELECT 42 AS a'), { kind: 'rows' }, 'the session goes on')
    t.match(await own(insert), { kind: 'error', code: 'SESSION_LOST' }, 'what it had made is lost, and it is told')
    t.strictSame(rows(await own('SELECT count(*) FROM duckdb_tables() WHERE table_name = \'mine\'')), [['0']])
  }
  isOver = true
  await asking
  t.equal(fatal.length, 2, `of ${names.length} blocks`)
  t.ok(fatal.every(message => /FATAL|invalidated/.test(message)), fatal.join())
  t.strictSame(failures, [])
  t.match(await operator.executors(), before.map(pid => ({ pid, state: 'active', reason: '' })))
})
