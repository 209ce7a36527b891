/**
 * Every place of Flight SQL that tells a statement's columns tells the same, to the byte, nullability and metadata too:
 * GetSchema and CreatePreparedStatement, which run nothing, GetFlightInfo of text and of a prepared statement, and the
 * stream of rows. Clients compare them, and refuse a stream that differs.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import t from 'tap'
import { SetSessionOptionsRequestSchema, type FlightData } from '../../proto/gen/flight_pb.js'
import {
  ActionCreatePreparedStatementRequestSchema, ActionCreatePreparedStatementResultSchema,
  CommandPreparedStatementQuerySchema, CommandStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.js'
import { encapsulatedMessage } from '../../coordinator/serve/flight-commands.ts'
import { FlightClient, packed, unpacked } from '../serve/flight-client.ts'
import { tablesConfig, writeTables } from '../sql/tables.ts'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-schemas-'))
await writeTables(join(folder, 'files'))
const skein = await Skein.start({
  folder, executors: 2, config: tablesConfig(join(folder, 'files')), environment: { SKEIN_WHOLE_BYTES: '0' },
})
t.teardown(async () => {
  await skein.stop()
  await rm(folder, { recursive: true })
})

const types = [
  'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT',
  'UHUGEINT', 'FLOAT', 'DOUBLE', 'DECIMAL(4,1)', 'DECIMAL(9,3)', 'DECIMAL(18,0)', 'DECIMAL(38,10)', 'VARCHAR', 'JSON',
  'BLOB', 'BIT', 'UUID', 'DATE', 'TIME', 'TIMETZ', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP', 'TIMESTAMP_NS',
  'TIMESTAMPTZ', 'INTERVAL', 'INTEGER[]', 'VARCHAR[][]', 'INTEGER[3]', 'STRUCT(a INTEGER, "b c" VARCHAR[])',
  'MAP(VARCHAR, DECIMAL(6,2))', 'UNION(n INTEGER, s VARCHAR)', "ENUM('small', 'größer')",
]

const statements: Readonly<Record<string, string>> = {
  'nothing but NULL': 'SELECT NULL, [] AS nothing, [NULL] AS one',
  'names that are equal, long or in other scripts': `SELECT 1 AS x, 'a' AS x, 2 AS "größe 東京",
    3 AS "${'long '.repeat(50)}"`,
  'no row': 'SELECT k, v, v * 1.5 AS more FROM solid WHERE false',
  'a table': 'SELECT * FROM solid',
  'groups': `SELECT k, count(*), sum(v), avg(v), min(v), list(v ORDER BY v), max(v::DECIMAL(12,2))
    FROM solid GROUP BY k`,
  'a join, and a window': 'SELECT a.*, b.v AS other, row_number() OVER () AS n FROM solid a JOIN solid b USING (k)',
  'an order, and a limit': 'SELECT * FROM solid ORDER BY k, v LIMIT 3',
  'of the session': 'SELECT * FROM mine',
  'of the session and the cluster': 'SELECT * FROM mine JOIN solid ON mine.id = solid.k',
  'rows that a change gives': "INSERT INTO mine (id) VALUES (7) RETURNING id, amount, id + 1 AS next",
  'EXPLAIN': 'EXPLAIN SELECT 1',
  'SHOW': 'SHOW TABLES',
  'DESCRIBE': 'DESCRIBE solid',
  'settings': 'SELECT current_setting(\'TimeZone\') AS zone, current_schema()',
}

async function connected(t: { teardown(callback: () => void): void }): Promise<FlightClient> {
  const client = new FlightClient(t, Number(new URL(skein.doors.flight ?? '').port))
  await client.handshake()
  await streamed(client, text(`CREATE TEMP TABLE mine (id INTEGER NOT NULL PRIMARY KEY, amount DECIMAL(10,2),
    kind ENUM('a', 'b') DEFAULT 'a', parts STRUCT(n INTEGER)[])`))
  return client
}

const text = (query: string): Uint8Array => packed(CommandStatementQuerySchema, { query })

/** What FlightInfo says, and what the stream begins with. */
async function streamed(client: FlightClient, cmd: Uint8Array): Promise<{ info: string; stream: string }> {
  const { schema, endpoint } = await client.getFlightInfo(cmd)
  let first: string | undefined
  const messages = client.doGet(endpoint[0]?.ticket?.ticket ?? new Uint8Array(0)) as AsyncIterable<FlightData>
  for await (const { dataHeader } of messages) first ??= hex(encapsulatedMessage(dataHeader))
  return { info: hex(schema), stream: first ?? '' }
}

async function everywhere(client: FlightClient, query: string): Promise<Readonly<Record<string, string>>> {
  const schema = hex((await client.getSchema(text(query))).schema)
  const [answer = new Uint8Array(0)] = await client.act('CreatePreparedStatement', packed(
    ActionCreatePreparedStatementRequestSchema, { query }))
  const { datasetSchema, preparedStatementHandle } = unpacked(ActionCreatePreparedStatementResultSchema, answer)
  const prepared = packed(CommandPreparedStatementQuerySchema, { preparedStatementHandle })
  const { info, stream } = await streamed(client, text(query))
  await streamed(client, text('DELETE FROM mine')) // a change runs twice
  const again = await streamed(client, prepared)
  return {
    schema, datasetSchema: hex(datasetSchema), preparedSchema: hex((await client.getSchema(prepared)).schema), info,
    stream, preparedInfo: again.info, preparedStream: again.stream,
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

for (const enums of ['text', 'dictionary']) {
  t.test(`columns of every type, ENUMs as ${enums}`, async t => {
    const client = await connected(t)
    const options = { enums: { optionValue: { case: 'stringValue' as const, value: enums } } }
    await client.act('SetSessionOptions', packed(SetSessionOptionsRequestSchema, { sessionOptions: options }))
    const columns = types.map((type, i) => `CAST(NULL AS ${type}) AS "${i}"`)
    const told = await everywhere(client, `SELECT ${columns.join(', ')} FROM solid`)
    t.equal(new Set(Object.values(told)).size, 1, JSON.stringify(told, null, 1))
    const { schema } = tableFromIPC(Buffer.from(told['schema'] ?? '', 'hex'))
    t.strictSame(schema.fields.map(field => [field.nullable, field.metadata.has('skein.type')]),
      types.map(() => [true, true]))
  })
}

t.test('statements of every kind', async t => {
  const client = await connected(t)
  for (const [name, query] of Object.entries(statements)) {
    const told = await everywhere(client, query)
    t.equal(new Set(Object.values(told)).size, 1, `${name}: ${JSON.stringify(told, null, 1)}`)
    t.not(told['stream'], '', name)
  }
})
