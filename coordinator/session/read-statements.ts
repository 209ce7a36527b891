/** The statements of a client's text, as far as all of them may run. */

import type { DialectName } from '../../planner/dialect/dialect.ts'
import type { Statement } from '../../planner/statement-list.ts'
import { QueryError } from '../../proto/errors.ts'
import type { Session } from './session.ts'

/** Rejects with SYNTAX_ERROR, and with what has no translation from a foreign dialect. */
export type StatementsIn = (sql: string, dialect: DialectName | null) => Promise<readonly Statement[]>

/** Rejects with what may not run. */
export async function readStatements(
  sql: string, dialect: DialectName | null, session: Session, statementsIn: StatementsIn,
): Promise<readonly Statement[]> {
  const statements = await statementsIn(sql, dialect)
  const count = statements.length
  for (const [i, statement] of statements.entries()) {
    if (statement.kind !== 'refused') continue
    const { code, message, start } = statement
    const position = statement.position === undefined || dialect !== null ? undefined : statement.position + start
    throw new QueryError(code, count > 1 ? `statement ${i + 1} of ${count}: ${message}` : message, { position })
  }
  if (!session.isKept && endsOpen(statements)) {
    throw new QueryError('TRANSACTION_ERROR', 'a transaction outside a session ends with its request: no COMMIT')
  }
  return statements
}

function endsOpen(statements: readonly Statement[]): boolean {
  const last = statements.findLast(({ kind }) => kind === 'transaction')
  return last?.kind === 'transaction' && last.action === 'begin'
}
