/** Sessions over HTTP: what one statement sets, the next one finds; texts of several statements; one-shot requests. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein, type SkeinOutcome } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-session-'))
await writeFaultTables(folder)
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: faultConfig(folder) })
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})

let sessions = 0
const session = (): ((sql: string) => Promise<SkeinOutcome>) => {
  const session_id = `00000000-0000-4000-8000-${String(++sessions).padStart(12, '0')}`
  return sql => skein.query(sql, { fields: { session_id } })
}
const once = (sql: string): Promise<SkeinOutcome> => skein.query(sql)
const rows = (outcome: SkeinOutcome): unknown =>
  outcome.kind === 'rows' ? outcome.answer.rows.map(row => row.map(String)) : outcome
const code = (outcome: SkeinOutcome): string => outcome.kind === 'rows' ? 'rows' : outcome.code

t.test('settings and the place of names last as long as their session', async t => {
  const own = session()
  t.strictSame(rows(await own("SET TimeZone = 'Asia/Tokyo'; SET integer_division = true")), [])
  t.strictSame(rows(await own("SELECT current_setting('timezone'), 7 / 2")), [['Asia/Tokyo', '3']])
  t.strictSame(rows(await session()("SELECT current_setting('timezone'), 7 / 2")), [['UTC', '3.5']])
  t.strictSame(rows(await own('RESET integer_division; SELECT 7 / 2')), [['3.5']])
  t.equal(code(await own('USE nowhere')), 'TABLE_NOT_FOUND')
  t.equal(code(await own('USE shop; USE shop.main; SELECT count(*) FROM rows')), 'rows')
})

t.test('a prepared statement runs with every EXECUTE until it is deallocated', async t => {
  const own = session()
  await own("PREPARE add AS SELECT $1 + $2 AS x, '$1' AS y")
  t.strictSame(rows(await own('EXECUTE add(1, 2)')), [['3', '$1']])
  t.strictSame(rows(await own('EXECUTE add(-1, (4))')), [['3', '$1']])
  t.match(await own('EXECUTE add(1)'), { kind: 'error', code: 'INVALID_REQUEST', message: /parameter \$2/ })
  t.equal(code(await own("PREPARE f AS SELECT * FROM read_text($1); EXECUTE f('/etc/passwd')")), 'PERMISSION_DENIED')
  t.equal(code(await session()('EXECUTE add(1, 2)')), 'NOT_FOUND')
  t.equal(code(await own('DEALLOCATE add')), 'rows')
  t.equal(code(await own('EXECUTE add(1, 2)')), 'NOT_FOUND')
})

t.test('several statements run in order, and the last one answers', async t => {
  t.strictSame(rows(await once("SET TimeZone = 'Asia/Tokyo'; SELECT 1; SELECT current_setting('timezone');")), [
    ['Asia/Tokyo'],
  ])
  t.match(await once("SELECT 1; SELECT 'x'::INTEGER; SELECT 2"), {
    kind: 'error', code: 'EXECUTION_ERROR', message: /^statement 2 of 3: Conversion Error/, position: 20,
  })
  t.match(await once('SELECT 1;\nSELECT nothing;'), {
    kind: 'error', code: 'BIND_ERROR', message: /^statement 2 of 2: Binder Error/, position: 17,
  })
  t.match(await once("SET TimeZone = 'Asia/Tokyo'; COPY rows TO 'x'"), {
    kind: 'error', code: 'PERMISSION_DENIED', message: /^statement 2 of 2: /,
  })
})

t.test('a transaction needs a session, and its statements come in order', async t => {
  const own = session()
  t.equal(code(await own('COMMIT')), 'TRANSACTION_ERROR')
  t.equal(code(await own('BEGIN')), 'rows')
  t.equal(code(await own('BEGIN')), 'TRANSACTION_ERROR')
  t.equal(code(await own('SELECT count(*) FROM rows; ROLLBACK')), 'rows')
  t.equal(code(await once('BEGIN')), 'TRANSACTION_ERROR')
  t.strictSame(rows(await once('BEGIN; SELECT 1; COMMIT; SELECT 2')), [['2']])
})

t.test('EXPLAIN tells what would be done', async t => {
  const outcome = await once('EXPLAIN SELECT count(*) FROM rows')
  t.match(rows(outcome), [['distributed_plan', /Stage 0/]])
})
