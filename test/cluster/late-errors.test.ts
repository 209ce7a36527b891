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

const NOT_A_NUMBER = 'Conversion Error: '
  + "Could not convert string 'not a number' to INT64 when casting from source column"
const LATE_CAST = 'SELECT id, word, late::BIGINT AS n FROM rows'
/** The last stage fails on its last row, behind an exchange. */
const LATE_RANK = `SELECT id, word, CASE WHEN row_number() OVER (ORDER BY id) = ${ROWS} THEN error('the end') END
  FROM rows`
/** Bytes of rows that came before an error: proof that the error was late. What is held at its time is dropped. */
const SOME = 100_000

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

function ending({ statusCode = 0 }: IncomingMessage, complete: boolean, bytes: number, tail: string): Ending {
  return { status: statusCode, bytes, complete, tail }
}

for (const [i, skein] of skeins.entries()) {
  const { name = '' } = modes[i] ?? {}
  const streams = [LATE_RANK, ...name === 'whole' ? [LATE_CAST] : []]

  t.test(`NDJSON ends in an error line, ${name}`, async t => {
    for (const sql of [...streams, `${LATE_CAST} ORDER BY id DESC`, 'SELECT early::BIGINT FROM rows']) {
      const { status, complete, bytes, tail } = await post(skein, sql, 'default')
      t.equal(status, 200)
      t.ok(complete, 'the connection is kept')
      const last = JSON.parse(tail.trimEnd().split('\n').at(-1) ?? '') as { error: string; code: string }
      t.equal(last.code, 'EXECUTION_ERROR')
      t.ok(last.error.startsWith(sql === LATE_RANK ? 'Invalid Input Error: the end' : NOT_A_NUMBER), last.error)
      if (streams.includes(sql)) t.ok(bytes > SOME, `${bytes} bytes came before it`)
    }
  })

  t.test(`csv, jsonl and arrow break off, ${name}`, async t => {
    for (const format of ['csv', 'jsonl', 'arrow']) {
      for (const sql of streams) {
        const { status, complete, bytes } = await post(skein, sql, format)
        t.strictSame({ status, complete }, { status: 200, complete: false }, `${format} ${sql}`)
        t.ok(bytes > SOME, `${bytes} bytes came before`)
      }
    }
  })

  t.test(`csv, jsonl and arrow answer with a status while nothing was sent, ${name}`, async t => {
    for (const format of ['csv', 'jsonl', 'arrow']) {
      const { status, tail } = await post(skein, `${LATE_CAST} ORDER BY id DESC`, format)
      t.equal(status, 400)
      const { error } = JSON.parse(tail) as { error: { code: string; message: string } }
      t.equal(error.code, 'EXECUTION_ERROR')
      t.ok(error.message.startsWith(NOT_A_NUMBER), error.message)
    }
  })

  t.test(`a Flight stream ends in a status, ${name}`, async t => {
    for (const sql of streams) {
      const { rows, error } = await readFlight(t, skein, sql)
      t.ok(rows > 0, `${rows} batches came before`)
      t.equal(error?.code, 3, 'INVALID_ARGUMENT, as the table of errors says of EXECUTION_ERROR')
      t.match(error?.details, sql === LATE_RANK ? /Invalid Input Error: the end/ : /Conversion Error: Could not/)
    }
  })

  t.test(`the command line fails in every format, ${name}`, async t => {
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
