/**
 * Transactions that clients name by an id: each is its session's own, of which one is open at a time, so all statements
 * of the session are part of it, whether they name it or not. It ends when it is ended by its id or by the statements
 * COMMIT and ROLLBACK, and with its session; its id is unknown from then on.
 */

import { QueryError } from '../../proto/errors.ts'
import type { Session } from '../session/session.ts'
import type { Statements } from '../session/statements.ts'

interface Named {
  readonly id: string
  /** Which of the session's transactions it is. */
  readonly number: number
}

export class FlightTransactions {
  readonly #statements: Pick<Statements, 'transaction'>
  readonly #newId: () => string
  readonly #named = new WeakMap<Session, Named>()

  constructor(statements: Pick<Statements, 'transaction'>, newId: () => string) {
    this.#statements = statements
    this.#newId = newId
  }

  /** Throws TRANSACTION_ERROR if one is open. */
  async begin(session: Session): Promise<Uint8Array> {
    await this.#statements.transaction(session, 'begin')
    const id = this.#newId()
    this.#named.set(session, { id, number: session.transactions })
    return Buffer.from(id)
  }

  async end(session: Session, id: Uint8Array, action: 'commit' | 'rollback'): Promise<void> {
    if (id.length === 0) throw new QueryError('INVALID_REQUEST', 'no transaction is named')
    this.check(session, id)
    await this.#statements.transaction(session, action)
  }

  /** Throws NOT_FOUND for what is not the session's open transaction; a statement may name none. */
  check(session: Session, id: Uint8Array | undefined): void {
    if (id === undefined || id.length === 0) return
    const named = this.#named.get(session)
    const isOpen = session.transaction === 'open' && named?.number === session.transactions
    if (!isOpen || named.id !== Buffer.from(id).toString()) throw new QueryError('NOT_FOUND', 'unknown transaction')
  }
}
