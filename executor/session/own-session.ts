/**
 * One session's DuckDB instance on this executor: its temporary objects and its catalog `memory` live here and nowhere
 * else. One statement at a time; bound first, so that its coordinator can decide, and run only then, once.
 */

import { hasEndlessJoinInOrder } from '../../proto/endless-join.ts'
import { QueryError } from '../../proto/errors.ts'
import type { BindRequest, IngestBegin, RepeatBegin, RunRequest } from '../../proto/gen/session_pb.js'
import { IngestBegin_IfMissing as IfMissing, IngestBegin_IfThere as IfThere } from '../../proto/gen/session_pb.js'
import type { CoordinatorId, SessionId } from '../../proto/ids.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { quoteName, quoteText } from '../../proto/sql-text.ts'
import type { BodyPool } from '../../proto/body-pool.ts'
import { taskError } from '../duck-error.ts'
import { ingestInto } from '../ingest/arrow-ingest.ts'
import type { PreparedQuery, TypedColumn } from '../instances.ts'
import type { SessionConnections } from '../instance-set.ts'
import type { ResultSpool } from '../result-spool.ts'
import { resultShape, writeAtOnce } from '../result-writer.ts'
import { ScanFiles, type FilePort } from '../scan-files.ts'
import { settingsSql } from '../task-setup.ts'
import type { DatabaseFiles } from './database-files.ts'
import { columnsRead, leavingOptimizer } from './columns-read.ts'
import { doesMore, isOnlyValues, withAllColumns } from './other-values.ts'
import { OBJECTS } from './own-objects.ts'
import { outlineOf, type PlanOutline } from './plan-outline.ts'
import { SessionDatabases } from './session-databases.ts'
import { SessionTables } from './session-tables.ts'
import type { Bound, Changed, Ran, Repeated } from './statement-outcome.ts'
import type { TextScreen } from './text-screen.ts'

export interface OwnSessionOptions {
  readonly id: SessionId
  readonly coordinator: CoordinatorId
  readonly principal: string
  readonly connections: SessionConnections
  readonly files: FilePort
  readonly databaseFiles: DatabaseFiles
  readonly pool: BodyPool
  readonly screen: TextScreen
}

const ENDLESS_JOIN = 'an ASOF RIGHT or FULL JOIN below a window, a sample, a positional join or a LIMIT in percent'
/** Of a statement that reads. */
const SELECT = 1

export class OwnSession {
  readonly options: OwnSessionOptions
  readonly #tables: SessionTables
  readonly #databases: SessionDatabases
  readonly #spools = new Map<string, ResultSpool>()
  /** Held from a bind to the end of its statement, or of its transaction. */
  #pins: ScanFiles[] = []
  /** Catalogs that the open transaction has looked at; null: none is open. */
  #seen: Set<string> | null = null
  /** Of the statement that was bound last; null: DuckDB cannot tell. */
  #bound: PlanOutline | null = null
  #settings = ''
  #place = ''
  #last: Promise<unknown> = Promise.resolve()
  #interrupt: (() => void) | null = null
  #closed = false

  constructor(options: OwnSessionOptions) {
    this.options = options
    this.#tables = new SessionTables(options.connections.admin)
    this.#databases = new SessionDatabases(options.databaseFiles, options.connections)
  }

  bind(request: BindRequest, signal: AbortSignal): Promise<Bound> {
    return this.#next(async () => {
      try {
        const bound = await this.#bind(request, signal)
        checkWanted(signal) // else nobody would run or unbind it
        return bound
      } catch (error) {
        if (this.#seen === null) await this.#unpin()
        throw error
      }
    })
  }

  /** What was bound last will not run. */
  unbind(): Promise<void> {
    return this.#next(async () => { if (this.#seen === null) await this.#unpin() })
  }

  async #bind(request: BindRequest, signal: AbortSignal): Promise<Bound> {
    const { connections: { user }, files } = this.options
    const { sql, tables, carried, databases, listing, begin, changes, defaultCatalog, defaultSchema } = request
    this.options.screen.check(sql)
    if (this.#seen === null) await this.#unpin()
    if (listing) await this.#databases.attachForList(databases, signal)
    else await this.#databases.attach(databases, changes || begin || this.#seen !== null, signal)
    // only footers: what the statement reads of them comes when it runs
    const footers = tables.map(table => ({ ...table, touched: [] }))
    const opened = listing ? null : await ScanFiles.open(footers, carried, files, signal)
    if (opened !== null) this.#pins.push(opened)
    if (!this.#databases.has(defaultCatalog)) await this.#tables.place(defaultCatalog, defaultSchema)
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
    const parameters = await this.#parameters(request.parameterized)
    const bytesFetched = opened?.bytesFetched ?? 0
    return { outline: await this.#outline(sql), columns, statementType, parameters, bytesFetched }
  }

  /** Rejects with what DuckDB says; what a statement outside of a transaction did until then is undone. */
  run(request: RunRequest, spool: ResultSpool, signal: AbortSignal): Promise<Ran> {
    return this.#next(async () => {
      const { connections: { user }, pool } = this.options
      const { sql, ends, changes } = request
      const stopInterrupts = this.#interruptOn(signal)
      this.#spools.set(request.resultId, spool) // it is read while it is made: there may not be room for all of it
      try {
        const { bytesFetched, bytesCached } = await this.#open(request, signal)
        const { rowCount, changedRows } = await writeAtOnce(user, sql, resultShape(request), spool, pool)
        spool.complete()
        return { rowCount, changedRows, objects: changes ? await this.#objects() : [], bytesFetched, bytesCached }
      } catch (error) {
        this.#spools.delete(request.resultId)
        const cause = taskError(error, [])
        await end(spool, cause)
        await this.#blame(cause)
        throw error
      } finally {
        stopInterrupts()
        if (ends) this.#seen = null
        if (this.#seen === null) await this.#unpin()
      }
    })
  }

  /** The statement once for each text, all of them or none. In an open transaction a failure ends it for good. */
  async repeat(begin: RepeatBegin, texts: AsyncIterable<string>, signal: AbortSignal): Promise<Repeated> {
    let [bytesFetched, bytesCached] = [0, 0]
    const changed = await this.#atomic(signal, async () => {
      ({ bytesFetched, bytesCached } = await this.#open(begin, signal))
      let sum = 0n
      let all: ScanFiles | null = null
      for await (const sql of texts) {
        checkWanted(signal)
        const prepared = await this.options.connections.user.prepareOne(sql)
        try {
          const more = !isOnlyValues(sql) && doesMore(await this.#doings(sql), this.#bound)
          if (more) all ??= await this.#open(withAllColumns(begin), signal)
          sum += await changedBy(prepared)
        } finally {
          prepared.close()
        }
      }
      bytesFetched += all?.bytesFetched ?? 0
      return sum
    })
    return { ...changed, bytesFetched, bytesCached }
  }

  /** All of the rows, or none of them. In an open transaction a failure ends it for good. */
  ingest(begin: IngestBegin, messages: AsyncIterable<RawFlightData>, signal: AbortSignal): Promise<Changed> {
    return this.#atomic(signal, async () => {
      const isThere = await this.#checkTarget(begin)
      const place = [begin.catalog, begin.schema, begin.table]
      const name = place.map(quoteName).join('.')
      const kind = begin.catalog.toLowerCase() === 'temp' ? 'TEMP TABLE' : 'TABLE'
      const prepare = (columns: string): readonly string[] => {
        const create = `CREATE ${kind} ${name} (${columns})`
        if (!isThere) return [create]
        return begin.ifThere === IfThere.REPLACE ? [`DROP TABLE ${name}`, create] : []
      }
      return BigInt(await ingestInto(this.options.connections.user, { place, prepare }, messages))
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
    await this.#releasePins()
    for (const id of [...this.#spools.keys()]) await this.forget(id)
    await this.options.connections.close()
    await this.#databases.ended() // with the instance, and not before
  }

  async #open({ tables, carried }: Pick<RunRequest, 'tables' | 'carried'>, signal: AbortSignal): Promise<ScanFiles> {
    const opened = await ScanFiles.open(tables, carried, this.options.files, signal)
    this.#pins.push(opened)
    await this.#tables.use(tables, opened.paths, false, this.#seen)
    checkWanted(signal)
    return opened
  }

  /**
   * In a transaction of its own, or in the one that is open. DuckDB undoes no part of one: so after a failure the open
   * one is made to refuse everything but its end, as after a failure of DuckDB's own.
   */
  #atomic(signal: AbortSignal, run: () => Promise<bigint>): Promise<Changed> {
    return this.#next(async () => {
      const { user } = this.options.connections
      const isOwn = this.#seen === null
      const stopInterrupts = this.#interruptOn(signal)
      try {
        if (isOwn) await user.run('BEGIN TRANSACTION')
        const changedRows = await run()
        checkWanted(signal)
        stopInterrupts()
        if (isOwn) await user.run('COMMIT')
        return { changedRows, objects: await this.#objects() }
      } catch (error) {
        stopInterrupts()
        const end = isOwn ? 'ROLLBACK' : `SELECT error('a part of the transaction has failed')`
        await user.run(end).catch(() => undefined) // a ROLLBACK after a COMMIT that has failed; the other one has to
        await this.#blame(taskError(error, []))
        throw error
      } finally {
        if (isOwn) await this.#unpin()
      }
    })
  }

  /** Bytes of files that DuckDB stumbled over come anew for the next statement. */
  async #blame(cause: QueryError): Promise<void> {
    for (const pin of this.#pins) await pin.explain(cause)
  }

  /** Whether the table is there; throws if that is not as the client wants it. */
  async #checkTarget({ catalog, schema, table, ifMissing, ifThere }: IngestBegin): Promise<boolean> {
    if (ifMissing === IfMissing.UNSPECIFIED || ifThere === IfThere.UNSPECIFIED) {
      throw new QueryError('INVALID_REQUEST', 'the ingest does not say what is to be if its table is missing, or there')
    }
    const texts = [catalog, schema, table].map(name => quoteText(name.toLowerCase())).join(', ')
    const found = await this.options.connections.user.texts(`SELECT 1 FROM duckdb_tables()
      WHERE (lower(database_name), lower(schema_name), lower(table_name)) = (${texts})`, [0])
    const isThere = found.length > 0
    const name = [catalog, schema, table].map(quoteName).join('.')
    if (isThere && ifThere === IfThere.FAIL) throw new QueryError('TABLE_EXISTS', `table ${name} is there already`)
    if (!isThere && ifMissing === IfMissing.FAIL) throw new QueryError('TABLE_NOT_FOUND', `table ${name} is not there`)
    return isThere
  }

  /** Types that DuckDB infers; none for an empty text. */
  async #parameters(sql: string): Promise<Bound['parameters']> {
    if (sql === '') return []
    const prepared = await this.options.connections.user.prepareOne(sql)
    try {
      return prepared.parameters()
    } finally {
      prepared.close()
    }
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

  /** What the statement does, and of the cluster's tables what it reads. */
  async #outline(sql: string): Promise<string> {
    const tableOf = (path: string): number | undefined => this.#tables.tableOf(path)
    this.#bound = await this.#doings(sql)
    const outline = this.#bound
    if (outline === null) return ''
    if (!outline.sources.some(({ kind }) => kind === 'files')) return JSON.stringify(outline)
    const lean = await leavingOptimizer(this.options.connections.admin, 'unused_columns', () => this.#plans(sql, true))
    return JSON.stringify(lean === null ? outline : { ...outline, reads: columnsRead(lean, tableOf) })
  }

  async #doings(sql: string): Promise<PlanOutline | null> {
    const plans = await this.#plans(sql, false)
    if (hasEndlessJoinInOrder(plans)) throw new QueryError('UNSUPPORTED_STATEMENT', ENDLESS_JOIN)
    return plans === null ? null : outlineOf(plans, path => this.#tables.tableOf(path))
  }

  /** As DuckDB writes them; null: it cannot. */
  async #plans(sql: string, optimize: boolean): Promise<unknown> {
    const write = `SELECT json_serialize_plan(${quoteText(sql)}, skip_null := true, optimize := ${optimize})`
    const [[json] = []] = await this.options.connections.user.texts(write, [0])
    const odd = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g
    const text = (json ?? '').replace(odd, word => word.startsWith('"') ? word : '0')
    const answer = JSON.parse(text) as { readonly error: boolean; readonly plans?: unknown }
    return answer.error ? null : answer.plans
  }

  /** Names of everything that is the session's own. */
  async #objects(): Promise<string[]> {
    const { admin, user } = this.options.connections
    const rows = await user.texts(OBJECTS, [0]).catch(() => admin.texts(OBJECTS, [0]))
    return rows.map(([name]) => name ?? '')
  }

  /** What the last statement, or transaction, has held. */
  async #unpin(): Promise<void> {
    await this.#releasePins()
    if (this.#databases.isEmpty) return
    this.#place = ''
    await this.#databases.detach()
  }

  async #releasePins(): Promise<void> {
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

async function changedBy(prepared: PreparedQuery): Promise<bigint> {
  const { chunks, changedRows } = await prepared.execute()
  return changedRows ?? BigInt(chunks.reduce((sum, { rowCount }) => sum + rowCount, 0))
}

function checkWanted(signal: AbortSignal): void {
  if (signal.aborted) throw new QueryError('CANCELLED', 'the statement was cancelled')
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
