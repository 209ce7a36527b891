/** Suggestions for a statement that is being written: the cluster's tables, the session's own, nobody else's. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'

interface Suggestion {
  readonly suggestion: string
  readonly suggestion_start: number
  readonly suggestion_type: string
}

const folder = await mkdtemp(join(tmpdir(), 'skein-completion-'))
await writeFaultTables(folder)
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 1, config: faultConfig(folder) })
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})

const mine = '00000000-0000-4000-8000-000000000001'
const yours = '00000000-0000-4000-8000-000000000002'

async function ask(method: string, path: string, body?: object, user?: string): Promise<[number, unknown]> {
  const response = await skein.request(method, path, body, undefined, user)
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += String(piece)
  return [response.statusCode ?? 0, JSON.parse(text)]
}

async function complete(statement: string, fields: object = {}, user?: string): Promise<readonly Suggestion[]> {
  const [status, body] = await ask('POST', '/autocomplete', { statement, ...fields }, user)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return (body as { suggestions: readonly Suggestion[] }).suggestions
}

const names = (found: readonly Suggestion[], type: string): readonly string[] =>
  found.filter(each => each.suggestion_type === type).map(({ suggestion }) => suggestion)

t.test('tables, columns, functions and keywords, with the place where they begin', async t => {
  const [first] = await complete('SELECT * FROM sma')
  t.match(first, { suggestion: 'small', suggestion_start: 14, suggestion_type: 'table' })
  t.match(names(await complete('SELECT g'), 'column'), ['grp'])
  t.match(names(await complete('SELECT medi'), 'scalar_function'), ['median'])
  t.match((await complete('sel'))[0], { suggestion: 'select ', suggestion_type: 'keyword' })
  t.match((await complete('SELECT \'é\', medi'))[0], { suggestion: 'median', suggestion_start: 12 })
  t.equal((await complete('', { max_suggestions: 3 })).length, 3)
})

t.test('no file and no folder is suggested', async t => {
  for (const text of ["SELECT * FROM '", "SELECT * FROM '/", "SELECT * FROM read_csv('/et"]) {
    t.strictSame((await complete(text)).filter(({ suggestion }) => suggestion.includes('/')), [], text)
  }
})

t.test('what a session has made is suggested to it alone', async t => {
  const made = await skein.query('CREATE TEMP TABLE smallest AS SELECT 1 AS x', {
    fields: { session_id: mine }, user: 'ann',
  })
  t.equal(made.kind, 'rows')
  const ofAnn = async (): Promise<readonly string[]> =>
    names(await complete('SELECT * FROM sma', { session_id: mine }, 'ann'), 'table')
  t.strictSame(await ofAnn(), ['smallest', 'small'])
  for (const [fields, user] of [[{ session_id: yours }, 'ann'], [{ session_id: yours }, 'bob'], [{}, 'ann']] as const) {
    t.strictSame(names(await complete('SELECT * FROM sma', fields, user), 'table'), ['small'])
  }
  t.match(await ask('POST', '/autocomplete', { statement: 'S', session_id: mine }, 'bob'), [403, {
    error: { code: 'PERMISSION_DENIED' },
  }])
  t.match(await ask('DELETE', `/session/${mine}`, undefined, 'bob'), [403, { error: { code: 'PERMISSION_DENIED' } }])
  t.strictSame(await ask('DELETE', `/session/${mine}`, undefined, 'ann'), [200, { closed: true }])
  t.strictSame(await ask('DELETE', `/session/${mine}`, undefined, 'ann'), [200, { closed: false }])
  t.strictSame(await ofAnn(), ['small'])
})

t.test('where the session looks its names up', async t => {
  const fields = { session_id: mine }
  t.equal((await skein.query('USE memory', { fields })).kind, 'rows')
  t.strictSame(names(await complete('SELECT * FROM sho', fields), 'catalog'), ['shop.'])
  t.equal(names(await complete('SELECT * FROM shop.main.sma', fields), 'table')[0], 'small')
})

t.test('a request that is none is refused', async t => {
  t.match(await ask('POST', '/autocomplete', {}), [400, { error: { message: 'statement is missing' } }])
  t.match(await ask('POST', '/autocomplete', { statement: 'S', max_suggestions: -1 }), [400, {}])
})
