/**
 * One session's DuckDB instance on this executor: its temporary objects and its catalog `memory` live here and nowhere
 * else. One statement at a time; bound first, so that its coordinator can decide, and run only then, once.
 */

import { QueryError } from '../../proto/errors.ts'
import type { BindRequest, IngestBegin, RunRequest } from '../../proto/gen/session_pb.js'
import { IngestBegin_Mode as Mode } from '../../proto/gen/session_pb.js'
import type { CoordinatorId, SessionId } from '../../proto/ids.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { quoteName, quoteText } from '../../proto/sql-text.ts'
import type { BodyPool } from '../body-pool.ts'
import { taskError } from '../duck-error.ts'
import { ingestInto } from '../ingest/arrow-ingest.ts'
import type { TypedColumn } from '../instances.ts'
import type { SessionConnections } from '../instance-set.ts'
import type { ResultSpool } from '../result-spool.ts'
import { writeAtOnce } from '../result-writer.ts'
import { ScanFiles, type FilePort } from '../scan-files.ts'
import { settingsSql } from '../task-setup.ts'
import { outlineOf } from './plan-outline.ts'
import { SessionTables } from './session-tables.ts'
import type { TextScreen } from './text-screen.ts'

export interface OwnSessionOptions {
  readonly id: SessionId
  readonly coordinator: CoordinatorId
  readonly principal: string
  readonly connections: SessionConnections
  readonly files: FilePort
  readonly pool: BodyPool
  readonly screen: TextScreen
}

export interface Bound {
  /** JSON; empty: none. */
  readonly outline: string
  readonly columns: readonly TypedColumn[]
  readonly statementType: number
}

/** Of a statement that reads. */
const SELECT = 1

export class OwnSession {
  readonly options: OwnSessionOptions
  readonly #tables: SessionTables
  readonly #spools = new Map<string, ResultSpool>()
  /** Held from a bind to the end of its statement, or of its transaction. */
  #pins: ScanFiles[] = []
  /** Catalogs that the open transaction has looked at; null: none is open. */
  #seen: Set<string> | null = null
  #settings = ''
  #place = ''
  #last: Promise<unknown> = Promise.resolve()
  #interrupt: (() => void) | null = null
  #closed = false

  constructor(options: OwnSessionOptions) {
    this.options = options
    this.#tables = new SessionTables(options.connections.admin)
  }

  bind(request: BindRequest, signal: AbortSignal): Promise<Bound> {
    return this.#next(async () => {
      const { connections: { user }, files } = this.options
      const { sql, tables, listing, begin, defaultCatalog, defaultSchema } = request
      this.options.screen.check(sql)
      if (this.#seen === null) await this.#unpin()
      // only footers: what the statement reads of them comes when it runs
      const footers = tables.map(table => ({ ...table, touched: [] }))
      const opened = listing ? null : await ScanFiles.open(footers, files, signal)
      if (opened !== null) this.#pins.push(opened)
      await this.#tables.place(defaultCatalog, defaultSchema)
      await this.#tables.use(tables, opened?.paths ?? [], listing, this.#seen)
      await this.#applySettings(request)
      await this.#usePlace(`USE ${quoteName(defaultCatalog)}.${quoteName(defaultSchema)}`)
      if (begin && this.#seen === null) {
        await user.run('BEGIN TRANSACTION')
        this.#seen = new Set()
      }
      if (this.#seen !== null) {
        for (const catalog of this.#tables.catalogs) this.#seen.add(catalog)
      }
      const { columns, statementType } = await this.#describe(sql)
      return { outline: await this.#outline(sql), columns, statementType }
    })
  }

  /** Rejects with what DuckDB says; what a statement outside of a transaction did until then is undone. */
  run(request: RunRequest, spool: ResultSpool, signal: AbortSignal): Promise<{ rowCount: number; objects: string[] }> {
    return this.#next(async () => {
      const { connections: { user }, files, pool } = this.options
      const { sql, tables, columns, enumDictionaries, ends, changes } = request
      const stopInterrupts = this.#interruptOn(signal)
      this.#spools.set(request.resultId, spool) // it is read while it is made: there may not be room for all of it
      try {
        const opened = await ScanFiles.open(tables, files, signal)
        this.#pins.push(opened)
        await this.#tables.use(tables, opened.paths, false, this.#seen)
        if (signal.aborted) throw new QueryError('CANCELLED', 'the statement was cancelled')
        const shape = { columns, enums: enumDictionaries ? 'dictionary' as const : 'text' as const }
        const { rowCount } = await writeAtOnce(user, sql, shape, spool, pool)
        spool.complete()
        return { rowCount, objects: changes ? await this.#objects() : [] }
      } catch (error) {
        this.#spools.delete(request.resultId)
        await end(spool, taskError(error, []))
        throw error
      } finally {
        stopInterrupts()
        if (ends) this.#seen = null
        if (this.#seen === null) await this.#unpin()
      }
    })
  }

  /** All of the rows, or none of them. */
  ingest(begin: IngestBegin, messages: AsyncIterable<RawFlightData>): Promise<{ rowCount: number; objects: string[] }> {
    return this.#next(async () => {
      const { user } = this.options.connections
      const place = [begin.catalog, begin.schema, begin.table]
      const name = place.map(quoteName).join('.')
      const prepare = (columns: string): readonly string[] => {
        switch (begin.mode) {
          case Mode.APPEND: return []
          case Mode.CREATE: return [`CREATE TABLE ${name} (${columns})`]
          case Mode.REPLACE: return [`DROP TABLE IF EXISTS ${name}`, `CREATE TABLE ${name} (${columns})`]
          case Mode.CREATE_APPEND: return [`CREATE TABLE IF NOT EXISTS ${name} (${columns})`]
          default: throw new QueryError('INVALID_REQUEST', 'an ingest without a mode')
        }
      }
      const rowCount = await ingestInto(user, { place, prepare, inTransaction: this.#seen !== null }, messages)
      return { rowCount, objects: await this.#objects() }
    })
  }

  result(id: string): ResultSpool {
    const spool = this.#spools.get(id)
    if (spool === undefined) throw new QueryError('NOT_FOUND', `no result ${id} in this session`)
    return spool
  }

  async forget(id: string): Promise<void> {
    const spool = this.#spools.get(id)
    this.#spools.delete(id)
    if (spool !== undefined) await end(spool, new QueryError('CANCELLED', 'the result is not kept any more'))
  }

  /** Interrupts what runs. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#interrupt?.()
    await this.#last
    await this.#unpin()
    for (const id of [...this.#spools.keys()]) await this.forget(id)
    await this.options.connections.close()
  }

  async #applySettings({ settings }: BindRequest): Promise<void> {
    const { user } = this.options.connections
    const sql = settingsSql({ settings })
    if (sql === this.#settings) return
    await user.run([...resettable.map(name => `RESET SESSION ${name}`), sql].join(';\n'))
    this.#settings = sql
  }

  async #usePlace(sql: string): Promise<void> {
    if (sql === this.#place) return
    await this.options.connections.user.run(sql)
    this.#place = sql
  }

  async #describe(sql: string): Promise<{ columns: readonly TypedColumn[]; statementType: number }> {
    const { user } = this.options.connections
    const prepared = await user.prepareOne(sql)
    try {
      const { statementType } = prepared
      const columns = prepared.columns()
      if (statementType !== SELECT) return { columns, statementType }
      // inside nested types the binding loses aliases (JSON) and unnamed fields; DESCRIBE has them
      const described = await user.texts(`DESCRIBE ${sql}`, [1]).catch(() => [])
      if (described.length !== columns.length) return { columns, statementType }
      return { columns: columns.map(({ name, type }, i) => ({ name, type: described[i]?.[0] ?? type })), statementType }
    } finally {
      prepared.close()
    }
  }

  async #outline(sql: string): Promise<string> {
    const { user } = this.options.connections
    const [[json] = []] = await user.texts(`SELECT json_serialize_plan(${quoteText(sql)}, skip_null := true)`, [0])
    const odd = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g
    const text = (json ?? '').replace(odd, word => word.startsWith('"') ? word : '0')
    const answer = JSON.parse(text) as { readonly error: boolean; readonly plans?: unknown }
    if (answer.error) return ''
    return JSON.stringify(outlineOf(answer.plans, path => this.#tables.tableOf(path)))
  }

  /** Names of everything that is the session's own. */
  async #objects(): Promise<string[]> {
    const { admin, user } = this.options.connections
    const rows = await user.texts(OBJECTS, [0]).catch(() => admin.texts(OBJECTS, [0]))
    return rows.map(([name]) => name ?? '')
  }

  async #unpin(): Promise<void> {
    const pins = this.#pins
    this.#pins = []
    for (const pin of pins) await pin.release().catch(() => undefined) // what is left of a file goes at the next start
  }

  #interruptOn(signal: AbortSignal): () => void {
    const { user, later } = this.options.connections
    let stop = (): void => undefined
    const interrupt = (): void => {
      user.interrupt()
      stop = later(interrupt)
    }
    this.#interrupt = interrupt
    if (signal.aborted) interrupt()
    else signal.addEventListener('abort', interrupt, { once: true })
    return () => {
      this.#interrupt = null
      signal.removeEventListener('abort', interrupt)
      stop()
    }
  }

  #next<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(() => {
      if (this.#closed) throw new QueryError('SESSION_LOST', 'the session has ended on its executor')
      return run()
    })
    this.#last = next.catch(() => undefined)
    return next
  }
}

async function end(spool: ResultSpool, cause: QueryError): Promise<void> {
  spool.fail(cause)
  await spool.remove()
}

/** What settingsSql may have set. */
const resettable = [
  'TimeZone', 'Calendar', 'default_null_order', 'default_order', 'default_collation', 'integer_division',
  'ieee_floating_point_ops', 'scalar_subquery_error_on_multiple_rows', 'order_by_non_integer_literal',
]

const OWN = `database_name IN ('temp', 'memory')`
const OBJECTS = [
  `SELECT lower(table_name) FROM duckdb_tables() WHERE ${OWN}`,
  `SELECT lower(view_name) FROM duckdb_views() WHERE ${OWN} AND NOT internal`,
  `SELECT lower(function_name) FROM duckdb_functions() WHERE ${OWN} AND NOT internal`,
  `SELECT lower(type_name) FROM duckdb_types() WHERE ${OWN} AND NOT internal`,
  `SELECT lower(sequence_name) FROM duckdb_sequences() WHERE ${OWN}`,
  `SELECT lower(schema_name) FROM duckdb_schemas() WHERE ${OWN} AND NOT internal`,
].join(' UNION ')
