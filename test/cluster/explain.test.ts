/** EXPLAIN and EXPLAIN ANALYZE of a real cluster, at each of its doors. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Explanation } from '../../coordinator/explanation.ts'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { runCommand } from './command.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'

const EXECUTORS = 2
const folder = await mkdtemp(join(tmpdir(), 'skein-explain-'))
await writeFaultTables(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: EXECUTORS, config: faultConfig(folder),
  environment: { SKEIN_WHOLE_BYTES: '0' },
})
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})

const GROUPS = 'SELECT grp, count(*) AS n FROM rows GROUP BY grp'
const columns = [{ name: 'explain_key', type: 'VARCHAR' }, { name: 'explain_value', type: 'VARCHAR' }]

/** The one row of an EXPLAIN. */
async function explained(sql: string): Promise<{ readonly key: string; readonly value: string }> {
  const outcome = await skein.query(sql)
  if (outcome.kind === 'error') throw new Error(`${outcome.code}: ${outcome.message}`)
  const { answer } = outcome
  t.strictSame(answer.columns, columns)
  t.equal(answer.rows.length, 1)
  const [key, value] = answer.rows[0] ?? []
  return { key: String(key), value: String(value) }
}

t.test('EXPLAIN tells the stages and runs nothing', async t => {
  const { key, value } = await explained(`EXPLAIN ${GROUPS}`)
  t.equal(key, 'distributed_plan')
  t.match(value, /^Distributed: 2 stages, \d+ tasks, 2 executors\n/)
  t.match(value, /^Stage 1 → result · 1 task\n/m)
  t.match(value, /^└─ gather: one task combines the parts of groups: about \S+ rows\n {3}Stage 0 → gather/m)
  t.match(value, /Aggregate by grp: count_star\(\) +~/)
  t.match(value, /files, \d+ of \d+ row groups · .* at hand/)
  t.match(value, /^SQL of stage 0:\nSELECT .*scan0/m)
  t.notMatch(value, /Ran /)
})

t.test('EXPLAIN ANALYZE tells what was seen: rows, times, tasks and their executors', async t => {
  const { key, value } = await explained(`EXPLAIN (ANALYZE, FORMAT json) ${GROUPS}`)
  t.equal(key, 'analyzed_plan')
  const { actual, stages, version } = JSON.parse(value) as Explanation
  const [first, last] = stages
  t.equal(version, 1)
  t.match(actual, { rows: 1000, retries: 0, executors: EXECUTORS })
  t.ok((actual?.elapsed_ms ?? 0) >= (last?.actual?.to_ms ?? Infinity), 'stages end before the query')
  t.ok((first?.actual?.to_ms ?? Infinity) <= (last?.actual?.to_ms ?? 0))
  t.equal(first?.actual?.tasks.length, first?.tasks)
  t.equal(last?.actual?.exchange_bytes, first?.actual?.bytes, 'what was written was read')
  t.ok((actual?.cpu_ms ?? 0) > 0)
  const text = (await explained(`EXPLAIN ANALYZE ${GROUPS}`)).value
  t.match(text, /^Ran \d.* of CPU on 2 executors · 1,000 rows, /m)
  t.match(text, /▕ *█+ *▏ \S+ ms to \S+ ms · /)
})

t.test('as a drawing', async t => {
  const { value } = await explained(`EXPLAIN (FORMAT mermaid) ${GROUPS}`)
  t.match(value, /^flowchart BT\n/)
  const drawn = [...value.matchAll(/^ {2}(\w+)[[(]/gm)].map(([, id]) => id)
  const arrows = value.matchAll(/^ {2}(\w+) (?:-->|==>)\|"[^"|]*"\| (\w+)$/gm)
  const joined = [...arrows].flatMap(([, from, to]) => [from, to])
  t.ok(joined.length >= 6, 'table, two stages, result')
  t.strictSame(joined.filter(id => !drawn.includes(id)), [], 'every arrow ends in a box')
  t.notMatch(value, /count_star\(\)/, 'what Mermaid reads as its own is escaped')
})

t.test('errors are those of the statement, at their place in the text that was sent', async t => {
  const missing = await skein.query('EXPLAIN SELECT nothing FROM rows')
  t.match(missing, { kind: 'error', code: 'BIND_ERROR', message: /nothing/ })
  const misspelt = 'EXPLAIN ANALYZE SELECT grp FRM rows'
  t.match(await skein.query(misspelt), { code: 'SYNTAX_ERROR', position: misspelt.indexOf('rows') })
  t.match(await skein.query('EXPLAIN ANALYZE SELECT error(grp::VARCHAR) FROM rows'), { kind: 'error' })
  t.match(await skein.query('EXPLAIN EXPLAIN SELECT 1'), { kind: 'error', code: 'SYNTAX_ERROR' })
  t.match(await skein.query('EXPLAIN (FORMAT html) SELECT 1'), { kind: 'error', code: 'UNSUPPORTED_STATEMENT' })
  t.match(await skein.query('EXPLAIN (VERBOSE) SELECT 1'), { kind: 'error', code: 'UNSUPPORTED_STATEMENT' })
  t.match(await skein.query(`EXPLAIN FROM read_csv('/etc/passwd')`), { kind: 'error', code: 'PERMISSION_DENIED' })
})

t.test('Flight SQL gives the same row, with the schema that it promised', async t => {
  const client = new FlightClient(t, Number(new URL(skein.doors.flight ?? '').port))
  const command = packed(CommandStatementQuerySchema, { query: `EXPLAIN (FORMAT json) ${GROUPS}` })
  const table = await client.read(command)
  t.equal(table.numRows, 1)
  t.strictSame(table.schema.fields.map(({ name, metadata }) => [name, metadata.get('skein.type')]),
    [['explain_key', 'VARCHAR'], ['explain_value', 'VARCHAR']])
  t.match(JSON.parse(String(table.get(0)?.['explain_value'])), { stages: [{ stage: 0 }, { stage: 1 }], actual: null })
})

t.test('the command line prints text, JSON and drawings, and EXPLAIN as it is', async t => {
  const url = ['--url', skein.doors.http ?? '']
  const text = await runCommand(['explain', ...url, '--analyze', 'SELECT count(*) FROM rows'])
  t.equal(text.status, 0)
  t.match(text.stdout, /^Ran /m)
  const json = await runCommand(['explain', ...url, '--format', 'json', GROUPS])
  t.match(JSON.parse(json.stdout), { version: 1, statement: GROUPS, whole_reason: null, actual: null })
  t.match((await runCommand(['explain', ...url, '--format', 'mermaid', GROUPS])).stdout, /^flowchart BT\n/)
  t.match((await runCommand(['query', ...url, `EXPLAIN ${GROUPS}`])).stdout, /^Distributed: 2 stages/)
  t.match(await runCommand(['explain', ...url, '--format', 'csv', GROUPS]),
    { status: 1, stderr: /--format of explain takes text, json or mermaid, not 'csv'/ })
})

t.test('whole queries tell why', async t => {
  t.match((await explained('EXPLAIN SELECT 1')).value, /^Whole on one executor: nothing to split: it reads no table\n/)
  const sampled = (await explained('EXPLAIN ANALYZE SELECT count(*) FROM rows USING SAMPLE 10 ROWS')).value
  t.match(sampled, /^Whole on one executor: .+\n/)
  t.match(sampled, /^Ran .* on 1 executor · 1 row, /m)
})
