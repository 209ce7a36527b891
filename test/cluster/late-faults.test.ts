/**
 * Whatever breaks after a million rows were made, every client gets an error: a failing row, memory, a bad page, an
 * operator, the executor's end, the coordinator's end. Three clients read at once, each of another kind.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { faultConfig, ROWS, writeFaultTables, writeHeavyRows, writeRottenRows } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-late-faults-'))
await writeFaultTables(folder)
await writeRottenRows(folder)
await writeHeavyRows(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 1,
  config: {
    ...faultConfig(folder, ['rows', 'rotten', 'heavy']), result_hold_bytes: '1MB',
    node: { memory: '300MB', spill: '5GB', result_cache: 0 },
  },
})
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop().catch(() => undefined) // its coordinator was killed
  await rm(folder, { recursive: true })
})

const MANY_ROWS = 1_000_000
const WITHIN_MS = 30_000
const LAST = ROWS - 1

/** How a client's reading ended. */
interface Ending {
  /** It looks like the end of a whole answer. */
  readonly complete: boolean
  readonly bytes: number
  /** With the code, if it has a place for it. */
  readonly error: string
}

/** Reads a little, then waits for `go` before it reads on. */
type Client = (t: Test, sql: string, go: Promise<void>) => Promise<Ending>

const clients: Readonly<Record<string, Client>> = {
  ndjson: (_, sql, go) => post(sql, 'default', go),
  arrow: (_, sql, go) => post(sql, 'arrow', go),
  flight,
}

async function post(statement: string, format: string, go: Promise<void>): Promise<Ending> {
  let [bytes, tail] = [0, '']
  try {
    const response = await skein.request('POST', '/query', { statement, format })
    for await (const piece of response as AsyncIterable<Buffer>) {
      if (bytes === 0) await go
      bytes += piece.length
      tail = (tail + piece.toString('latin1')).slice(-2000)
    }
    const line = tail.trimEnd().split('\n').at(-1) ?? ''
    const failed = format === 'default' ? line.startsWith('{"error"') : response.statusCode !== 200
    return { complete: response.complete && !failed, bytes, error: failed ? line : '' }
  } catch (error) {
    return { complete: false, bytes, error: String(error) }
  }
}

async function flight(t: Test, sql: string, go: Promise<void>): Promise<Ending> {
  let bytes = 0
  try {
    const client = new FlightClient(t, Number(skein.doors.flight?.split(':').at(-1)))
    await client.handshake()
    const info = await client.getFlightInfo(packed(CommandStatementQuerySchema, { query: sql }))
    for await (const { dataBody } of client.doGet(info.endpoint[0]?.ticket?.ticket ?? new Uint8Array())) {
      if (bytes === 0) await go
      bytes += (dataBody as Uint8Array).length
    }
    return { complete: true, bytes, error: '' }
  } catch (error) {
    return { complete: false, bytes, error: (error as ServiceError).details || String(error) }
  }
}

/** All clients at once; `meanwhile` does its harm when each of their queries has made a million rows. */
async function endings(
  t: Test, what: string, sql: string, meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<Record<string, Ending>> {
  let go = (): void => undefined
  const released = new Promise<void>(resolve => { go = resolve })
  const names = Object.keys(clients)
  /** Comments behind a statement are no part of it. */
  const marked = (name: string): string => sql.replace(/^\w+/, word => `${word} /* ${what} ${name} */`)
  const ends = Promise.all(Object.entries(clients).map(async ([name, client]) =>
    [name, await client(t, marked(name), released)] as const))
  await until(`a million rows of ${what}`, WITHIN_MS, async () => {
    const queries = await Promise.all(names.map(name => operator.query(`${what} ${name}`)))
    return (await Promise.all(queries.map(async query => {
      if (query === undefined) return false
      const { task_reports: tasks } = await skein.report(query.id) as { task_reports: readonly { rows?: number }[] }
      return query.state === 'failed' || tasks.some(({ rows = 0 }) => rows >= MANY_ROWS)
    }))).every(Boolean)
  })
  await meanwhile()
  go()
  return Object.fromEntries(await ends)
}

function allFail(t: Test, found: Record<string, Ending>, wanted: RegExp): void {
  for (const [name, { complete, error }] of Object.entries(found)) {
    t.equal(complete, false, `${name} is no complete answer`)
    t.match(error, name === 'flight' ? /./ : wanted, `${name}: ${error}`)
  }
}

const failing: readonly (readonly [what: string, sql: string, code: string])[] = [
  [
    'an overflow', `SELECT word, CASE WHEN id = ${LAST} THEN 9223372036854775807 ELSE id END + 1 AS n FROM rows`,
    'EXECUTION_ERROR',
  ],
  ['a corrupt page', 'SELECT word, id, grp, early, late FROM rotten', 'FILE_CORRUPT'],
  ['too little memory', 'SELECT word, id AS n FROM heavy', 'OUT_OF_MEMORY'],
]

for (const [what, sql, code] of failing) {
  t.test(`${what} in the last of ${ROWS} rows`, async t => {
    allFail(t, await endings(t, what, sql), new RegExp(`${code}|aborted`))
  })
}

const whole = 'SELECT word, id, early AS n FROM rows'

t.test('without a fault the same clients get all of it', async t => {
  for (const { complete, bytes } of Object.values(await endings(t, 'no fault', whole))) {
    t.ok(complete && bytes > 40 * ROWS, `${bytes} bytes`)
  }
})

t.test('an operator ends the queries', async t => {
  const found = await endings(t, 'a kill', whole, async () => {
    const queries = (await operator.queries()).filter(({ sql }) => sql.includes('/* a kill'))
    for (const { id } of queries) await operator.kill(id)
  })
  allFail(t, found, /CANCELLED|aborted/)
})

t.test('the executor is killed while its spools are read', async t => {
  const found = await endings(t, 'a dead executor', whole, async () => {
    const [executor] = await operator.executors()
    process.kill(executor?.pid ?? 0, 'SIGKILL')
  })
  allFail(t, found, /EXECUTOR_LOST|aborted/)
})

t.test('the coordinator is killed while its answers are read', async t => {
  await until('the executor is back', WITHIN_MS, async () =>
    (await operator.executors()).some(({ state }) => state === 'active'))
  const found = await endings(t, 'a dead coordinator', whole, async () => {
    const pid = skein.processes().find(each => readFileSync(`/proc/${each}/cmdline`, 'utf8').includes('coordinator'))
    process.kill(pid ?? 0, 'SIGKILL')
  })
  allFail(t, found, /aborted|ECONNRESET|socket hang up/)
})
