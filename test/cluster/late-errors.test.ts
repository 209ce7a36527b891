/** An error of a query, however late, reaches every face as an error: a shortened answer is never a complete one. */

import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { runCommand } from './command.ts'
import { faultConfig, ROWS, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-late-errors-'))
await writeFaultTables(folder)
const modes = [{ name: 'whole', environment: {} }, { name: 'spread', environment: { SKEIN_WHOLE_BYTES: '0' } }]
const skeins = await Promise.all(modes.map(({ name, environment }) =>
  Skein.start({ folder: join(folder, name), executors: 2, config: faultConfig(folder), environment })))
t.teardown(async () => {
  await Promise.all(skeins.map(skein => skein.stop()))
  await rm(folder, { recursive: true })
})

const LATE_CAST = 'SELECT repeat(word, 4) AS words, late::BIGINT AS n FROM rows'
/** The last stage fails on its last row, behind an exchange. */
const LATE_RANK = `SELECT repeat(word, 2), CASE WHEN row_number() OVER (ORDER BY id) = ${ROWS}
    THEN error('the end') END FROM rows`
/** While nothing has gone out. */
const EARLY = 'SELECT id, late::BIGINT AS n FROM rows ORDER BY id DESC'
const FIRST_ROW = 'SELECT early::BIGINT FROM rows'

/** As DuckDB says it of the user's own text. */
const messages: Readonly<Record<string, string>> = {
  [LATE_CAST]: notANumber('late', LATE_CAST),
  [LATE_RANK]: 'Invalid Input Error: the end',
  [EARLY]: notANumber('late', EARLY),
  [FIRST_ROW]: notANumber('early', FIRST_ROW),
}

function notANumber(column: string, line: string): string {
  const head = 'LINE 1: '
  return `Conversion Error: Could not convert string 'not a number' to INT64 when casting from source column ${column}`
    + `\n\n${head}${line}\n${' '.repeat(head.length + line.indexOf('::'))}^`
}

/** Bytes of rows that came before an error: proof that the error was late. What is held at its time is dropped. */
const SOME = 100_000
const TRIES = 5

interface Ending {
  readonly status: number
  readonly bytes: number
  /** The answer ended as HTTP says that it ends. */
  readonly complete: boolean
  readonly tail: string
}

async function post(skein: Skein, statement: string, format: string): Promise<Ending> {
  const response = await skein.request('POST', '/query', { statement, format })
  let [bytes, tail] = [0, '']
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      bytes += piece.length
      tail = (tail + piece.toString('latin1')).slice(-1000)
    }
  } catch {
    return ending(response, false, bytes, tail)
  }
  return ending(response, response.complete, bytes, tail)
}

/** Asked again if the error was there before the first row had gone out, as it may be on a busy machine. */
async function postUntilLate(skein: Skein, statement: string, format: string): Promise<Ending> {
  let found = await post(skein, statement, format)
  for (let i = 1; i < TRIES && found.bytes < SOME; i++) found = await post(skein, statement, format)
  return found
}

function ending({ statusCode = 0 }: IncomingMessage, complete: boolean, bytes: number, tail: string): Ending {
  return { status: statusCode, bytes, complete, tail }
}

for (const [i, skein] of skeins.entries()) {
  const { name = '' } = modes[i] ?? {}
  const stream = name === 'whole' ? LATE_CAST : LATE_RANK

  t.test(`NDJSON ends in an error line, ${name}`, async t => {
    for (const sql of [stream, EARLY, FIRST_ROW]) {
      const { status, complete, bytes, tail } = await (sql === stream ? postUntilLate : post)(skein, sql, 'default')
      t.equal(status, 200)
      t.ok(complete, 'the connection is kept')
      const last: unknown = JSON.parse(tail.trimEnd().split('\n').at(-1) ?? '')
      const place = sql === LATE_RANK ? {} : { position: sql.indexOf('::') }
      t.strictSame(last, { error: messages[sql], code: 'EXECUTION_ERROR', ...place })
      if (sql === stream) t.ok(bytes > SOME, `${bytes} bytes came before it`)
    }
  })

  t.test(`formats without a place for an error break off, ${name}`, async t => {
    for (const format of name === 'whole' ? ['csv', 'arrow'] : ['jsonl']) {
      const { status, complete, bytes } = await postUntilLate(skein, stream, format)
      t.strictSame({ status, complete }, { status: 200, complete: false }, format)
      t.ok(bytes > SOME, `${bytes} bytes came before`)
    }
  })

  t.test(`csv, jsonl and arrow answer with a status while nothing was sent, ${name}`, async t => {
    for (const format of ['csv', 'jsonl', 'arrow']) {
      const { status, tail } = await post(skein, EARLY, format)
      t.equal(status, 400)
      t.match(JSON.parse(tail), { error: { code: 'EXECUTION_ERROR', message: messages[EARLY] } })
    }
  })

  t.test(`a Flight stream ends in a status, ${name}`, async t => {
    const { rows, error } = await readFlight(t, skein, stream)
    t.ok(rows > 0, `${rows} batches came before`)
    t.equal(error?.code, 3, 'INVALID_ARGUMENT, as the table of errors says of EXECUTION_ERROR')
    t.ok(error?.details.includes(messages[stream] ?? '?'), String(error?.details))
  })

  if (name === 'spread') t.test('the command line fails in every format', async t => {
    const ends = await Promise.all(['table', 'json', 'csv', 'arrow'].map(format =>
      runCommand(['query', '--url', skein.doors.http ?? '', '--format', format, LATE_RANK])))
    for (const { status, stderr, stdout } of ends) {
      t.strictSame({ status, stderr }, { status: 1, stderr: 'error: EXECUTION_ERROR: Invalid Input Error: the end\n' })
      t.notMatch(stdout.slice(-100), /\n\(|"stats"/, 'no end that looks like one')
    }
  })
}

async function readFlight(t: Test, skein: Skein, sql: string) {
  const client = new FlightClient(t, Number(skein.doors.flight?.split(':').at(-1)))
  await client.handshake()
  const info = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query: sql }))
  let rows = 0
  try {
    for await (const _ of client.doGet(info.endpoint[0]?.ticket?.ticket ?? new Uint8Array())) rows++
    return { rows, error: undefined }
  } catch (error) {
    return { rows, error: error as ServiceError }
  }
}
