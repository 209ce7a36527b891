/**
 * ASOF RIGHT and FULL joins on an executor of one thread, where DuckDB's own wait for ever if a part of the right rows
 * has no left ones: in fragments, and in a session's instance.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { tables, tablesConfig, writeTables } from '../sql/tables.ts'
import { sessionsOf } from './asking.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-asof-'))
const files = join(folder, 'files')
await writeTables(files)
const oracle = await Oracle.open(files, tables, 'lake') // of two threads
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 2, config: { ...tablesConfig(files), node: { threads: 1 } },
  environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
})
t.teardown(async () => {
  await skein.stop()
  oracle.close()
  await rm(folder, { recursive: true })
})

const few = `(SELECT * FROM trades WHERE sym = 'sym1' AND id % 5 = 2)`
const none = `(SELECT * FROM trades WHERE length(sym) = 1)`
const questions = [few, none].flatMap(left => ['RIGHT', 'FULL'].flatMap(kind => [
  `SELECT t.id, t.quantity, q.sym, q.price FROM ${left} t ASOF ${kind} JOIN quotes q USING (sym, ts)`,
  `SELECT t.sym, t.id, q.* FROM ${left} t ASOF ${kind} JOIN quotes q ON t.ts >= q.ts`,
  `SELECT count(*), count(t.id), sum(q.price) FROM ${left} t ASOF ${kind} JOIN quotes q
    ON t.sym IS NOT DISTINCT FROM q.sym AND t.ts < q.ts`,
]))

t.test('cut, they give what plain DuckDB gives', async t => {
  for (const sql of questions) {
    const outcome = await skein.query(sql)
    if (outcome.kind === 'error') throw new Error(`${sql}: ${outcome.message}`)
    t.equal(outcome.wholeReason, null, sql)
    t.equal(difference(await oracle.run(sql), outcome.answer, false), undefined, sql)
  }
})

const own = sessionsOf(skein)()

t.test('so they do in a session with objects of its own', async t => {
  t.equal((await own('CREATE TEMP TABLE one AS SELECT 1 AS one')).kind, 'rows')
  for (const sql of questions) {
    const outcome = await own(`FROM (${sql}), one`)
    if (outcome.kind === 'error') throw new Error(`${sql}: ${outcome.message}`)
    t.equal(difference(await oracle.run(`FROM (${sql}), (SELECT 1 AS one)`), outcome.answer, false), undefined, sql)
  }
})

t.test('there it is refused below what takes rows one after the other', async t => {
  for (const sql of questions) {
    for (const text of [
      `SELECT row_number() OVER () FROM (${sql}), one`, `FROM (${sql}), one LIMIT 50%`,
      `FROM (${sql}), one USING SAMPLE 50%`, `FROM (${sql}) POSITIONAL JOIN one`,
      `CREATE TEMP TABLE two AS FROM (${sql}), one LIMIT 50%`,
    ]) t.match(await own(text), { kind: 'error', code: 'UNSUPPORTED_STATEMENT', message: /ASOF RIGHT or FULL/ }, text)
  }
  t.equal((await own(`FROM (${few}) t ASOF LEFT JOIN quotes q USING (sym, ts), one LIMIT 50%`)).kind, 'rows')
})

t.test('one that would run as it was written is refused', async t => {
  for (const sql of questions) {
    t.match(await skein.query(`FROM (${sql}) TABLESAMPLE 100%`), { kind: 'error', code: 'UNSUPPORTED_STATEMENT' }, sql)
  }
  t.equal((await skein.query(`FROM ${few} t ASOF LEFT JOIN quotes q USING (sym, ts) USING SAMPLE 3`)).kind, 'rows')
})
