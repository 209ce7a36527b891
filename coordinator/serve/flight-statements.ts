/** Statements as Flight commands name them, and their way to the query service. Nothing here waits for rows. */

import type { TableColumn } from '../../catalog/table.ts'
import { bindText, placedError } from '../../planner/parameters.ts'
import { compressionNamed, compressions, requireCompression, type Compression } from '../../proto/compression.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { CommandPreparedStatementQuerySchema, CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import type { Call } from '../../proto/grpc-server.ts'
import { readTraceContext, TRACE_HEADER } from '../../proto/trace-context.ts'
import type { OrderedOffer } from '../result-offer.ts'
import type { RunningQuery } from '../running-query.ts'
import type { IngestMode, IngestTarget } from '../session/write-streams.ts'
import type { Session } from '../session/session.ts'
import type { Preparation } from '../session/statement-input.ts'
import type { Statements } from '../session/statements.ts'
import { unpack } from '../../proto/flight-any.ts'
import { statementTicket, type EndpointShape } from './flight-info.ts'
import { boundStatement, needsBinding, PreparedStatements, type Prepared } from './flight-prepared.ts'
import { TICKET_LIFE_MS } from './flight-results.ts'
import { FlightTransactions } from './flight-transactions.ts'
import type { Signer } from '../../proto/signed-text.ts'

/** `false`: for this statement as the session's option `cache`. */
const CACHE_HEADER = 'skein-cache'
/** For this statement as the session's option `compression`. */
const COMPRESSION_HEADER = 'skein-compression'
/** `true` or `false`: for this statement as the session's option `parallel_endpoints`. */
const PARALLEL_HEADER = 'skein-parallel-endpoints'

export interface StatementOptions {
  readonly statements: Pick<Statements, 'prepare' | 'submit' | 'transaction' | 'ingest'>
  readonly newId: () => string
}

/** What a client names. */
export type Asked =
  | { readonly kind: 'text'; readonly sql: string }
  | { readonly kind: 'prepared'; readonly handle: Uint8Array; readonly prepared: Prepared }

export interface Submitted {
  readonly query: RunningQuery
  /** Turns an error's place in the text that runs into one in the text that was sent. */
  readonly placed: (thrown: unknown) => unknown
}

export interface Started extends Submitted {
  readonly columns: readonly TableColumn[]
  /** In which it is read; null: in one piece. */
  readonly offer: OrderedOffer | null
}

/** Rows; the same, which may be read part by part; or the number of rows alone. */
type Wanted = 'rows' | 'parts' | 'count'

/** Purpose of a ticket of what is bound only after it was given. */
const LATE = 'late'

export class FlightStatements {
  readonly prepared: PreparedStatements
  readonly transactions: FlightTransactions
  readonly #options: StatementOptions
  readonly #signer: Signer

  constructor(options: StatementOptions, signer: Signer) {
    this.#options = options
    this.#signer = signer
    this.prepared = new PreparedStatements(options.newId)
    this.transactions = new FlightTransactions(options.statements, options.newId)
  }

  /** Undefined for a command that is not a statement. */
  read(cmd: Uint8Array, session: Session): Asked | undefined {
    const command = unpack(cmd, [CommandStatementQuerySchema, CommandPreparedStatementQuerySchema])
    if (command === undefined) return undefined
    if (!('query' in command)) return this.named(command.preparedStatementHandle, session)
    this.transactions.check(session, command.transactionId)
    return { kind: 'text', sql: command.query }
  }

  named(handle: Uint8Array, session: Session): Asked {
    return { kind: 'prepared', handle, prepared: this.prepared.get(session.id, handle) }
  }

  /** The columns and an endpoint of a statement that waits for values; undefined for one that can run. */
  late(asked: Asked, session: Session): { columns: readonly TableColumn[]; endpoint: EndpointShape } | undefined {
    if (asked.kind === 'text' || !needsBinding(asked.prepared)) return undefined
    const content = JSON.stringify([session.id, Buffer.from(asked.handle).toString()])
    const ticket = statementTicket(this.#signer.sign(LATE, content, TICKET_LIFE_MS))
    return { columns: asked.prepared.columns, endpoint: { ticket: { ticket } } }
  }

  /** The statement of such an endpoint's ticket; undefined for another ticket. Throws if no value is bound yet. */
  asked(handle: string, session: Session): Asked | undefined {
    const content = this.#signer.read(LATE, handle)
    if (content === undefined) return undefined
    const [sessionId, name] = JSON.parse(content) as [string, string]
    if (sessionId !== session.id) throw new QueryError('PERMISSION_DENIED', 'the ticket is another session\'s')
    return this.named(Buffer.from(name), session)
  }

  /** Of what does not run. */
  async columns(asked: Asked, session: Session): Promise<readonly TableColumn[]> {
    if (asked.kind === 'prepared') return asked.prepared.columns
    return (await this.describe(asked.sql, session)).columns
  }

  describe(sql: string, session: Session): Promise<Preparation> {
    return this.#options.statements.prepare({ session, sql, clientInterface: 'ArrowFlightSQL' })
  }

  /** Throws the QueryError that refuses it. */
  submit(asked: Asked, session: Session, call: Call, wanted: Wanted = 'rows'): Submitted {
    const { statements } = this.#options
    const trace = readTraceContext(call.header(TRACE_HEADER))
    const cache = call.header(CACHE_HEADER) !== 'false'
    const compression = wanted === 'count' ? 'none' : compressionOf(call, session)
    const parallel = wanted === 'parts' && isParallel(call, session)
    const input = { session, cache, trace, compression, parallel, clientInterface: 'ArrowFlightSQL' } as const
    if (asked.kind === 'text') {
      return { query: statements.submit({ ...input, sql: asked.sql }), placed: thrown => thrown }
    }
    const { prepared } = asked
    if (needsBinding(prepared)) bindText(prepared.sql, new Map()) // throws: no value is given
    const { text, rows } = boundStatement(prepared)
    if (rows !== undefined && prepared.returning && wanted !== 'count') {
      throw new QueryError('UNSUPPORTED_STATEMENT', 'a change with RETURNING takes one row of values at a time')
    }
    const columnNames = prepared.columns.map(({ name }) => name)
    const query = statements.submit({ ...input, sql: text.sql, columnNames, rows })
    return { query, placed: thrown => placedError(thrown, text) }
  }

  /** Rows into a table: all of them or none; how many. */
  ingest(
    session: Session, target: IngestTarget, mode: IngestMode, messages: AsyncIterable<RawFlightData>,
    signal: AbortSignal,
  ): Promise<bigint> {
    return this.#options.statements.ingest(session, target, mode, messages, signal)
  }

  /** Starts it and waits for its columns, and for what is offered; if the client goes meanwhile, it is cancelled. */
  async start(asked: Asked, session: Session, call: Call, wanted: Wanted = 'rows'): Promise<Started> {
    const { query, placed } = this.submit(asked, session, call, wanted)
    const cancel = () => query.cancel('the client went away')
    call.signal.addEventListener('abort', cancel, { once: true })
    try {
      if (call.signal.aborted) cancel()
      const columns = await query.columns
      const offer = wanted === 'parts' ? await query.offer?.() ?? null : null
      if (call.signal.aborted) throw new QueryError('CANCELLED', 'the client went away')
      return { query, placed, columns, offer }
    } catch (thrown) {
      query.release()
      throw placed(thrown)
    } finally {
      call.signal.removeEventListener('abort', cancel)
    }
  }
}

function isParallel(call: Call, session: Session): boolean {
  const asked = call.header(PARALLEL_HEADER) ?? String(session.parallel)
  if (asked === 'true' || asked === 'false') return asked === 'true'
  throw new QueryError('INVALID_REQUEST', `${PARALLEL_HEADER} takes true or false, not '${asked}'`)
}

function compressionOf(call: Call, session: Session): Compression {
  const asked = call.header(COMPRESSION_HEADER) ?? session.compression
  const compression = compressionNamed(asked)
  if (compression === undefined) {
    throw new QueryError('INVALID_REQUEST', `${COMPRESSION_HEADER} takes ${compressions.join(', ')}, not '${asked}'`)
  }
  requireCompression(compression)
  return compression
}
