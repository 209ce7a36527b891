/**
 * Results that several tasks make: every row once, whatever the clients, and however an executor is lost while its part
 * is read. An error may come then; an answer that is short may not.
 */

import { tableFromIPC } from 'apache-arrow'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { faultConfig, ROWS, writeFaultTables } from './fault-tables.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { Operator, until } from './watch.ts'

const EXECUTORS = 3
const HOLD_BYTES = 4 * 1024 * 1024
const BACK_WITHIN_MS = 30_000

const folder = await mkdtemp(join(tmpdir(), 'skein-result-parts-'))
await writeFaultTables(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: EXECUTORS, environment: { SKEIN_WHOLE_BYTES: '0' },
  config: { ...faultConfig(folder, ['rows', 'small']), result_hold_bytes: HOLD_BYTES },
})
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

function rowsOf(t: Test, outcome: SkeinOutcome): readonly (readonly unknown[])[] {
  if (outcome.kind === 'error') t.fail(`${outcome.code}: ${outcome.message}`)
  return outcome.kind === 'rows' ? outcome.answer.rows : []
}

async function arrow(sql: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Buffer> {
  const body = { statement: sql, format: 'arrow', cache: false, ...fields }
  const pieces: Buffer[] = []
  for await (const piece of await skein.request('POST', '/query', body)) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

t.test('the tasks of one stage make the result, each on its executor', async t => {
  const outcome = await skein.query('SELECT id, word FROM rows WHERE id % 10 = 3')
  const rows = rowsOf(t, outcome)
  t.match(outcome, { kind: 'rows', wholeReason: null, stats: { stages: 1, executors: EXECUTORS, exchange_bytes: 0 } })
  const ids = rows.map(([id]) => Number(id)).sort((a, b) => a - b)
  t.strictSame(ids, Array.from({ length: ROWS / 10 }, (_, i) => 10 * i + 3))
})

t.test('a result of more than is held back is whole as Arrow too', async t => {
  const table = tableFromIPC(await arrow('SELECT id, word, early FROM rows'))
  t.equal(table.numRows, ROWS)
  const ids = table.getChild('id')?.toArray() as BigInt64Array
  t.equal(new Set(ids).size, ROWS)
})

t.test('dictionaries are the same in every part', async t => {
  const sql = `SELECT id, (['no', 'yes'][1 + id % 2])::ENUM('yes', 'no', 'never') AS e FROM rows WHERE id % 100 < 2`
  const table = tableFromIPC(await arrow(sql, { enums: 'dictionary' }))
  const [ids, values] = [table.getChild('id'), table.getChild('e')]
  t.equal(table.numRows, ROWS / 50)
  let wrong = 0
  for (let i = 0; i < table.numRows; i++) if (values?.get(i) !== (Number(ids?.get(i)) % 2 === 1 ? 'yes' : 'no')) wrong++
  t.equal(wrong, 0)
})

t.test('without a row the columns come all the same', async t => {
  const outcome = await skein.query('SELECT id, word FROM rows WHERE id % 7 = 9')
  t.strictSame(rowsOf(t, outcome), [])
  t.match(outcome, { answer: { columns: [{ name: 'id', type: 'BIGINT' }, { name: 'word', type: 'VARCHAR' }] } })
})

t.test('a limit is exact over the rows of all tasks', async t => {
  for (const limit of [1, 2_500, 50_007]) {
    const rows = rowsOf(t, await skein.query(`SELECT id FROM rows LIMIT ${limit}`))
    t.equal(new Set(rows.map(([id]) => id)).size, limit)
  }
})

t.test('joined and grouped rows stay where they were made', async t => {
  const joined = await skein.query('SELECT id, k FROM rows JOIN small USING (id)')
  t.equal(rowsOf(t, joined).length, 300)
  const grouped = await skein.query('SELECT id // 2 AS h, count(*) AS n FROM rows WHERE id % 40 < 2 GROUP BY h')
  t.equal(rowsOf(t, grouped).filter(([, n]) => Number(n) === 2).length, ROWS / 40)
})

t.test('a failing row of one part fails the query, though others have gone out', async t => {
  const outcome = await skein.query('SELECT id, word, late::INTEGER AS n FROM rows')
  t.match(outcome, { kind: 'error', code: 'EXECUTION_ERROR', message: /not a number/ })
})

/** Kills one executor when the query has tasks there; gives how to wait until another is in its place. */
async function killOne(mark: string, number: number): Promise<() => Promise<unknown>> {
  const before = await operator.executors()
  const ids = before.map(({ id }) => id).sort()
  const victim = before.find(({ id }) => id === ids[number % EXECUTORS])
  await until('a task runs there', BACK_WITHIN_MS, async () => {
    const query = await operator.query(mark)
    if (query === undefined) return false
    const { task_reports: tasks } = await skein.report(query.id)
    return tasks.some(({ executor }) => executor === victim?.id)
  })
  process.kill(victim?.pid ?? 0, 'SIGKILL')
  return () => until('it is back', BACK_WITHIN_MS, async () => {
    const now = await operator.executors()
    return now.length === EXECUTORS && now.every(({ id, pid, state }) =>
      ids.includes(id) && state === 'active' && (id !== victim?.id || pid !== victim.pid))
  })
}

t.test('an executor that is lost while all is held back is not noticed', async t => {
  for (let run = 0; run < 2; run++) {
    const mark = `held ${run}`
    const asked = skein.query(`SELECT /* ${mark} */ id FROM rows WHERE id % 20 = 1 AND length(md5(md5(word))) > 5`)
    const isBack = await killOne(mark, run)
    const rows = rowsOf(t, await asked)
    t.equal(new Set(rows.map(([id]) => id)).size, ROWS / 20, mark)
    await isBack()
  }
})

t.test('one that is lost while its part goes out is an error, or was not needed any more', async t => {
  const { rows, last, isComplete } = await readWhile(
    'SELECT /* streaming */ id, word, early, late FROM rows', () => killOne('streaming', 2),
  )
  const isError = last.startsWith('{"error"') && last.includes('EXECUTOR_LOST')
  t.ok(isError || (isComplete && rows === ROWS), `${rows} rows, then ${last}`)
})

/** Reads a statement's rows as text, and waits for `meanwhile` when some have come. */
async function readWhile(statement: string, meanwhile: () => Promise<unknown>) {
  const response = await skein.request('POST', '/query', { statement, cache: false })
  const ids = new Set<string>()
  let [count, last] = [0, '']
  for await (const line of createInterface({ input: response })) {
    last = line
    if (++count === 1000) await meanwhile()
    const [, id] = /^\[(\d+),/.exec(line) ?? []
    if (id !== undefined) ids.add(id)
  }
  return { rows: ids.size, last, isComplete: response.complete }
}
