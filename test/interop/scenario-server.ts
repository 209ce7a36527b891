/**
 * A server for Arrow's integration scenarios, which speak to servers that were written for them. It is the product's:
 * its gRPC, handlers, logins, sessions, tickets, polls, Arrow messages. Behind them stands, in the place of SQL, an
 * engine that has a fixed answer for each statement of the scenarios; in front of them, what a scenario asks for in
 * words that are not Flight SQL's is answered out of the same parts.
 */

import { Field, Int64, Schema } from 'apache-arrow'
import { Message } from 'apache-arrow/ipc/metadata/message'
import { readBinding } from '../../coordinator/serve/flight-binding.ts'
import { encapsulatedMessage } from '../../coordinator/serve/flight-commands.ts'
import { endpointOf, flightInfo, REUSE, type EndpointShape } from '../../coordinator/serve/flight-info.ts'
import type { StatementOptions } from '../../coordinator/serve/flight-statements.ts'
import type { KnownUsers } from '../../coordinator/serve/logins.ts'
import type { RunningQuery } from '../../coordinator/running-query.ts'
import { smallSchemaMessage, smallTableMessages, type SmallColumn } from '../../proto/arrow-table.ts'
import { QueryError } from '../../proto/errors.ts'
import { encode, readBody, tryUnpack } from '../../proto/flight-any.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import {
  GetSessionOptionsResultSchema, SetSessionOptionsRequestSchema,
  SetSessionOptionsResult_ErrorValue as OptionError, SetSessionOptionsResultSchema, type FlightData,
  type FlightDescriptor, type SessionOptionValue,
} from '../../proto/gen/flight_pb.js'
import {
  CommandPreparedStatementQuerySchema, CommandStatementIngestSchema, CommandStatementQuerySchema,
  DoPutUpdateResultSchema, type CommandStatementIngest,
} from '../../proto/gen/flight_sql_pb.js'
import type { Call } from '../../proto/grpc-server.ts'
import type { SessionId, TaskId } from '../../proto/ids.ts'
import { FakeQueries, type FakeQuery } from '../serve/fake-queries.ts'
import { startFlight, type Behind, type FlightHandlers } from '../serve/flight-client.ts'

interface Teardown {
  teardown(callback: () => void): void
}

/** The port of a server that knows this scenario. */
export function serveScenario(t: Teardown, scenario: string): Promise<number> {
  const queries = new FakeQueries(() => ({ columns: [{ name: 'id', type: 'BIGINT' }], frames: selected }))
  return startFlight(t, {
    queries, statements: fixedStatements(queries),
    ...scenario === 'auth:basic_proto' ? { users: onlyArrow } : {},
    front: behind => fronts[scenario]?.({ ...behind, queries }) ?? {},
  })
}

const onlyArrow: KnownUsers = {
  async logIn(name, password) {
    if (name === 'arrow' && password === 'flight') return { name, revision: '1' }
    throw new QueryError('UNAUTHENTICATED', 'wrong user name or password')
  },
  find: () => undefined,
  isCurrent: ({ name }) => name === 'arrow',
}

/** How many rows each statement has changed. */
const changes: Readonly<Record<string, bigint>> = { 'UPDATE STATEMENT': 10_000n, 'UPDATE PREPARED STATEMENT': 20_000n }
const selects: ReadonlySet<string> = new Set(['SELECT STATEMENT', 'SELECT PREPARED STATEMENT'])

function fixedStatements(queries: FakeQueries): StatementOptions['statements'] {
  const submit = (sql: string, principal: string): RunningQuery => {
    const changed = changes[sql]
    if (changed === undefined && !selects.has(sql)) throw new QueryError('SYNTAX_ERROR', `no answer to ${sql}`)
    return Object.assign(submitted(queries, sql, principal), { changedRows: () => changed ?? null })
  }
  return {
    submit: ({ sql, session }) => submit(sql, session.principal),
    prepare: async ({ sql }) => {
      const isUpdate = changes[sql] !== undefined
      return { columns: [], parameters: [], isUpdate, changes: isUpdate }
    },
    transaction: () => Promise.reject(new QueryError('UNSUPPORTED_STATEMENT', 'no scenario has a transaction here')),
    ingest: () => Promise.reject(new QueryError('UNSUPPORTED_STATEMENT', 'rows are counted in front')),
  }
}

function submitted(queries: FakeQueries, sql: string, principal: string): FakeQuery {
  return queries.submit({
    sql, principal, defaultCatalog: '', defaultSchema: '', settings: {}, sessionId: '' as SessionId,
    clientInterface: 'ArrowFlightSQL',
  })
}

/** With all that a column of Flight SQL can say of itself. */
const columnMetadata = Object.entries({
  TABLE_NAME: 'test', IS_AUTO_INCREMENT: '1', IS_CASE_SENSITIVE: '0', TYPE_NAME: 'type_test',
  SCHEMA_NAME: 'schema_test', IS_SEARCHABLE: '1', CATALOG_NAME: 'catalog_test', PRECISION: '100',
  REMARKS: 'test column',
}).map(([key, value]): [string, string] => [`ARROW:FLIGHT:SQL:${key}`, value])
const selectedSchema = Message.encode(Message.from(
  new Schema([new Field('id', new Int64(), true, new Map(columnMetadata))])))

async function* selected(): AsyncGenerator<RawFlightData> {
  yield { dataHeader: selectedSchema, dataBody: new Uint8Array(0) }
}

type Parts = Behind & { readonly queries: FakeQueries }

/** What comes before the handlers; of a scenario that is not listed: nothing. */
const fronts: Readonly<Record<string, (parts: Parts) => Partial<FlightHandlers>>> = {
  'auth:basic_proto': ({ handlers, login }) => ({
    // its action has no name, and tells who asks
    doAction: async function* (action, call) {
      if (action.type !== '') return yield* handlers.doAction(action, call)
      await login.known(call)
      yield { body: Buffer.from((await login.of(call)).principal) }
    },
  }),
  'middleware': ({ handlers }) => ({
    getFlightInfo: async (descriptor, call) => {
      call.setHeader('x-middleware', call.header('x-middleware') ?? '')
      if (textOf(descriptor) !== 'success') return handlers.getFlightInfo(descriptor, call)
      return flightInfo(descriptor, schemaOf(numbers('int32')), [{ ticket: { ticket: Buffer.from('foo') } }])
    },
  }),
  'ordered': parts =>
    numbered(parts, [[1, 2, 3], [10, 20, 30], [100, 200, 300]].map(values => numbers('int32', values))),
  'expiration_time:do_get': expiring,
  'expiration_time:cancel_flight_info': expiring,
  'expiration_time:renew_flight_endpoint': expiring,
  'expiration_time:list_actions': ({ handlers }) => ({
    listActions: async function* (empty, call) {
      for await (const action of handlers.listActions(empty, call)) {
        if (action.type === 'CancelFlightInfo' || action.type === 'RenewFlightEndpoint') yield action
      }
    },
  }),
  'location:reuse_connection': () => ({
    getFlightInfo: descriptor => flightInfo(descriptor, schemaOf(numbers('int32')), [
      { ticket: { ticket: Buffer.from('reuse') }, location: [{ uri: REUSE }] },
    ]),
  }),
  'poll_flight_info': ({ handlers, polls, results, login, queries }) => ({
    pollFlightInfo: async (descriptor, call) => {
      if (textOf(descriptor) !== 'heavy query') {
        for await (const _ of queries.last.frames()) continue // asked again: it is run to its end
        return handlers.pollFlightInfo(descriptor, call)
      }
      const { principal } = await login.of(call)
      const ticket = results.add(submitted(queries, 'heavy query', principal), thrown => thrown)
      return polls.begin(descriptor, ticket, principal, call.signal)
    },
  }),
  'app_metadata_flight_info_endpoint': () => ({
    getFlightInfo: descriptor => {
      const { cmd: appMetadata } = descriptor
      return { ...flightInfo(descriptor, schemaOf(numbers('int32')), [{ appMetadata }]), appMetadata }
    },
  }),
  'session_options': optional,
  'flight_sql': ({ handlers }) => ({
    // a handler knows no column but DuckDB's
    getSchema: (descriptor, call) =>
      tryUnpack(descriptor.cmd, [CommandStatementQuerySchema, CommandPreparedStatementQuerySchema]) === undefined
        ? handlers.getSchema(descriptor, call) : { schema: encapsulatedMessage(selectedSchema) },
  }),
  'flight_sql:ingestion': ({ handlers }) => ({
    doPut: async function* (messages, call) {
      const iterator = messages[Symbol.asyncIterator]()
      const first = await iterator.next()
      if (first.done === true) return
      const command = tryUnpack(first.value.flightDescriptor?.cmd ?? new Uint8Array(0), [CommandStatementIngestSchema])
      const all = (async function* (): AsyncGenerator<FlightData> {
        yield first.value
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
      })()
      if (command === undefined) return yield* handlers.doPut(all, call)
      const asked = ingestIn(command)
      if (asked !== ingestAsked) throw new QueryError('INVALID_REQUEST', `another ingest: ${asked}`)
      const rows = (await readBinding(all))?.rowCount ?? 0
      yield { appMetadata: encode(DoPutUpdateResultSchema, { recordCount: BigInt(rows) }) }
    },
  }),
}

/** The last two: create it if it is missing, replace it if it is there. */
const ingestAsked = JSON.stringify([
  'test_catalog', 'test_schema', 'test_table', true, '123', [['key1', 'val1'], ['key2', 'val2']], 1, 3,
])

function ingestIn(command: CommandStatementIngest): string {
  const { catalog, schema, table, temporary, transactionId = [], options, tableDefinitionOptions } = command
  return JSON.stringify([
    catalog, schema, table, temporary, Buffer.from(transactionId).toString(), Object.entries(options).sort(),
    tableDefinitionOptions?.ifNotExist, tableDefinitionOptions?.ifExists,
  ])
}

function expiring(parts: Parts): Partial<FlightHandlers> {
  return numbered(parts, [0, 1, 2].map(value => numbers('uint32', [value])), 'first without end')
}

/** A result in parts, each with an endpoint of its own, in their order. */
function numbered(
  { results, login, queries }: Parts, tables: readonly SmallColumn[], expiry?: 'first without end',
): Partial<FlightHandlers> {
  return {
    getFlightInfo: async (descriptor: FlightDescriptor, call: Call) => {
      const { principal } = await login.of(call)
      const parts = tables.map((_, i) => ({ task: `q.0.${i}.0` as TaskId, location: '' }))
      const frames = (i: number) => smallTableMessages(tables.slice(i, i + 1))
      const endpoints = results.tickets(submitted(queries, textOf(descriptor), principal), thrown => thrown, {
        parts, frames, delivered: () => undefined,
      }).map((ticket, i): EndpointShape => {
        const endpoint = endpointOf({ ...ticket, locations: [] })
        return i === 0 && expiry !== undefined ? { ticket: endpoint.ticket } : endpoint
      })
      return flightInfo(descriptor, schemaOf(tables[0]), endpoints, true)
    },
  }
}

/** Sessions that keep whatever they are told, but for one name and one text. */
function optional({ handlers, login }: Parts): Partial<FlightHandlers> {
  const kept = new Map<SessionId, Map<string, SessionOptionValue>>()
  return {
    doAction: async function* (action, call) {
      const { id } = await login.of(call)
      const options = kept.get(id) ?? new Map<string, SessionOptionValue>()
      kept.set(id, options)
      if (action.type === 'GetSessionOptions') {
        yield { body: encode(GetSessionOptionsResultSchema, { sessionOptions: Object.fromEntries(options) }) }
      } else if (action.type === 'SetSessionOptions') {
        const { sessionOptions } = readBody(SetSessionOptionsRequestSchema, action.body)
        const errors: Record<string, { value: OptionError }> = {}
        for (const [name, option] of Object.entries(sessionOptions)) {
          if (name === 'lol_invalid') errors[name] = { value: OptionError.INVALID_NAME }
          else if (option.optionValue.value === 'lol_invalid') errors[name] = { value: OptionError.INVALID_VALUE }
          else if (option.optionValue.case === undefined) options.delete(name)
          else options.set(name, option)
        }
        yield { body: encode(SetSessionOptionsResultSchema, { errors }) }
      } else {
        yield* handlers.doAction(action, call)
      }
    },
  }
}

function numbers(kind: 'int32' | 'uint32', values: readonly number[] = []): SmallColumn {
  return { name: 'number', kind, nullable: false, values }
}

function schemaOf(column: SmallColumn | undefined): Uint8Array {
  return encapsulatedMessage(smallSchemaMessage(column === undefined ? [] : [column]))
}

function textOf({ cmd }: FlightDescriptor): string {
  return Buffer.from(cmd).toString()
}
