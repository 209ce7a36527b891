/**
 * One client's state on this coordinator, whatever door it came through: who it is, where its names are looked up, its
 * settings, what it has prepared, its transaction, and the instance that holds its own objects, once it has any.
 *
 *   transaction   none ──BEGIN──▶ open ──COMMIT, ROLLBACK──▶ none
 *
 * A session is not saved: it ends when it is closed, unused for too long, or with its coordinator.
 */

import type { DialectName } from '../../planner/dialect/dialect.ts'
import type { Compression } from '../../proto/compression.ts'
import type { EnumForm } from '../../proto/arrow-schema.ts'
import { QueryError, unreachable } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'

export interface NameDefaults {
  readonly catalog: string
  readonly schema: string
}

/** `none`: every statement is its own. */
export type TransactionState = 'none' | 'open'

export interface Session {
  readonly id: SessionId
  /** Fixed: no other principal can use the session. */
  readonly principal: string
  /** False: it ends with its request. */
  readonly isKept: boolean
  /** Where unqualified names are looked up. */
  catalog: string
  schema: string
  /** How ENUM columns go to Arrow clients. */
  enums: EnumForm
  /** Of results over Flight. */
  compression: Compression
  /** Its client can read a large result part by part, from the executors that have made them. */
  parallel: boolean
  /** Of its texts; null: DuckDB's own. */
  dialect: DialectName | null
  /** False: its statements are neither answered with results that were kept, nor are theirs kept. */
  cache: boolean
  /** By DuckDB's names. */
  readonly settings: Map<string, string>
  /** Statement text by name or handle; the oldest go first. */
  readonly prepared: Map<string, string>
  transaction: TransactionState
  /** How many it has begun. */
  transactions: number
  /** Statements that run. */
  running: number
  /** By the clock. */
  lastUsedMs: number
}

/** Of one session; clients that never close theirs lose the oldest. */
const MAX_PREPARED = 1_000

export function newSession(
  id: SessionId, principal: string, { catalog, schema }: NameDefaults, isKept: boolean, nowMs: number,
): Session {
  return {
    id, principal, isKept, catalog, schema, enums: 'text', compression: 'none', parallel: false, dialect: null,
    cache: true, settings: new Map(),
    prepared: new Map(), transaction: 'none', transactions: 0, running: 0, lastUsedMs: nowMs,
  }
}

export function keepPrepared({ prepared }: Session, name: string, sql: string): void {
  prepared.delete(name)
  prepared.set(name, sql)
  const [oldest] = prepared.keys()
  if (prepared.size > MAX_PREPARED && oldest !== undefined) prepared.delete(oldest)
}

export function preparedText({ prepared }: Session, name: string): string {
  const sql = prepared.get(name)
  if (sql === undefined) throw new QueryError('NOT_FOUND', `no prepared statement "${name}" in this session`)
  return sql
}

/** The state after the statement; throws TRANSACTION_ERROR where DuckDB does. */
export function nextTransaction(
  state: TransactionState, action: 'begin' | 'commit' | 'rollback',
): TransactionState {
  switch (action) {
    case 'begin':
      if (state === 'none') return 'open'
      throw new QueryError('TRANSACTION_ERROR', 'cannot start a transaction within a transaction')
    case 'commit': case 'rollback':
      if (state === 'open') return 'none'
      throw new QueryError('TRANSACTION_ERROR', `cannot ${action} - no transaction is active`)
    default: return unreachable(action)
  }
}
