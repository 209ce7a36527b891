/** The tables about the cluster on a real one: read like any table, by who may, and still there after a restart. */

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { runCommand } from './command.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { makeTpch } from './tpch-runs.ts'
import { Operator, until } from './watch.ts'

const SCALE = 0.01

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-system-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function rows(outcome: SkeinOutcome): readonly (readonly unknown[])[] {
  if (outcome.kind === 'rows') return outcome.answer.rows
  throw new Error(`${outcome.code} ${outcome.message}`)
}

t.test('what the cluster knows of itself is read, joined and counted like other tables', async t => {
  const folder = await folderOf(t)
  const data = await makeTpch(SCALE, folder)
  const skein = await Skein.start({
    folder, executors: 2, config: tpchConfig(data.folder),
    environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
  })
  t.teardown(() => skein.stop())
  const one = async (sql: string): Promise<readonly (readonly unknown[])[]> => rows(await skein.query(sql))

  const shuffled = await skein.query(tpchQueries(SCALE)[2]?.sql ?? '')
  const id = shuffled.kind === 'rows' ? shuffled.queryId : ''
  const [known] = await one(`SELECT state, sql LIKE '%c_mktsegment%', client_interface, stages > 1, tasks > 2,
    executors, ended_at >= started_at, now() - started_at < INTERVAL 10 MINUTE, now() >= started_at, error_code
    FROM skein.queries WHERE id = '${id}'`)
  t.strictSame(known, ['finished', 'true', 'HttpQuery', 'true', 'true', '2', 'true', 'true', 'true', null])
  t.strictSame(await one(`SELECT q.id, count(*) = any_value(q.tasks), count(DISTINCT t.stage) = any_value(q.stages)
    FROM skein.main.queries q JOIN skein.tasks t ON t.query = q.id WHERE q.id = '${id}' GROUP BY q.id`),
  [[id, 'true', 'true']])
  t.strictSame(await one(`SELECT count(*), min(n.n_name) FROM skein.executors e JOIN nation n ON n.n_nationkey < 2`),
    [['4', 'ALGERIA']], 'with a table of a bucket')
  t.strictSame(await one('SELECT state, count(*), sum(slots) > 0 FROM skein.executors GROUP BY ALL'),
    [['active', '2', 'true']])
  t.strictSame(await one(`SELECT count(*) FROM skein.cache`), [['2']])
  const operator = new Operator(skein.doors)
  const [silent] = await operator.executors()
  operator.close()
  process.kill(silent?.pid ?? 0, 'SIGSTOP')
  try {
    t.strictSame(await one('SELECT count(used_bytes) FROM skein.cache'), [['1']], 'while one does not answer')
  } finally {
    process.kill(silent?.pid ?? 0, 'SIGCONT')
  }
  t.strictSame(await one(`SELECT value FROM skein.settings WHERE name = 'default_catalog'`), [['tpch']])
  t.strictSame(await one(`SELECT list(state ORDER BY happened_at) FROM skein.events WHERE id = '${id}'`),
    [[['started', 'finished']]])
  t.strictSame(await one(`SELECT state, count(*) FROM skein.queries WHERE sql LIKE '%FROM skein.queries WHERE sql%'
    GROUP BY state`), [['planning', '1']], 'it sees itself')

  t.match(await skein.query('SELECT none FROM nation'), { code: 'BIND_ERROR' })
  t.match(await skein.query(`CREATE SECRET s (TYPE s3, KEY_ID 'AKxy', SECRET 'hidden')`), { kind: 'error' })
  await skein.query(`SET TimeZone = 'UTC'`)
  const others = `FROM skein.queries WHERE regexp_matches(sql, '^(SELECT none|CREATE SECRET|SET TimeZone)')
    AND ended_at IS NOT NULL`
  await until('those that made no query are there too', 10_000, async () =>
    (await one(`SELECT 1 ${others}`)).length === 3)
  const told = await one(`SELECT state, sql, error_code, error ${others} ORDER BY sql`)
  t.match(told, [
    ['failed', `CREATE SECRET s (TYPE s3, KEY_ID '***', SECRET '***')`, /^[A-Z_]+$/, '***'],
    ['failed', 'SELECT none FROM nation', 'BIND_ERROR', /none/],
    ['finished', `SET TimeZone = 'UTC'`, null, null],
  ])
  t.match(await one(`SELECT count(*) FROM skein.queries WHERE concat(sql, error) LIKE '%hid' || 'den%'`), [['0']])

  const session = randomUUID()
  const inSession = (statement: string) => skein.query(statement, { fields: { session_id: session } })
  await inSession('CREATE TEMP TABLE wanted AS SELECT id, state FROM skein.queries')
  t.match(rows(await inSession(`SELECT w.state FROM wanted w JOIN skein.queries q USING (id) WHERE id = '${id}'`)),
    [['finished']], 'with what a session has made')
  t.strictSame(rows(await inSession('USE skein; SELECT count(*) FROM executors')), [['2']])
  t.match(rows(await skein.query(`SELECT DISTINCT table_name FROM information_schema.tables
    WHERE table_catalog = 'skein' ORDER BY 1`)).flat(),
  ['cache', 'events', 'executors', 'queries', 'settings', 'tasks'])
  t.match(await skein.query('SELECT * FROM skein.none'), { code: /BIND_ERROR|TABLE_NOT_FOUND/ })
  t.match(await skein.query('CREATE TABLE skein.main.x AS SELECT 1'), { kind: 'error' })
  t.match(await skein.query('EXPLAIN ANALYZE SELECT count(*) FROM skein.queries'), { kind: 'rows' })
})

t.test('the log is there after a restart, and names what died', async t => {
  const folder = await folderOf(t)
  const start = (): Promise<Skein> => Skein.start({ folder, executors: 1, config: {} })
  const first = await start()
  t.teardown(() => first.kill().catch(() => undefined)) // it is gone already
  await first.query('SELECT /* done */ 42')
  const running = first.query('SELECT /* dead */ count(*) FROM range(1000000) a, range(1000000) b')
    .catch((reason: unknown) => reason)
  await until('it runs', 10_000, async () => rows(await first.query(`SELECT 1 FROM skein.queries
    WHERE starts_with(sql, 'SELECT /* dead */') AND state = 'running'`)).length === 1)
  await first.kill()
  await running
  const second = await start()
  t.teardown(() => second.stop())
  t.strictSame(rows(await second.query(`SELECT state, sql, ended_at IS NULL, error IS NULL FROM skein.queries
    WHERE regexp_matches(sql, '^SELECT /\\* (done|dead)') ORDER BY state DESC`)), [
    ['finished', 'SELECT /* done */ 42', 'false', 'true'],
    ['died', 'SELECT /* dead */ count(*) FROM range(1000000) a, range(1000000) b', 'true', 'false'],
  ])
  t.strictSame(rows(await second.query(`SELECT t.stage, t.state, t.rows, t.executor <> '', t.coordinator = q.coordinator
    FROM skein.tasks t JOIN skein.queries q ON q.id = t.query WHERE starts_with(q.sql, 'SELECT /* done */')`)),
  [['0', 'succeeded', '1', 'true', 'true']], 'its tasks too')
})

t.test('a user sees what is theirs; one who is named an admin sees everything', async t => {
  const folder = await folderOf(t)
  const skein = await Skein.start({ folder, executors: 1, config: { auth: 'users', admins: ['root'] } })
  t.teardown(() => skein.stop())
  for (const name of ['ann', 'bob', 'root']) {
    const words = ['admin', '--url', skein.doors.admin ?? '', 'user', 'add', name]
    t.match(await runCommand(words, { input: `secret of ${name}\n` }), { status: 0 })
  }
  const ask = async (name: string, statement: string): Promise<string> => {
    const authorization = `Basic ${Buffer.from(`${name}:secret of ${name}`).toString('base64')}`
    const answer = await fetch(new URL('/query', skein.doors.http), {
      method: 'POST', headers: { authorization }, body: JSON.stringify({ statement, format: 'csv' }),
    })
    return (await answer.text()).trim()
  }
  await ask('ann', 'SELECT /* of ann */ 1')
  await ask('bob', 'SELECT /* of bob */ 2')
  for (const table of ['queries', 'events']) {
    const who = `SELECT DISTINCT principal FROM skein.${table} WHERE principal IS NOT NULL ORDER BY 1`
    t.equal(await ask('ann', who), 'principal\nann', table)
    t.equal(await ask('bob', who), 'principal\nbob', table)
    t.equal(await ask('root', who), 'principal\nann\nbob\nroot', table)
  }
  const foreign = 'SELECT count(*) AS n FROM skein.tasks t ANTI JOIN skein.queries q ON q.id = t.query'
  t.equal(await ask('ann', foreign), 'n\n0')
  t.match(await ask('ann', `SELECT sql FROM skein.queries WHERE CAST(sql AS INTEGER) = 1`), /ann/,
    'an error cannot tell of others')
  for (const table of ['executors', 'cache', 'settings']) {
    t.match(await ask('ann', `SELECT * FROM skein.${table}`), /PERMISSION_DENIED/)
    t.notMatch(await ask('root', `SELECT * FROM skein.${table}`), /PERMISSION_DENIED/)
  }
})
