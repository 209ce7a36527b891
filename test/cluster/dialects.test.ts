/** Statements in foreign dialects through the doors of a cluster: HTTP, the command line, the shell. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { tables, tablesConfig, writeTables } from '../sql/tables.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { runCommand } from './command.ts'
import { Skein } from './skein.ts'
import { until } from './watch.ts'

const SETTLED_WITHIN_MS = 20_000

interface Report {
  readonly stats?: { readonly result_cache?: string }
}

const folder = await mkdtemp(join(tmpdir(), 'skein-dialects-'))
await writeTables(join(folder, 'files'))
const oracle = await Oracle.open(join(folder, 'files'), tables, 'lake')
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 2, config: tablesConfig(join(folder, 'files')),
  environment: { SKEIN_WHOLE_BYTES: '0' },
})
t.teardown(async () => {
  oracle.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const http = skein.doors.http ?? ''

const post = async (path: string, body: object): Promise<string> =>
  (await fetch(new URL(path, http), { method: 'POST', body: JSON.stringify(body) })).text()

const duckdb = "SELECT customer, count(*) AS n, CASE WHEN count(*) > 2 THEN 'many' ELSE 'few' END AS size FROM sales "
  + "WHERE day > DATE '2024-01-10' GROUP BY customer ORDER BY customer NULLS FIRST"
const foreign: readonly (readonly [dialect: string, sql: string])[] = [
  ['mysql', "SELECT customer, COUNT(*) AS n, IF(COUNT(*) > 2, \"many\", 'few') AS size FROM `sales` "
    + "WHERE day > DATE_SUB('2024-01-11', INTERVAL 1 DAY) GROUP BY customer ORDER BY customer"],
  ['tsql', "SELECT TOP 1000 [customer], COUNT(*) AS n, IIF(COUNT(*) > 2, N'many', 'few') AS size FROM [sales] "
    + "WHERE day > DATEADD(day, -1, CAST('2024-01-11' AS DATE)) GROUP BY customer ORDER BY customer"],
]

t.test('the answer is that of the DuckDB text, distributed all the same', async t => {
  const expected = await oracle.run(duckdb)
  for (const [dialect, sql] of foreign) {
    const outcome = await skein.query(sql, { fields: { dialect } })
    if (outcome.kind === 'error') throw new Error(outcome.message)
    t.equal(difference(expected, outcome.answer, true), undefined, dialect)
    t.equal(outcome.wholeReason, null, dialect)
  }
})

t.test('a refusal has its place in the text, and no id of ours', async t => {
  const statement = 'SELECT team,\n  FOO(age) FROM people'
  const lines = (await post('/query', { statement, dialect: 'mysql' })).split('\n')
  t.match(JSON.parse(lines[1] ?? ''), {
    code: 'UNSUPPORTED_STATEMENT', position: 15,
    error: 'mysql: the function FOO is not translated\n\nLINE 2:   FOO(age) FROM people\n          ^',
  })
})

t.test('what DuckDB says of the translation comes with it, and without a place', async t => {
  const lines = (await post('/query', { statement: 'SELECT `nope` FROM people', dialect: 'mysql' })).split('\n')
  const line = JSON.parse(lines[1] ?? '') as { error: string; code: string; position?: number }
  t.equal(line.code, 'BIND_ERROR')
  t.equal(line.position, undefined)
  t.match(line.error, /"nope"[\s\S]*the translation that this is about: SELECT "nope" FROM "people"/)
})

t.test('other dialects and parameters are refused at once', async t => {
  t.match(JSON.parse(await post('/query', { statement: 'SELECT 1', dialect: 'oracle' })), {
    error: {
      code: 'INVALID_REQUEST',
      message: "no dialect 'oracle': there are duckdb, mysql, snowflake, bigquery, tsql, trino",
    },
  })
  t.match(JSON.parse(await post('/query', { statement: 'SELECT ?', dialect: 'mysql', parameters: [1] })), {
    error: { code: 'INVALID_REQUEST', message: 'a statement in a foreign dialect takes no parameters' },
  })
})

t.test('EXPLAIN shows the translation, in every way to ask for it', async t => {
  const translation = 'SELECT "team" FROM "people" ORDER BY "age" ASC NULLS FIRST LIMIT 2'
  const sql = 'SELECT TOP 2 team FROM people ORDER BY age'
  t.match(JSON.parse(await post('/explain', { statement: sql, dialect: 'tsql' })), {
    statement: translation, dialect: 'tsql', text: new RegExp(`^Translated from tsql: ${translation}\n`),
  })
  const [, , row = ''] = (await post('/query', { statement: `EXPLAIN ${sql}`, dialect: 'tsql' })).split('\n')
  t.match((JSON.parse(row) as string[])[1], `Translated from tsql: ${translation}`)
  const { stdout } = await runCommand(['explain', '--url', http, '--dialect', 'tsql', sql])
  t.match(stdout, `Translated from tsql: ${translation}`)
})

t.test('a kept result answers the same question in another dialect', async t => {
  const ask = (statement: string, dialect: string): Promise<string> => post('/query', { statement, dialect })
  const rows = (answer: string): string[] => answer.trimEnd().split('\n').slice(2)
  const useOf = async (answer: string): Promise<Report> => {
    const { query_id: id } = JSON.parse(answer.split('\n')[0] ?? '') as { query_id: string }
    return await (await fetch(new URL(`/query/${id}`, http))).json() as Report
  }
  let first = ''
  await until('a result over files that have just come is kept', SETTLED_WITHIN_MS, async () => {
    first = await ask('SELECT COUNT(*) AS n FROM people WHERE age > 31', 'mysql')
    return (await useOf(first)).stats?.result_cache === 'miss'
  })
  const again = await ask('SELECT COUNT(*) AS n FROM [people] WHERE age > 31', 'tsql')
  t.same(rows(again), rows(first))
  const report = await useOf(again)
  t.match(report, { query: 'SELECT COUNT(*) AS n FROM [people] WHERE age > 31', stats: { result_cache: 'hit' } })
})

t.test('the command line and the shell translate', async t => {
  const words = ['--url', http]
  const query = await runCommand(['query', ...words, '--dialect', 'mysql', '--format', 'csv', 'SELECT 7 DIV 2 AS n'])
  t.match(query, { status: 0, stdout: 'n\n3\n' })
  const failed = await runCommand(['query', ...words, '--dialect', 'trino', 'SELECT 1 LIMIT ?'])
  t.match(failed, { status: 1, stderr: 'error: UNSUPPORTED_STATEMENT: trino: a LIMIT or OFFSET that is no number' })
  const input = "\\dialect tsql\nSELECT 'a' + 'b' AS x;\n\\dialect duckdb\nSELECT [1] AS y;\n"
  const shell = await runCommand(['shell', ...words, '--format', 'csv'], { input })
  t.equal(shell.stdout, 'x\nab\ny\n[1]\n')
  t.match(shell.stderr, 'the dialect is tsql')
})

t.test('a translation may do no more than any text', async t => {
  for (const [dialect, statement] of [
    ['mysql', 'SELECT * FROM `/etc/passwd`'], ['tsql', 'SELECT * FROM [read_csv(\'/etc/passwd\')]'],
    ['bigquery', 'SELECT * FROM `/etc/passwd`'], ['snowflake', 'SELECT * FROM "/etc/passwd"'],
    ['trino', 'SELECT * FROM "/etc/passwd.csv"'],
  ] as const) {
    const answer = await post('/query', { statement, dialect })
    t.notMatch(answer, /root:/, statement)
    t.match(answer, /"code":"(TABLE_NOT_FOUND|PERMISSION_DENIED|UNSUPPORTED_STATEMENT|BIND_ERROR)"/, statement)
  }
})
