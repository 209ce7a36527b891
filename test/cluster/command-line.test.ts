/** What scripts rely on: lines, objects, values and exit codes of the command line. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from './command.ts'
import { faultConfig, ROWS, SMALL_ROWS, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-command-line-'))
await writeFaultTables(folder)
const environment = { SKEIN_WHOLE_BYTES: '0' }
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: faultConfig(folder), environment })
const url = skein.doors.http ?? ''
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})

const query = (format: string, sql: string, input?: string) =>
  runCommand(['query', '--url', url, '--format', format, sql], input === undefined ? {} : { input })

t.test('start prints a line for each door, and ready', t => {
  t.strictSame(Object.keys(skein.doors), ['http', 'flight', 'admin'])
  t.match(skein.doors.http, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.match(skein.doors.flight, /^grpc:\/\/127\.0\.0\.1:\d+$/)
  t.match(skein.doors.admin, /^grpc:\/\/127\.0\.0\.1:\d+$/)
  t.end()
})

t.test('JSON is one object of columns, rows and stats', async t => {
  const sql = 'SELECT grp, count(*) AS n FROM rows GROUP BY grp ORDER BY grp LIMIT 2'
  const { status, stdout, stderr } = await query('json', sql)
  t.strictSame({ status, stderr }, { status: 0, stderr: '' })
  const { columns, rows, stats, ...rest } = JSON.parse(stdout) as Record<string, unknown>
  t.strictSame(rest, {})
  t.strictSame(columns, [{ name: 'grp', type: 'BIGINT' }, { name: 'n', type: 'BIGINT' }])
  t.strictSame(rows, [[0, ROWS / 1000], [1, ROWS / 1000]])
  t.strictSame(Object.keys(stats as object), [
    'query_id', 'stages', 'tasks', 'executors', 'whole_reason', 'result_cache', 'bytes_fetched', 'bytes_cached',
    'exchange_bytes', 'plan_ms', 'elapsed_ms',
  ])
  t.match(stats, { query_id: /^[0-9a-f-]{36}$/, whole_reason: null })
  const whole = JSON.parse((await query('json', 'SELECT 1')).stdout) as { stats: object }
  t.match(whole.stats, { whole_reason: /reads no table/ })
})

/** Expression to what stands in the JSON text. */
const cells: readonly (readonly [sql: string, json: string])[] = [
  ['170141183460469231731687303715884105727::HUGEINT', '170141183460469231731687303715884105727'],
  ['(-9223372036854775807 - 1)::BIGINT', '-9223372036854775808'],
  ['18446744073709551615::UBIGINT', '18446744073709551615'],
  ['12345678901234567890.123456789::DECIMAL(38,9)', '12345678901234567890.123456789'],
  ['1.50::DECIMAL(4,2)', '1.50'],
  ['true', 'true'],
  ['NULL::BOOLEAN', 'null'],
  ['NULL', 'null'],
  ["'a\"b'", '"a\\"b"'],
  ["DATE '2020-01-02'", '"2020-01-02"'],
  ["TIMESTAMP '2020-01-02 03:04:05.678'", '"2020-01-02 03:04:05.678"'],
  ["INTERVAL '1 year 2 days 3 hours'", '"1 year 2 days 03:00:00"'],
  ["'00000000-0000-4000-8000-000000000001'::UUID", '"00000000-0000-4000-8000-000000000001"'],
  ["'\\xAA'::BLOB", '"\\\\xAA"'],
  ["'x'::ENUM('x', 'y')", '"x"'],
  ['[1, NULL, 3]', '[1,null,3]'],
  ['[[1.5]]::DECIMAL(3,1)[][]', '[[1.5]]'],
  ['array_value(1, 2)', '[1,2]'],
  ["{'a': 1, 'b': [true], 'c': DATE '2020-01-01'}", '{"a":1,"b":[true],"c":"2020-01-01"}'],
  ["MAP {'k': 1, 'l': NULL}", '{"k":1,"l":null}'],
]

t.test('numbers are bare with all digits, nested values are JSON, the rest is text', async t => {
  const list = cells.map(([sql], i) => `${sql} AS c${i}`).join(', ')
  const { status, stdout, stderr } = await query('json', `SELECT ${list}`)
  t.strictSame({ status, stderr }, { status: 0, stderr: '' })
  t.equal(/"rows":(.*),"stats":/.exec(stdout)?.[1], `[[${cells.map(([, json]) => json).join(',')}]]`)
})

t.test('SQL comes from standard input', async t => {
  const { status, stdout } = await query('csv', '-', 'SELECT 42 AS answer,\n  NULL AS nothing, \'\' AS empty -- end')
  t.strictSame({ status, stdout }, { status: 0, stdout: 'answer,nothing,empty\n42,,""\n' })
})

t.test('an error is on standard error, with status 1', async t => {
  for (const format of ['json', 'csv', 'table', 'arrow']) {
    const { status, stdout, stderr } = await query(format, 'SELECT nope FROM small')
    t.strictSame({ status, stdout }, { status: 1, stdout: '' }, format)
    t.match(stderr, /^error: BIND_ERROR: Binder Error: Referenced column "nope" not found/)
    t.match(stderr, /LINE 1: SELECT nope FROM small\n {15}\^\n$/)
  }
})

t.test('executors are objects with id, address, pid and state', async t => {
  const words = ['admin', 'executors', '--format', 'json', '--url', skein.doors.admin ?? '']
  const { status, stdout } = await runCommand(words)
  t.equal(status, 0)
  const executors = JSON.parse(stdout) as { id: string; pid: number }[]
  t.equal(executors.length, 2)
  for (const executor of executors) {
    t.match(executor, { id: /^[\w-]+$/, address: /^127\.0\.0\.1:\d+$/, pid: Number, state: 'active' })
    t.ok(skein.processes().includes(executor.pid), 'it is a process of this cluster')
  }
})

t.test('a private cluster answers and is gone', async t => {
  const words = ['query', '--config', join(folder, 'own', 'skein.yaml'), '--executors', '2', '--format', 'json',
    'SELECT count(*) AS n FROM small']
  const { status, stdout, stderr } = await runCommand(words, { environment })
  t.strictSame({ status, stderr }, { status: 0, stderr: '' })
  t.match(JSON.parse(stdout), { rows: [[SMALL_ROWS]] })
})
