/**
 * Prepared statements of Flight clients.
 *
 * A binding is used by one execution. Most clients bind before GetFlightInfo, which then executes; some bind after it,
 * and mean DoGet to execute. So GetFlightInfo without a fresh binding, of a statement that needs one, gives the columns
 * and a ticket with which DoGet executes what was bound meanwhile.
 */

import type { TableColumn } from '../../catalog/table.ts'
import { bindText, findParameters, parameterNames, type BoundText } from '../../planner/parameters.ts'
import type { PreparedParameter } from '../../planner/prepare-query.ts'
import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import type { Preparation } from '../session/statement-input.ts'
import type { Binding } from './flight-binding.ts'

/** Of one session; clients that never close theirs lose the oldest. */
export const MAX_PREPARED = 1_000
/** A query of several bound rows is one text. */
const MAX_QUERY_ROWS = 1_000

export interface Prepared {
  readonly sql: string
  readonly columns: readonly TableColumn[]
  readonly parameters: readonly PreparedParameter[]
  readonly changes: boolean
  /** A change that gives rows. */
  readonly returning: boolean
  /** The last one bound; null: none since the last execution. */
  binding: Binding | null
}

export class PreparedStatements {
  readonly #sessions = new Map<SessionId, Map<string, Prepared>>()
  readonly #newId: () => string

  constructor(newId: () => string) {
    this.#newId = newId
  }

  /** The handle of the statement. */
  add(session: SessionId, sql: string, { columns, parameters, changes, isUpdate }: Preparation): string {
    const handle = this.#newId()
    const statements = this.#sessions.get(session) ?? new Map<string, Prepared>()
    statements.set(handle, { sql, columns, parameters, changes, returning: changes && !isUpdate, binding: null })
    this.#sessions.set(session, statements)
    const [oldest] = statements.keys()
    if (statements.size > MAX_PREPARED && oldest !== undefined) statements.delete(oldest)
    return handle
  }

  /** Throws NOT_FOUND for another session's too. */
  get(session: SessionId, handle: Uint8Array): Prepared {
    const found = this.#sessions.get(session)?.get(Buffer.from(handle).toString())
    if (found === undefined) throw new QueryError('NOT_FOUND', 'no such prepared statement in this session')
    return found
  }

  /** Of what is not known nothing is done. */
  close(session: SessionId, handle: Uint8Array): void {
    const statements = this.#sessions.get(session)
    statements?.delete(Buffer.from(handle).toString())
    if (statements?.size === 0) this.#sessions.delete(session)
  }

  endSession(session: SessionId): void {
    this.#sessions.delete(session)
  }
}

/** It cannot run before values are bound. */
export function needsBinding({ parameters, binding }: Prepared): boolean {
  return parameters.length > 0 && binding === null
}

/** What runs. */
export interface BoundStatement {
  readonly text: BoundText
  /** Of a change, a text for each row of values, which run in the place of `text`; undefined: it runs itself. */
  readonly rows: Iterable<string> | undefined
}

/**
 * The statement with what is bound, which is used up. Rows of values are a change each, all or none; of a query they
 * are one text, whose rows follow each other.
 */
export function boundStatement(prepared: Prepared): BoundStatement {
  const { sql, parameters, binding, changes } = prepared
  prepared.binding = null
  if (binding === null || parameters.length === 0) return { text: bindText(sql, new Map()), rows: undefined }
  const names = parameterNames(findParameters(sql))
  const texts = function* (): Generator<BoundText> {
    for (const values of binding.rows(names)) yield bindText(sql, values)
  }
  if (binding.rowCount === 1) {
    const [only] = texts()
    if (only !== undefined) return { text: only, rows: undefined }
  }
  if (changes) {
    const rows = function* (): Generator<string> {
      for (const text of texts()) yield text.sql
    }
    return { text: bindText(sql, binding.sample(names)), rows: rows() }
  }
  if (binding.rowCount === 0) throw new QueryError('INVALID_REQUEST', 'no row of values is bound')
  if (binding.rowCount > MAX_QUERY_ROWS) {
    const message = `${binding.rowCount} rows are bound to a query, more than ${MAX_QUERY_ROWS}`
    throw new QueryError('INVALID_REQUEST', message)
  }
  // a text may end in a semicolon, or in a comment
  const bare = [...texts()].map(text => `SELECT * FROM (${text.sql.replace(/[\s;]+$/, '')}\n)`)
  return { text: { sql: bare.join(' UNION ALL '), originalPosition: position => position }, rows: undefined }
}
