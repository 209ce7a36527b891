/** One statement's text without what may follow it: semicolons and comments would break a text in parentheses. */

import { sqlTokens } from '../proto/sql-tokens.ts'

/** Up to the end of its last token. A text that is not closed somewhere is left as it is: DuckDB says what is wrong. */
export function statementText(sql: string): string {
  let end = 0
  for (const { kind, text, end: tokenEnd } of sqlTokens(sql)) {
    if (kind === 'open') return sql
    if (kind !== 'space' && kind !== 'comment' && text !== ';') end = tokenEnd
  }
  return sql.slice(0, end)
}
