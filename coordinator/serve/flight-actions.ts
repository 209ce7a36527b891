/** DoAction: prepared statements, session options, cancelling. Request bodies come packed in an Any or bare. */

import type { PreparedParameter } from '../../planner/prepare-query.ts'
import { dialectNames, dialectOf } from '../../planner/dialect/dialect-name.ts'
import type { ResultColumn } from '../../proto/arrow-schema.ts'
import { compressionNamed, compressions, requireCompression } from '../../proto/compression.ts'
import { QueryError } from '../../proto/errors.ts'
import {
  CancelFlightInfoRequestSchema, CancelFlightInfoResultSchema, CancelStatus, CloseSessionResult_Status,
  CloseSessionResultSchema, FlightEndpointSchema, FlightInfoSchema, GetSessionOptionsResultSchema,
  RenewFlightEndpointRequestSchema, SetSessionOptionsRequestSchema,
  SetSessionOptionsResult_ErrorValue as OptionError, SetSessionOptionsResultSchema, type Action, type FlightInfo,
  type SessionOptionValue,
} from '../../proto/gen/flight_pb.js'
import {
  ActionCancelQueryRequestSchema, ActionCancelQueryResult_CancelResult as CancelResult, ActionCancelQueryResultSchema,
  ActionClosePreparedStatementRequestSchema, ActionCreatePreparedStatementRequestSchema,
  ActionBeginTransactionResultSchema, ActionCreatePreparedStatementResultSchema, ActionEndTransactionRequestSchema,
  ActionEndTransactionRequest_EndTransaction as EndTransaction, TicketStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.js'
import type { Call } from '../../proto/grpc-server.ts'
import { isTimeZone } from '../../proto/time-zone.ts'
import { decode, encode, pack, readBody, unpack } from '../../proto/flight-any.ts'
import { encapsulatedSchema } from './flight-commands.ts'
import { endpointOf } from './flight-info.ts'
import type { CancelOutcome } from './flight-results.ts'
import type { FlightParts } from './flight-uploads.ts'
import type { Session } from '../session/session.ts'

export const actionTypes = [
  { type: 'CreatePreparedStatement', description: 'columns of a statement, and a handle to run it' },
  { type: 'ClosePreparedStatement', description: 'forgets a prepared statement; no result' },
  { type: 'BeginTransaction', description: 'begins the transaction of this session, and names it' },
  { type: 'EndTransaction', description: 'commits it or rolls it back; no result' },
  {
    type: 'SetSessionOptions',
    description: 'catalog, schema, timezone, enums (text or dictionary), '
      + `compression (${compressions.join(', ')}), cache and parallel_endpoints (true or false), `
      + `dialect (duckdb, ${dialectNames.join(', ')}), compute_size`,
  },
  { type: 'GetSessionOptions', description: 'the options of this session' },
  { type: 'CloseSession', description: 'forgets this session' },
  { type: 'CancelFlightInfo', description: 'cancels the statement of a FlightInfo' },
  { type: 'CancelQuery', description: 'the same, in the words of old clients' },
  { type: 'RenewFlightEndpoint', description: 'the same rows, for longer' },
] as const

/** Sizes that clients of hosted services ask for; all are the same here. */
const computeSizes = new Set(['AUTO', 'XS', 'S', 'M', 'L', 'XL', '2XL', '3XL', '4XL'])

export class FlightActions {
  readonly #parts: FlightParts

  constructor(parts: FlightParts) {
    this.#parts = parts
  }

  async *run({ type, body }: Action, call: Call): AsyncGenerator<{ body: Uint8Array }> {
    await this.#parts.sessions.known(call) // who is not known is told so first, whatever he asks
    switch (type) {
      case 'CreatePreparedStatement':
        yield { body: await this.#prepare(body, call) }
        return
      case 'ClosePreparedStatement': {
        const { preparedStatementHandle } = readBody(ActionClosePreparedStatementRequestSchema, body)
        const session = await this.#parts.sessions.of(call)
        this.#parts.statements.prepared.close(session.id, preparedStatementHandle)
        return
      }
      case 'BeginTransaction': {
        const transactionId = await this.#parts.statements.transactions.begin(await this.#parts.sessions.of(call))
        yield { body: pack(ActionBeginTransactionResultSchema, { transactionId }) }
        return
      }
      case 'EndTransaction':
        await this.#endTransaction(body, call)
        return
      case 'BeginSavepoint':
      case 'EndSavepoint':
        throw new QueryError('UNSUPPORTED_STATEMENT', 'there are no savepoints: a transaction is done as a whole')
      case 'SetSessionOptions':
        yield { body: await this.#setOptions(body, call) }
        return
      case 'GetSessionOptions':
        yield { body: await this.#getOptions(call) }
        return
      case 'CloseSession':
        await this.#parts.sessions.close(call)
        yield { body: encode(CloseSessionResultSchema, { status: CloseSessionResult_Status.CLOSED }) }
        return
      case 'CancelFlightInfo': {
        const { info } = readBody(CancelFlightInfoRequestSchema, body)
        const isCancelled = await this.#cancel(info, call) === 'cancelled'
        const status = isCancelled ? CancelStatus.CANCELLED : CancelStatus.NOT_CANCELLABLE
        yield { body: encode(CancelFlightInfoResultSchema, { status }) }
        return
      }
      case 'CancelQuery': {
        const { info } = readBody(ActionCancelQueryRequestSchema, body)
        const isCancelled = await this.#cancel(decode(FlightInfoSchema, info), call) === 'cancelled'
        const result = isCancelled ? CancelResult.CANCELLED : CancelResult.NOT_CANCELLABLE
        yield { body: pack(ActionCancelQueryResultSchema, { result }) }
        return
      }
      case 'RenewFlightEndpoint':
        yield { body: await this.#renew(body, call) }
        return
      default: throw new QueryError('UNSUPPORTED_STATEMENT', `action ${type} is not supported`)
    }
  }

  async #endTransaction(body: Uint8Array, call: Call): Promise<void> {
    const { sessions, statements } = this.#parts
    const session = await sessions.of(call)
    const { transactionId, action } = readBody(ActionEndTransactionRequestSchema, body)
    if (action === EndTransaction.UNSPECIFIED) {
      throw new QueryError('INVALID_REQUEST', 'a transaction is committed or rolled back: no other end')
    }
    await statements.transactions.end(session, transactionId, action === EndTransaction.COMMIT ? 'commit' : 'rollback')
  }

  async #prepare(body: Uint8Array, call: Call): Promise<Uint8Array> {
    const { sessions, statements } = this.#parts
    const session = await sessions.of(call)
    const { query, transactionId } = readBody(ActionCreatePreparedStatementRequestSchema, body)
    statements.transactions.check(session, transactionId)
    const described = await statements.describe(query, session)
    const handle = statements.prepared.add(session.id, query, described)
    return pack(ActionCreatePreparedStatementResultSchema, {
      preparedStatementHandle: Buffer.from(handle),
      // an empty schema tells old clients that it is an update
      datasetSchema: encapsulatedSchema(described.isUpdate ? [] : described.columns, session.enums),
      parameterSchema: encapsulatedSchema(described.parameters.map(parameterColumn)),
      isUpdate: described.isUpdate,
    })
  }

  /** Each option by itself: one that is refused leaves the others set. What this Node has not got refuses all. */
  async #setOptions(body: Uint8Array, call: Call): Promise<Uint8Array> {
    const session = await this.#parts.sessions.of(call)
    const { sessionOptions } = readBody(SetSessionOptionsRequestSchema, body)
    // an option's own error has no text
    if (sessionOptions['compression']?.optionValue.value === 'zstd') requireCompression('zstd')
    const errors: Record<string, { value: OptionError }> = {}
    for (const [name, value] of Object.entries(sessionOptions)) {
      const error = this.#setOption(session, name, value)
      if (error !== undefined) errors[name] = { value: error }
    }
    return encode(SetSessionOptionsResultSchema, { errors })
  }

  #setOption(session: Session, name: string, { optionValue }: SessionOptionValue): OptionError | undefined {
    const isFlag = optionValue.case === 'boolValue' && (name === 'cache' || name === 'parallel_endpoints')
    const text = isFlag || optionValue.case === 'stringValue' ? String(optionValue.value) : undefined
    if (text === undefined && optionValue.case !== undefined) return OptionError.INVALID_VALUE
    const defaults = this.#parts.sessions.defaults
    switch (name) {
      case 'catalog':
        session.catalog = text ?? defaults.catalog
        return undefined
      case 'schema':
        session.schema = text ?? defaults.schema
        return undefined
      case 'timezone': return setTimeZone(session, text)
      case 'enums':
        if (text !== undefined && text !== 'text' && text !== 'dictionary') return OptionError.INVALID_VALUE
        session.enums = text ?? 'text'
        return undefined
      case 'compression': return setCompression(session, text)
      case 'cache':
        if (text !== undefined && text !== 'true' && text !== 'false') return OptionError.INVALID_VALUE
        session.cache = text !== 'false'
        return undefined
      case 'parallel_endpoints':
        if (text !== undefined && text !== 'true' && text !== 'false') return OptionError.INVALID_VALUE
        session.parallel = text === 'true'
        return undefined
      case 'dialect': return setDialect(session, text)
      case 'compute_size': return text === undefined || computeSizes.has(text) ? undefined : OptionError.INVALID_VALUE
      default: return OptionError.INVALID_NAME
    }
  }

  async #getOptions(call: Call): Promise<Uint8Array> {
    const known = await this.#parts.sessions.known(call)
    const { catalog, schema } = known ?? this.#parts.sessions.defaults
    const timezone = known?.settings.get(TIME_ZONE_SETTING) ?? 'UTC'
    const values = {
      catalog, schema, timezone, enums: known?.enums ?? 'text', compression: known?.compression ?? 'none',
      cache: String(known?.cache ?? true), dialect: known?.dialect ?? 'duckdb',
      parallel_endpoints: String(known?.parallel ?? false),
    }
    const entries = Object.entries(values).map(([name, value]) => {
      return [name, { optionValue: { case: 'stringValue' as const, value } }]
    })
    return encode(GetSessionOptionsResultSchema, { sessionOptions: Object.fromEntries(entries) })
  }

  /** Of the statement of a FlightInfo, whether it is read or not. */
  async #cancel(info: FlightInfo | undefined, call: Call): Promise<CancelOutcome> {
    const { principal } = await this.#parts.sessions.of(call)
    const ticket = info?.endpoint[0]?.ticket?.ticket ?? info?.appMetadata ?? new Uint8Array(0)
    const handle = unpack(ticket, [TicketStatementQuerySchema])?.statementHandle
    if (handle === undefined) throw new QueryError('NOT_FOUND', 'the FlightInfo names no statement that was started')
    return this.#parts.tickets.cancel(Buffer.from(handle).toString(), principal)
  }

  async #renew(body: Uint8Array, call: Call): Promise<Uint8Array> {
    const { principal } = await this.#parts.sessions.of(call)
    const ticket = readBody(RenewFlightEndpointRequestSchema, body).endpoint?.ticket?.ticket ?? new Uint8Array(0)
    const handle = unpack(ticket, [TicketStatementQuerySchema])?.statementHandle
    if (handle === undefined) throw new QueryError('NOT_FOUND', 'the endpoint has no ticket of a statement')
    const renewed = await this.#parts.tickets.renew(Buffer.from(handle).toString(), principal)
    return encode(FlightEndpointSchema, endpointOf(renewed))
  }
}

/** A value of any type may come: text is a guess. */
function parameterColumn({ name, type }: PreparedParameter): ResultColumn {
  return { name: `$${name}`, type: type ?? 'VARCHAR' }
}

/** DuckDB's name of the setting. */
const TIME_ZONE_SETTING = 'TimeZone'

function setDialect(session: Session, name = ''): OptionError | undefined {
  try {
    session.dialect = dialectOf(name)
    return undefined
  } catch {
    return OptionError.INVALID_VALUE
  }
}

function setCompression(session: Session, name = 'none'): OptionError | undefined {
  const compression = compressionNamed(name)
  if (compression === undefined) return OptionError.INVALID_VALUE
  session.compression = compression
  return undefined
}

function setTimeZone(session: Session, name: string | undefined): OptionError | undefined {
  if (name === undefined) {
    session.settings.delete(TIME_ZONE_SETTING)
    return undefined
  }
  if (!isTimeZone(name)) return OptionError.INVALID_VALUE
  session.settings.set(TIME_ZONE_SETTING, name)
  return undefined
}
