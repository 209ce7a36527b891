/** Attempted escapes, all refused with a typed error over HTTP and over Flight, and nothing changed by any of them. */

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import t from 'tap'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { tablesConfig, writeTables } from '../sql/tables.ts'
import { escapes } from './escapes.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-escapes-'))
const files = join(folder, 'files')
await writeTables(files)
const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' }
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: tablesConfig(files), environment })
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})

const out = join(folder, 'out')
const attempts = escapes({ file: join(files, 'customers', '0.parquet'), out })
/** Every so many are tried over Flight too. */
const FLIGHT_EVERY = 10

t.test('over HTTP', async t => {
  t.ok(attempts.length >= 150, `${attempts.length} attempts`)
  const wrong: string[] = []
  for (const [sql, ...codes] of attempts) {
    const outcome = await skein.query(sql)
    const code = outcome.kind === 'error' ? outcome.code : 'an answer'
    if (!codes.includes(code)) wrong.push(`${sql}: ${code} ${outcome.kind === 'error' ? outcome.message : ''}`)
  }
  t.strictSame(wrong, [])
  t.notOk(existsSync(out), 'nothing was written')
  const counted = await skein.query('SELECT count(*) AS n FROM customers')
  t.match(counted, { answer: { rows: [['90']] } }, 'nothing was changed')
})

/** What a session keeps is judged again when it is used. */
const kept: readonly (readonly [make: string, use: string])[] = [
  ["PREPARE p AS FROM read_text('/etc/passwd')", 'EXECUTE p'],
  ["PREPARE p AS SELECT $1 FROM read_text('/etc/passwd')", 'EXECUTE p(1)'],
  ['PREPARE p AS FROM query($1)', `EXECUTE p('COPY (SELECT 1) TO ''${out}''')`],
  ["PREPARE p AS SELECT getenv($1)", "EXECUTE p('PATH')"],
  ['PREPARE p AS SELECT current_setting($1)', "EXECUTE p('temp_directory')"],
  [`PREPARE p AS COPY (SELECT 1) TO '${out}'`, 'EXECUTE p'],
  ["CREATE TEMP VIEW v AS FROM read_text('/etc/passwd')", 'FROM v'],
  ["CREATE TEMP MACRO m(x) AS getenv(x)", "SELECT m('PATH')"],
  ["CREATE TEMP MACRO m(x) AS TABLE FROM read_text(x)", "FROM m('/etc/passwd')"],
  ["CREATE TEMP MACRO abs(x) AS getenv('PATH')", 'SELECT abs(1)'],
  ['CREATE TEMP TABLE t AS SELECT 1 AS i', `COPY t TO '${out}'`],
  ["SET VARIABLE f = '/etc/passwd'", "FROM read_text(getvariable('f'))"],
  ["SET VARIABLE f = '/etc/' || 'passwd'", "FROM query_table(getvariable('f'))"],
  ["SET VARIABLE f = 'FROM read_text(''/etc/' || 'passwd'')'", "FROM query(getvariable('f'))"],
  ["SET VARIABLE f = 'PATH'", "SELECT getenv(getvariable('f'))"],
  ["CREATE TEMP TABLE t AS SELECT 1 AS i", "EXPLAIN SELECT * FROM t, read_text('/etc/passwd')"],
  ["CREATE TEMP TABLE t AS SELECT 1 AS i", `EXPLAIN COPY t TO '${out}'`],
  ["SET search_path = 'temp'", "FROM read_text('/etc/passwd')"],
]

t.test('in two steps of one session', async t => {
  for (const [make, use] of kept) {
    const fields = { session_id: randomUUID() }
    const made = await skein.query(make, { fields })
    const used = await skein.query(use, { fields })
    const code = used.kind === 'error' ? used.code : 'an answer'
    const before = made.kind === 'error' ? made.code : 'made'
    // a macro that was not made leaves DuckDB's own function, which answers
    const isOwn = use === 'SELECT abs(1)' && made.kind === 'error'
    t.ok(isOwn || /^(PERMISSION_DENIED|UNSUPPORTED_STATEMENT|NOT_FOUND|TABLE_NOT_FOUND|BIND_ERROR)$/.test(code),
      `${make}: ${before}; ${use}: ${code}`)
  }
  t.notOk(existsSync(out), 'nothing was written')
})

t.test('over Flight SQL', async t => {
  const client = new FlightClient(t, Number(skein.doors.flight?.split(':').at(-1)))
  await client.handshake()
  for (const [sql] of attempts.filter((_, i) => i % FLIGHT_EVERY === 0)) {
    const error = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query: sql }))
      .then(() => undefined, (reason: ServiceError) => reason)
    t.ok(error !== undefined && [3, 7, 12].includes(error.code), `${sql}: ${error?.code}`)
  }
})
