/** DoAction: prepared statements, session options, cancelling. Request bodies come packed in an Any or bare. */

import type { TableColumn } from '../../catalog/table.ts'
import { QueryError } from '../../proto/errors.ts'
import {
  CancelFlightInfoRequestSchema, CancelFlightInfoResultSchema, CancelStatus, CloseSessionResult_Status,
  CloseSessionResultSchema, GetSessionOptionsResultSchema, SetSessionOptionsRequestSchema,
  SetSessionOptionsResult_ErrorValue as OptionError, SetSessionOptionsResultSchema, type Action,
  type SessionOptionValue,
} from '../../proto/gen/flight_pb.js'
import {
  ActionClosePreparedStatementRequestSchema, ActionCreatePreparedStatementRequestSchema,
  ActionCreatePreparedStatementResultSchema, TicketStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.js'
import type { Call } from '../../proto/grpc-server.ts'
import { isTimeZone } from '../../proto/time-zone.ts'
import { encode, pack, readBody, unpack } from './flight-any.ts'
import { encapsulatedSchema } from './flight-commands.ts'
import type { FlightResults } from './flight-results.ts'
import { keepPrepared, type Session } from '../session/session.ts'
import type { FlightLogin } from './session.ts'

export interface FlightActionsOptions {
  readonly sessions: FlightLogin
  readonly results: FlightResults
  readonly newId: () => string
  /** The columns of a statement, which does not run. */
  readonly describe: (session: Session, sql: string) => Promise<readonly TableColumn[]>
}

export const actionTypes = [
  { type: 'CreatePreparedStatement', description: 'columns of a statement, and a handle to run it' },
  { type: 'ClosePreparedStatement', description: 'forgets a prepared statement; no result' },
  { type: 'SetSessionOptions', description: 'catalog, schema, timezone, enums (text or dictionary), compute_size' },
  { type: 'GetSessionOptions', description: 'the options of this session' },
  { type: 'CloseSession', description: 'forgets this session' },
  { type: 'CancelFlightInfo', description: 'cancels a statement that waits to be read' },
] as const

/** Sizes that clients of hosted services ask for; all are the same here. */
const computeSizes = new Set(['AUTO', 'XS', 'S', 'M', 'L', 'XL', '2XL', '3XL', '4XL'])

export class FlightActions {
  readonly #options: FlightActionsOptions

  constructor(options: FlightActionsOptions) {
    this.#options = options
  }

  async *run({ type, body }: Action, call: Call): AsyncGenerator<{ body: Uint8Array }> {
    switch (type) {
      case 'CreatePreparedStatement':
        yield { body: await this.#prepare(body, call) }
        return
      case 'ClosePreparedStatement': {
        const { preparedStatementHandle } = readBody(ActionClosePreparedStatementRequestSchema, body)
        this.#options.sessions.of(call).prepared.delete(Buffer.from(preparedStatementHandle).toString())
        return
      }
      case 'SetSessionOptions':
        yield { body: this.#setOptions(body, call) }
        return
      case 'GetSessionOptions':
        yield { body: this.#getOptions(call) }
        return
      case 'CloseSession':
        this.#options.sessions.close(call)
        yield { body: encode(CloseSessionResultSchema, { status: CloseSessionResult_Status.CLOSED }) }
        return
      case 'CancelFlightInfo':
        yield { body: this.#cancel(body, call) }
        return
      default: throw new QueryError('UNSUPPORTED_STATEMENT', `action ${type} is not supported`)
    }
  }

  async #prepare(body: Uint8Array, call: Call): Promise<Uint8Array> {
    const session = this.#options.sessions.of(call)
    const { query } = readBody(ActionCreatePreparedStatementRequestSchema, body)
    const columns = await this.#options.describe(session, query)
    const handle = this.#options.newId()
    keepPrepared(session, handle, query)
    return pack(ActionCreatePreparedStatementResultSchema, {
      preparedStatementHandle: Buffer.from(handle), datasetSchema: encapsulatedSchema(columns, session.enums),
      parameterSchema: encapsulatedSchema([]), isUpdate: false,
    })
  }

  /** Each option by itself: one that is refused leaves the others set. */
  #setOptions(body: Uint8Array, call: Call): Uint8Array {
    const session = this.#options.sessions.of(call)
    const { sessionOptions } = readBody(SetSessionOptionsRequestSchema, body)
    const errors: Record<string, { value: OptionError }> = {}
    for (const [name, value] of Object.entries(sessionOptions)) {
      const error = this.#setOption(session, name, value)
      if (error !== undefined) errors[name] = { value: error }
    }
    return encode(SetSessionOptionsResultSchema, { errors })
  }

  #setOption(session: Session, name: string, { optionValue }: SessionOptionValue): OptionError | undefined {
    const text = optionValue.case === 'stringValue' ? optionValue.value : undefined
    if (text === undefined && optionValue.case !== undefined) return OptionError.INVALID_VALUE
    const defaults = this.#options.sessions.defaults
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
      case 'compute_size': return text === undefined || computeSizes.has(text) ? undefined : OptionError.INVALID_VALUE
      default: return OptionError.INVALID_NAME
    }
  }

  #getOptions(call: Call): Uint8Array {
    const known = this.#options.sessions.known(call)
    const { catalog, schema } = known ?? this.#options.sessions.defaults
    const timezone = known?.settings.get(TIME_ZONE_SETTING) ?? 'UTC'
    const values = { catalog, schema, timezone, enums: known?.enums ?? 'text' }
    const entries = Object.entries(values).map(([name, value]) => {
      return [name, { optionValue: { case: 'stringValue' as const, value } }]
    })
    return encode(GetSessionOptionsResultSchema, { sessionOptions: Object.fromEntries(entries) })
  }

  /** Of a statement whose rows nobody reads yet; a reader resets its stream instead. */
  #cancel(body: Uint8Array, call: Call): Uint8Array {
    this.#options.sessions.of(call)
    const { info } = readBody(CancelFlightInfoRequestSchema, body)
    const ticket = info?.endpoint[0]?.ticket?.ticket ?? new Uint8Array(0)
    const handle = unpack(ticket, [TicketStatementQuerySchema])?.statementHandle
    if (handle === undefined || !this.#options.results.cancel(Buffer.from(handle).toString())) {
      throw new QueryError('NOT_FOUND', 'no statement waits to be read under this ticket')
    }
    return encode(CancelFlightInfoResultSchema, { status: CancelStatus.CANCELLED })
  }
}

/** DuckDB's name of the setting. */
const TIME_ZONE_SETTING = 'TimeZone'

function setTimeZone(session: Session, name: string | undefined): OptionError | undefined {
  if (name === undefined) {
    session.settings.delete(TIME_ZONE_SETTING)
    return undefined
  }
  if (!isTimeZone(name)) return OptionError.INVALID_VALUE
  session.settings.set(TIME_ZONE_SETTING, name)
  return undefined
}
