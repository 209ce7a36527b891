/**
 * Statements of sessions: what a client's text asks for, done where it belongs. Every door comes through here.
 *
 *   reads tables                       the queries of the cluster
 *   is about the session               here: USE, SET, RESET, PREPARE, EXECUTE, DEALLOCATE, BEGIN, COMMIT, ROLLBACK
 *   EXPLAIN                            the planner, by the port `explain`
 *   REFRESH                            the catalog, by the port `refresh`
 *   changes something, names what the
 *   session has made, lists catalogs   the instance that the session owns (own-instances.ts)
 *
 * A text that holds a statement which may not run is refused before any of it has run.
 */

import type { CatalogNames } from '../../catalog/catalog.ts'
import type { TableColumn } from '../../catalog/table.ts'
import type { DialectName } from '../../planner/dialect/dialect.ts'
import { ofTranslation } from '../../planner/dialect/of-translation.ts'
import { bindText, findParameters, parameterNames, placedError, withArguments } from '../../planner/parameters.ts'
import type { PreparedQuery } from '../../planner/prepare-query.ts'
import type { Statement } from '../../planner/statement-list.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { Clock } from '../../proto/clock.ts'
import { QueryError, unreachable } from '../../proto/errors.ts'
import type { QueryId } from '../../proto/ids.ts'
import { EXPLAIN_COLUMNS, explainFormat } from '../explain-query.ts'
import type { QueryRequest, RunningQuery } from '../running-query.ts'
import type { LoggedQuery } from '../serve/ports.ts'
import { hasEnded } from '../serve/query-times.ts'
import { count, done, type Answer } from './answer.ts'
import type { OwnDescription, OwnInstances, OwnKind } from './own-instances.ts'
import type { IngestMode, IngestTarget } from './write-streams.ts'
import { limited } from './limited.ts'
import { withPivotLists } from './pivot-lists.ts'
import { readStatements, type StatementsIn } from './read-statements.ts'
import { Script, type Step } from './script.ts'
import { keepPrepared, nextTransaction, preparedText, type NameDefaults, type Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { pathIn } from './path.ts'
import type { Description, Preparation, StatementInput } from './statement-input.ts'

export interface ExplainAsked {
  readonly analyze: boolean
  /** As the statement has it; empty: the usual one. */
  readonly format: string
}

export interface StatementsOptions {
  readonly sessions: Sessions
  readonly clock: Clock
  readonly newId: () => string
  readonly queries: {
    /** Throws QUERY_QUEUE_FULL. */
    checkRoom(principal: string): void
    submit(request: QueryRequest): RunningQuery
    get(id: QueryId): RunningQuery | null
    list(): readonly LoggedQuery[]
    kill(id: QueryId): boolean
  }
  readonly statementsIn: StatementsIn
  readonly catalogs: () => CatalogNames
  /** The columns of a statement that reads; it does not run. */
  readonly describe: (request: QueryRequest) => Promise<readonly TableColumn[]>
  /** The same, and its parameters, of one that may have some. */
  readonly prepare: (request: QueryRequest) => Promise<PreparedQuery>
  /** Looks again at the files of what `path` means; rejects if that is nothing, or cannot be loaded. */
  readonly refresh: (path: readonly string[], defaults: NameDefaults) => Promise<void>
  readonly own: OwnInstances
  /** Told of every text at its start and at its end; absent: nobody is. */
  readonly log?: { started(query: LoggedQuery): void; ended(query: LoggedQuery): void }
  readonly explain: (request: QueryRequest, asked: ExplainAsked) => Promise<RunningQuery | Answer>
}

/** Texts that have ended and are not in the log of queries, because the coordinator answered them: the last ones. */
const MAX_ENDED = 1_000

export class Statements {
  readonly #options: StatementsOptions
  /** Running ones, and the last that ended; oldest first. */
  readonly #scripts = new Map<QueryId, Script>()

  constructor(options: StatementsOptions) {
    this.#options = options
  }

  /**
   * Accepts a text and starts it. Throws INVALID_REQUEST for an id that is in use, QUERY_QUEUE_FULL at the limit,
   * UNAVAILABLE while the coordinator drains.
   */
  submit(input: StatementInput): RunningQuery {
    const { sessions, clock, newId, queries, log } = this.#options
    const { session } = input
    const id = input.queryId ?? newId() as QueryId
    if (this.get(id) !== null) throw new QueryError('INVALID_REQUEST', `query id ${id} is in use`)
    queries.checkRoom(session.principal)
    sessions.begin(session)
    const script = new Script({
      id, clock, request: this.#request(input, input.sql, id),
      steps: () => this.#steps(input, id),
      onRelease: () => {
        log?.ended(script)
        sessions.done(session)
      },
    })
    this.#scripts.set(id, script)
    log?.started(script)
    this.#forget()
    return script
  }

  /** Running, or among the last that ended. */
  get(id: QueryId): RunningQuery | null {
    return this.#scripts.get(id) ?? this.#options.queries.get(id)
  }

  /** Those of all doors that run, and the last that ended: newest first. */
  list(): readonly LoggedQuery[] {
    const { queries } = this.#options
    const own = [...this.#scripts.values()].filter(({ id }) => queries.get(id) === null)
    const startedMs = ({ query }: LoggedQuery): number => query?.startedMs ?? 0
    return [...queries.list(), ...own].sort((a, b) => startedMs(b) - startedMs(a))
  }

  /** False if no such query runs. */
  kill(id: QueryId): boolean {
    const script = this.#scripts.get(id)
    if (script === undefined || hasEnded(script)) return this.#options.queries.kill(id)
    script.cancel('killed by an operator')
    return true
  }

  /** What the text would give; nothing runs but the questions of a PIVOT. */
  async describe(input: StatementInput): Promise<Description> {
    const read = (await this.#read(input)).at(-1)
    const last = read?.kind === 'pivot'
      ? await this.#withLists(read.text, input, new AbortController().signal) : read
    if (last === undefined) throw new QueryError('SYNTAX_ERROR', 'the text holds no statement')
    if (dialectIn(input) === null) return this.#describe(last, input)
    return this.#describe(last, input).catch((thrown: unknown) => { throw ofTranslation(thrown, last.text) })
  }

  async #describe(last: Statement, input: StatementInput): Promise<Description> {
    if (last.kind === 'explain') return { columns: EXPLAIN_COLUMNS, isUpdate: false, changes: false }
    const request = this.#request(input, last.text)
    const { own } = this.#options
    if (last.kind === 'change') return described(await own.describe(input.session, request, 'change'))
    if (last.kind !== 'query') return { columns: done.columns, isUpdate: last.kind !== 'execute', changes: false }
    const ownKind = this.#ownKind(last, input)
    if (ownKind !== null) return described(await own.describe(input.session, request, ownKind))
    return { columns: await this.#options.describe(request), isUpdate: false, changes: false }
  }

  /** As `describe`, of a text that may have parameters. */
  async prepare(input: StatementInput): Promise<Preparation> {
    const { sql } = input
    const names = dialectIn(input) === null ? parameterNames(findParameters(sql)) : []
    if (names.length === 0) return { ...await this.describe(input), parameters: [] }
    const nulls = bindText(sql, new Map(names.map(name => [name, 'NULL'])))
    try {
      const statements = await this.#read({ ...input, sql: nulls.sql })
      const [only, ...more] = statements
      if (only?.kind === 'query' && more.length === 0 && this.#ownKind(only, input) === null) {
        return { ...await this.#options.prepare(this.#request(input, sql)), isUpdate: false, changes: false }
      }
      if (only?.kind === 'change' && more.length === 0) {
        const request = this.#request(input, nulls.sql)
        const own = await this.#options.own.describe(input.session, request, 'change', sql)
        const types = new Map(own.parameters.map(({ name, type }) => [name, type]))
        return { ...described(own), parameters: names.map(name => ({ name, type: types.get(name) ?? null })) }
      }
      const whole = await this.describe({ ...input, sql: nulls.sql })
      return { ...whole, parameters: names.map(name => ({ name, type: null })) }
    } catch (thrown) {
      throw placedError(thrown, nulls)
    }
  }

  /** DuckDB's text of one in a foreign dialect. */
  async translated(sql: string, dialect: DialectName): Promise<string> {
    return (await this.#options.statementsIn(sql, dialect)).map(({ text }) => text).join('; ')
  }

  /** As the statement does it; a transaction of a client that says so by other means. */
  async transaction(session: Session, action: 'begin' | 'commit' | 'rollback'): Promise<void> {
    const { sessions } = this.#options
    let answer: RunningQuery | Answer = done
    sessions.begin(session)
    try {
      answer = this.#transaction(action, { session, sql: action, clientInterface: 'ArrowFlightSQL' })
      for await (const _ of answer.frames()) continue
    } finally {
      if ('release' in answer) answer.release()
      sessions.done(session)
    }
  }

  /** Rows into a table of the session: all of them or none; how many. */
  async ingest(
    session: Session, target: IngestTarget, mode: IngestMode, messages: AsyncIterable<RawFlightData>,
    signal: AbortSignal,
  ): Promise<bigint> {
    const { sessions, own } = this.#options
    sessions.begin(session)
    try {
      return await own.ingest(session, target, mode, messages, signal)
    } finally {
      sessions.done(session)
    }
  }

  #transaction(
    action: 'begin' | 'commit' | 'rollback', input: StatementInput, id = this.#options.newId() as QueryId,
  ): RunningQuery | Answer {
    const { session } = input
    const { own } = this.#options
    const next = nextTransaction(session.transaction, action)
    const begun = own.hasBegun(session)
    session.transaction = next
    if (action === 'begin') session.transactions++
    return begun ? own.submit(session, this.#request(input, action.toUpperCase()), 'end', id) : done
  }

  /** What the session's own instance is asked for; null: it is not concerned. */
  #ownKind({ metadata, text }: Extract<Statement, { kind: 'query' }>, input: StatementInput): OwnKind | null {
    if (metadata) return 'list'
    return this.#options.own.concerns(input.session, text, input.catalog) ? 'query' : null
  }

  #read(input: StatementInput): Promise<readonly Statement[]> {
    return readStatements(input.sql, dialectIn(input), input.session, this.#options.statementsIn)
  }

  async #steps(asked: StatementInput, id: QueryId): Promise<readonly Step[]> {
    const statements = await this.#read(asked)
    const input = await this.#withNames(asked, statements)
    return statements.map((statement, i): Step => {
      const isLast = i === statements.length - 1
      const { sql, before } = isLast ? limited(statement, input) : { sql: statement.text, before: 0 }
      return {
        offset: statement.start - before, translation: dialectIn(input) === null ? null : sql,
        run: signal =>
          this.#run({ ...statement, text: sql }, input, isLast ? id : this.#options.newId() as QueryId, signal),
      }
    })
  }

  /** With the names that DuckDB gives to the columns of the text with parameters. */
  async #withNames(input: StatementInput, [only, ...more]: readonly Statement[]): Promise<StatementInput> {
    const { unbound } = input
    if (unbound === undefined || only?.kind !== 'query' || more.length > 0) return input
    if (this.#ownKind(only, input) !== null) return input
    // what is wrong with the text, its run will say at its place
    const prepared = await this.#options.prepare(this.#request(input, unbound)).catch(() => null)
    return prepared === null ? input : { ...input, columnNames: prepared.columns.map(({ name }) => name) }
  }

  async #run(
    statement: Statement, input: StatementInput, id: QueryId, signal: AbortSignal,
  ): Promise<RunningQuery | Answer> {
    const { session, rows } = input
    const { queries, own } = this.#options
    if (rows !== undefined && (statement.kind !== 'change' || dialectIn(input) !== null)) {
      throw new QueryError('INVALID_REQUEST', 'rows of values are bound to a statement that changes nothing')
    }
    switch (statement.kind) {
      case 'query': {
        const request = this.#request(input, statement.text, id)
        const ownKind = this.#ownKind(statement, input)
        return ownKind === null ? queries.submit(request) : own.submit(session, request, ownKind, id)
      }
      case 'set':
        if (statement.value === null) session.settings.delete(statement.name)
        else session.settings.set(statement.name, statement.value)
        return done
      case 'use': {
        Object.assign(session, pathIn(statement.path, session, this.#options))
        return done
      }
      case 'transaction': return this.#transaction(statement.action, input, id)
      case 'prepare':
        keepPrepared(session, statement.name, statement.inner)
        return done
      case 'execute': return this.#execute(statement, input, id, signal)
      case 'deallocate':
        preparedText(session, statement.name)
        session.prepared.delete(statement.name)
        return done
      case 'explain': {
        const { inner, offset, analyze, format } = statement
        const inPlace = inner.padStart(offset + inner.length) // places in it are places in the statement
        const request = this.#request(input, inPlace, id)
        if (!own.concerns(session, inner, input.catalog)) return this.#options.explain(request, { analyze, format })
        // what DuckDB tells of a run names files of the executor
        if (analyze) throw new QueryError('PERMISSION_DENIED', 'no EXPLAIN ANALYZE over objects of a session')
        return own.submit(session, request, 'explain', id, sql => `EXPLAIN (FORMAT ${explainFormat(format)}) ${sql}`)
      }
      case 'refresh': {
        const { defaultCatalog: catalog, defaultSchema: schema } = this.#request(input, statement.text)
        await this.#options.refresh(statement.path, { catalog, schema })
        return done
      }
      case 'change': {
        const request = this.#request(input, statement.text, id)
        if (rows === undefined) return own.submit(session, request, 'change', id)
        return count(await own.repeat(session, request, rows, signal))
      }
      case 'pivot': return this.#run(await this.#withLists(statement.text, input, signal), input, id, signal)
      case 'refused': throw new QueryError(statement.code, statement.message)
      default: return unreachable(statement)
    }
  }

  #withLists(text: string, input: StatementInput, signal: AbortSignal): Promise<Statement> {
    return withPivotLists(text, {
      read: sql => this.#read({ ...input, sql, dialect: null }),
      describe: whole => this.#describe(whole, input),
      run: asked => this.#run(asked, input, this.#options.newId() as QueryId, signal),
    }, signal)
  }

  /** The prepared text with the arguments in the places of its parameters. */
  async #execute(
    { name, arguments: values }: Extract<Statement, { kind: 'execute' }>, input: StatementInput, id: QueryId,
    signal: AbortSignal,
  ): Promise<RunningQuery | Answer> {
    const sql = withArguments(preparedText(input.session, name), values)
    const [inner, ...more] = await this.#read({ ...input, sql, dialect: null })
    if (inner === undefined || more.length > 0) {
      throw new QueryError('UNSUPPORTED_STATEMENT', `the prepared statement "${name}" is not one statement`)
    }
    if (inner.kind === 'execute') throw new QueryError('UNSUPPORTED_STATEMENT', 'EXECUTE of an EXECUTE')
    return this.#run(inner, input, id, signal)
  }

  #request(input: StatementInput, sql: string, queryId?: QueryId): QueryRequest {
    const { session, clientInterface, settings, enums, compression, catalog, schema, columnNames, cache, trace } = input
    const dialect = dialectIn(input)
    return {
      sql, clientInterface, principal: session.principal, sessionId: session.id,
      defaultCatalog: catalog ?? session.catalog, defaultSchema: schema ?? session.schema,
      settings: { ...Object.fromEntries(session.settings), ...settings }, enums: enums ?? session.enums,
      cache: cache !== false && session.cache, ...(compression === undefined ? {} : { compression }),
      ...(input.parallel === true ? { parallel: true } : {}),
      ...(queryId === undefined ? {} : { queryId }), ...(columnNames === undefined ? {} : { columnNames }),
      ...(trace === undefined ? {} : { trace }), ...(dialect === null ? {} : { dialect }),
    }
  }

  /** Ended ones beyond the limit, oldest first. */
  #forget(): void {
    for (const [id, script] of this.#scripts) {
      if (this.#scripts.size <= MAX_ENDED) return
      if (hasEnded(script)) this.#scripts.delete(id)
    }
  }
}

function described({ columns, changes, givesRows }: OwnDescription): Description {
  return { columns, changes, isUpdate: !givesRows }
}

function dialectIn({ dialect, session }: StatementInput): DialectName | null {
  return dialect === undefined ? session.dialect : dialect
}
