/** The last statement of a text with the limit and the offset that its client gave beside it. */

import type { Statement } from '../../planner/statement-list.ts'
import type { StatementInput } from './statement-input.ts'

const WRAP_BEFORE = 'SELECT * FROM ('

/** With limit and offset applied; `before`: characters that stand before the user's text. */
export function limited(
  { kind, text }: Statement, { limit, offset }: Pick<StatementInput, 'limit' | 'offset'>,
): { sql: string; before: number } {
  const [most, from] = [limit ?? null, offset ?? null]
  if ((kind !== 'query' && kind !== 'pivot') || (most === null && from === null)) return { sql: text, before: 0 }
  const window = `${most === null ? '' : ` LIMIT ${most}`}${from === null ? '' : ` OFFSET ${from}`}`
  return { sql: `${WRAP_BEFORE}${text}\n)${window}`, before: WRAP_BEFORE.length }
}
