/**
 * The instances that sessions own, each on one executor, made when a session first makes something of its own. A
 * statement there is bound, authorised on what its plan says, and run, one after another. When the executor is lost,
 * all that the session made is: the next statement that needs it is told so, once.
 */

import type { TableColumn } from '../../catalog/table.ts'
import { authoriseOwn, type OwnAuthority, type PlanOutline } from '../../proto/own-authority.ts'
import type { PreparedParameter } from '../../planner/prepare-query.ts'
import { nameUnedited, ofUnedited } from '../../planner/text-edits.ts'
import type { Clock } from '../../proto/clock.ts'
import { errorAtByte } from '../../proto/error-place.ts'
import { asQueryError, QueryError } from '../../proto/errors.ts'
import type { ExecutorInfo } from '../../proto/gen/cluster_pb.js'
import { wasSaid } from '../../proto/grpc.ts'
import type { BindReply } from '../../proto/gen/session_pb.js'
import type { CoordinatorId, QueryId } from '../../proto/ids.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { EXPLAIN_COLUMNS } from '../explain-query.ts'
import type { ExecutorView } from '../fleet-actor.ts'
import type { HidingPort } from '../query-ports.ts'
import type { QueryRequest } from '../running-query.ts'
import type { SlowReaders } from '../slow-readers.ts'
import { carriedFiles, namedScan, resultForm } from '../task-definition.ts'
import { done, type Repeated } from './answer.ts'
import { mentions } from './mentions.ts'
import { NamedTables, type Found, type SessionCatalog } from './named-tables.ts'
import type { OwnDatabases } from './own-databases.ts'
import {
  filesOf, readOnly, runTables, tableRead, withoutFiles, type TableRead,
} from './own-tables.ts'
import { withHidden, type OwnText } from './own-text.ts'
import { OwnQuery, type OwnOutcome, type OwnRun } from './own-query.ts'
import type { Session } from './session.ts'
import type { RunInit, SessionChannel } from './session-channel.ts'
import type { Sessions } from './sessions.ts'
import { ifSo, ingestRequests, repeatRequests, type IngestMode, type IngestTarget } from './write-streams.ts'

export interface OwnInstancesOptions {
  readonly sessions: Sessions
  readonly clock: Clock
  readonly newId: () => string
  readonly coordinator: CoordinatorId
  readonly executors: () => readonly ExecutorView[]
  readonly connect: (info: ExecutorInfo) => SessionChannel
  readonly catalog: SessionCatalog
  readonly planner: HidingPort
  readonly holdBytes: number
  /** Of all results of the coordinator. */
  readonly slowReaders: SlowReaders
  /** Catalogs that are DuckDB files. */
  readonly databases: OwnDatabases
}

/** query: it reads. change: it may change what is the session's. list: the catalog. end: of a transaction. */
export type OwnKind = 'query' | 'change' | 'list' | 'end'
  | 'own-list' // the catalog without the tables of the cluster
  | 'explain' // it is bound and allowed, and what would be done for it is told
const lists: ReadonlySet<OwnKind> = new Set(['list', 'own-list'])
const changing: ReadonlySet<OwnKind> = new Set(['change', 'explain'])

/** What a statement is. */
export interface OwnDescription {
  readonly columns: readonly TableColumn[]
  /** It changes something. */
  readonly changes: boolean
  /** A change that does not gives their number alone. */
  readonly givesRows: boolean
  readonly parameters: readonly PreparedParameter[]
}

interface Bound extends OwnDescription {
  readonly read: readonly TableRead[]
  readonly bytesFetched: number
  /** What runs. */
  readonly sql: string
}

interface OwnInstance {
  /** On its executor; a session that lost its instance gets another id. */
  readonly id: string
  readonly info: ExecutorInfo
  readonly channel: SessionChannel
  opened: boolean
  /** A transaction is open there. */
  begun: boolean
  /** Names of what the session has made, in lower case. */
  objects: ReadonlySet<string>
  readonly tables: NamedTables
}

const nothing = { tables: [], failures: [] }
/** Catalogs that are a session's alone. */
const own: ReadonlySet<string> = new Set(['memory', 'temp'])

export class OwnInstances {
  readonly #options: OwnInstancesOptions
  readonly #instances = new Map<Session, OwnInstance>()
  /** One statement of a session at a time. */
  readonly #turns = new WeakMap<Session, Promise<unknown>>()

  constructor(options: OwnInstancesOptions) {
    this.#options = options
    options.sessions.attach(session => { void this.#close(session) }, session => this.#instances.has(session))
  }

  /** The text may name what the session has made, or a catalog that is a file. `catalog`: where its names begin. */
  concerns(session: Session, sql: string, catalog = session.catalog): boolean {
    if (this.#options.databases.concerns(sql, catalog)) return true
    const instance = this.#instances.get(session)
    if (instance === undefined) return false
    return own.has(catalog.toLowerCase()) || mentions(sql, new Set([...instance.objects, ...own]))
  }

  get databases(): OwnDatabases {
    return this.#options.databases
  }

  /** There may be something beside the tables of the cluster. */
  hasOwn(session: Session): boolean {
    return this.#options.databases.names.length > 0 || this.#instances.has(session)
  }

  /** Its instance has a transaction open. */
  hasBegun(session: Session): boolean {
    return this.#instances.get(session)?.begun === true
  }

  /** Names in the session's own catalog: schemas among others. */
  objects(session: Session): ReadonlySet<string> {
    return this.#instances.get(session)?.objects ?? new Set()
  }

  /** `runs`: what is done for the text once it is bound. */
  submit(
    session: Session, request: QueryRequest, kind: OwnKind, id: QueryId, runs = (sql: string): string => sql,
  ): OwnQuery {
    const { clock, holdBytes, slowReaders } = this.#options
    return new OwnQuery({
      id, request, clock, holdBytes, slowReaders,
      work: (run, signal) => this.#next(session, () => this.#work(session, request, kind, runs, run, signal)),
    })
  }

  /** What it is; nothing runs. `parameterized`: the same with its parameters, empty if it has none. */
  describe(session: Session, request: QueryRequest, kind: OwnKind, parameterized = ''): Promise<OwnDescription> {
    return this.#next(session, async () => {
      const instance = this.#instance(session, request)
      const { signal } = new AbortController()
      const { columns, changes, givesRows, parameters } =
        await this.#bind(session, instance, request, kind, signal, parameterized)
      await instance.channel.unbind(instance.id)
      return { columns, changes, givesRows, parameters }
    })
  }

  /** A change, once for each text, which differs from the request's by values alone: all or none; how many rows. */
  repeat(session: Session, request: QueryRequest, texts: Iterable<string>, signal: AbortSignal): Promise<Repeated> {
    return this.#next(session, async () => {
      const instance = this.#instance(session, request)
      const { read, bytesFetched, sql } = await this.#bind(session, instance, request, 'change', signal)
      if (sql !== request.sql) {
        await instance.channel.unbind(instance.id)
        throw new QueryError('UNSUPPORTED_STATEMENT', 'rows of values for a statement that reads columns of files')
      }
      const begin = { sessionId: instance.id, ...runTables(read) }
      const call = instance.channel.repeat(repeatRequests(begin, texts), signal)
      const reply = await this.#told(session, instance, '', call)
      instance.objects = new Set(reply.objects)
      const [brought, bytesCached] = [Number(reply.bytesFetched), Number(reply.bytesCached)]
      return { changedRows: reply.changedRows, bytesFetched: bytesFetched + brought, bytesCached }
    })
  }

  /** Rows into a table of the session, all or none; how many. */
  ingest(
    session: Session, { catalog, schema, table }: IngestTarget, mode: IngestMode,
    messages: AsyncIterable<RawFlightData>, signal: AbortSignal,
  ): Promise<bigint> {
    const { databases } = this.#options
    if (!databases.writable(session.principal).has(catalog.toLowerCase())) {
      throw databases.refusal(catalog, session.principal)
        ?? new QueryError('PERMISSION_DENIED', `catalog ${catalog} is read-only; rows go to memory or temp`)
    }
    return this.#next(session, async () => {
      const request: QueryRequest = {
        sql: 'SELECT 1', defaultCatalog: session.catalog, defaultSchema: session.schema, settings: {},
        principal: session.principal, sessionId: session.id, clientInterface: 'ArrowFlightSQL',
      }
      // what it is bound in is where the rows go
      const place = { ...request, defaultCatalog: databases.has(catalog) ? catalog : session.catalog,
        defaultSchema: databases.has(catalog) ? 'main' : session.schema }
      const instance = this.#instance(session, place)
      await this.#bind(session, instance, place, 'change', signal)
      const begin = { sessionId: instance.id, catalog, schema, table, ...ifSo(mode) }
      const call = instance.channel.ingest(ingestRequests(begin, messages, signal), signal)
      const reply = await this.#told(session, instance, '', call)
      instance.objects = new Set(reply.objects)
      return reply.rowCount
    })
  }

  async #work(
    session: Session, request: QueryRequest, kind: OwnKind, runs: (sql: string) => string,
    run: (bound: OwnRun) => Promise<void>, signal: AbortSignal,
  ): Promise<void> {
    const isOnce = lists.has(kind) && !this.#instances.has(session)
    const instance = this.#instance(session, request)
    const { id, channel } = instance
    const bound = kind === 'end' ? { columns: done.columns, read: [], bytesFetched: 0, sql: request.sql }
      : await this.#bind(session, instance, request, kind, signal)
    const columns = kind === 'explain' ? EXPLAIN_COLUMNS : bound.columns
    const resultId = this.#options.newId()
    await run({
      columns, bytesFetched: bound.bytesFetched,
      run: () => this.#run(session, instance, kind, {
        sessionId: id, resultId, sql: runs(bound.sql), ...resultForm(columns, request), ...runTables(bound.read),
      }, signal),
      fetch: (fromFrame, reading) => channel.fetch(id, resultId, fromFrame, reading),
      forget: () => {
        channel.forget(id, resultId).catch(() => undefined) // it goes with the session
        if (isOnce) void this.#next(session, async () => { if (this.#isEmpty(instance)) await this.#close(session) })
      },
    })
  }

  async #run(
    session: Session, instance: OwnInstance, kind: OwnKind, request: RunInit & { readonly sql: string },
    signal: AbortSignal,
  ): Promise<OwnOutcome> {
    const ends = kind === 'end'
    const changes = kind === 'change' || ends
    try {
      const running = instance.channel.run({ ...request, ends, changes }, signal)
      const reply = await this.#told(session, instance, request.sql, running)
      const { objects, frames, changedRows, rowCount } = reply
      if (changes) instance.objects = new Set(objects)
      // of a change that gives its rows they are those that it has changed
      return {
        frames, changedRows: kind === 'change' ? changedRows ?? rowCount : ends ? 0n : null,
        bytesFetched: Number(reply.bytesFetched), bytesCached: Number(reply.bytesCached),
      }
    } finally {
      if (ends) instance.begun = false // however a transaction ends, it has ended
    }
  }

  async #bind(
    session: Session, instance: OwnInstance, request: QueryRequest, kind: OwnKind, signal: AbortSignal,
    parameterized = '',
  ): Promise<Bound> {
    const begin = session.transaction === 'open' && !instance.begun && !lists.has(kind)
    if (kind === 'list' && instance.begun) {
      throw new QueryError('TRANSACTION_ERROR', 'the catalog cannot be listed inside a transaction on own objects')
    }
    const { tables, failures } = kind === 'own-list' ? nothing
      : kind === 'list' ? await this.#allTables() : await instance.tables.of(request, begin)
    const { settings, defaultCatalog, defaultSchema, principal } = request
    const { databases, planner } = this.#options
    const attaches = lists.has(kind) && !instance.begun // a transaction has attached what it uses
    const bind = ({ sql, parameterized, tables }: Omit<OwnText, 'edits'>): Promise<BindReply> =>
      this.#told(session, instance, sql, instance.channel.bind({
        sessionId: instance.id, coordinatorId: this.#options.coordinator, principal, open: !instance.opened, sql,
        settings: { TimeZone: 'UTC', ...settings }, defaultCatalog, defaultSchema, listing: attaches, begin,
        tables: (kind === 'list' ? tables.map(withoutFiles) : tables).flatMap(table => namedScan(table)), parameterized,
        carried: kind === 'list' ? [] : carriedFiles(filesOf(tables)),
        databases: databases.toAttach(sql, defaultCatalog, principal, attaches), changes: kind === 'change',
      }, signal))
    const written: OwnText = { sql: request.sql, parameterized, tables, edits: [] }
    const { text, reply } = await bind(written).then(reply => ({ text: written, reply }), async (thrown: unknown) => {
      const error = asQueryError(thrown)
      if (error.code !== 'BIND_ERROR') throw error
      const columnsOf = async (sql: string): Promise<readonly string[]> =>
        (await bind({ sql, parameterized: '', tables })).columns.map(({ name }) => name)
      const { objects, tables: named } = instance
      const text = await withHidden(written, error,
        { request, objects, named, planner, keeps: kind === 'change', columnsOf })
      if (text === null) throw failures[0] ?? readOnly(request.sql, tables, request) ?? error
      const reply = await bind(text).catch((other: unknown) => { throw ofUnedited(other, text.edits) })
      return { text, reply }
    })
    instance.opened = true
    instance.begun ||= begin
    const columns = reply.columns.map(({ name, type }) => ({ name: nameUnedited(name, text.edits, request.sql), type }))
    try {
      const { changes, givesRows, tables: read } = this.#authorised(reply.outline, request, kind)
      const parameters = reply.parameters.map(({ name, type }) => ({ name, type: type === '' ? null : type }))
      return {
        columns, changes, givesRows, parameters, bytesFetched: Number(reply.bytesFetched), sql: text.sql,
        read: read.flatMap(({ table, columns }) => tableRead(text.tables[table], columns)),
      }
    } catch (error) {
      await instance.channel.unbind(instance.id).catch(() => undefined) // then the next bind does it
      throw error
    }
  }

  #authorised(outline: string, { principal }: QueryRequest, kind: OwnKind): OwnAuthority {
    const { databases } = this.#options
    if (outline === '') {
      throw new QueryError('UNSUPPORTED_STATEMENT', 'DuckDB cannot tell what this statement would do: it may not run')
    }
    const authority = authoriseOwn(JSON.parse(outline) as PlanOutline, databases.writable(principal), lists.has(kind),
      catalog => databases.refusal(catalog, principal))
    if (authority.changes && !changing.has(kind)) throw new Error('a statement that reads would change something')
    return authority
  }

  /** Those that cannot be loaded are left out of the list. */
  async #allTables(): Promise<Found> {
    const all = await this.#options.catalog.tables()
    return { tables: all.flatMap(one => one.state === 'loaded' ? [one.table] : []), failures: [] }
  }

  /** The session's, or a new one, near the files that the text names, or on the executor that has the fewest. */
  #instance(session: Session, { sql, defaultCatalog }: Pick<QueryRequest, 'sql' | 'defaultCatalog'>): OwnInstance {
    const known = this.#instances.get(session)
    const { databases, executors } = this.#options
    const views = executors()
    if (known !== undefined) {
      const { info } = known
      const isThere = views.some(view => view.info.id === info.id && view.info.incarnation === info.incarnation
        && (view.state === 'active' || view.state === 'draining'))
      if (isThere) {
        const near = databases.within(views.map(view => view.info), sql, defaultCatalog)
        if (near.some(({ id }) => id === info.id)) return known
        throw new QueryError('UNSUPPORTED_STATEMENT', 'the objects of this session are on another host than the '
          + 'catalog\'s file: another session can use it')
      }
      throw this.#lost(session, known) ?? new QueryError('UNAVAILABLE', 'the executor of this session was lost')
    }
    const hosted = (info: ExecutorInfo): number =>
      [...this.#instances.values()].filter(one => one.info.id === info.id).length
    const free = views.filter(({ state }) => state === 'active').map(({ info }) => info)
      .toSorted((a, b) => hosted(a) - hosted(b) || (a.id < b.id ? -1 : 1))
    const [info] = databases.within(free, sql, defaultCatalog)
    if (info === undefined) throw new QueryError('NO_EXECUTOR', 'no executor is there for the session\'s own objects')
    const instance: OwnInstance = {
      id: this.#options.newId(), info, channel: this.#options.connect(info), opened: false,
      begun: false, objects: new Set(), tables: new NamedTables(this.#options.catalog),
    }
    this.#instances.set(session, instance)
    return instance
  }

  /**
   * Waits for an answer about `sql` (empty: about many texts). Without one it is not known what was done, and so the
   * instance is given up.
   */
  async #told<T>(session: Session, instance: OwnInstance, sql: string, call: Promise<T>): Promise<T> {
    try {
      return await call
    } catch (thrown) {
      const error = asQueryError(thrown)
      const { code } = error
      // a store that does not answer is said by the executor; after a fatal error DuckDB refuses everything
      if (code === 'UNAVAILABLE' ? !wasSaid(error) : ['SESSION_LOST', 'INTERNAL', 'EXECUTOR_LOST'].includes(code)) {
        throw this.#lost(session, instance, error) ?? error
      }
      // what was bound may not have come to its run, or its binding may be done without us; it would hold its files
      await instance.channel.unbind(instance.id).catch(() => undefined)
      if (error.code === 'NOT_FOUND' && !instance.opened) throw error
      if (sql === '') throw new QueryError(error.code, error.message, { cause: error })
      throw errorAtByte(error.code, error.message, error.position, sql)
    }
  }

  /** Nothing is kept of it; undefined: nothing was lost with it. */
  #lost(session: Session, instance: OwnInstance, cause?: QueryError): QueryError | undefined {
    const held = !this.#isEmpty(instance)
    void this.#close(session)
    session.transaction = 'none'
    if (!held) return undefined
    return new QueryError('SESSION_LOST', `executor ${instance.info.id} was lost with all that this session has made: `
      + 'temporary objects, tables in memory, the open transaction', { cause })
  }

  #isEmpty({ objects, begun }: OwnInstance): boolean {
    return objects.size === 0 && !begun
  }

  async #close(session: Session): Promise<void> {
    const instance = this.#instances.get(session)
    if (instance === undefined) return
    this.#instances.delete(session)
    await instance.channel.close(instance.id).catch(() => undefined) // the executor is gone, or will see that we are
    instance.channel.end()
  }

  #next<T>(session: Session, run: () => Promise<T>): Promise<T> {
    const next = (this.#turns.get(session) ?? Promise.resolve()).then(run)
    this.#turns.set(session, next.catch(() => undefined))
    return next
  }
}
