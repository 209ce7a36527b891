/**
 * Lines of a shell as they come, and the statements that they complete: what stands before a semicolon that is outside
 * of texts, quoted names and comments. A line that begins with a backslash, where no statement has begun, is a command.
 */

import { QueryError } from '../../proto/errors.ts'
import { meaningfulTokens, sqlTokens } from '../../proto/sql-tokens.ts'

/** As long as a request may be, in characters: more could not be sent. */
const MAX_CHARACTERS = 16 * 1024 * 1024

export type ShellEntry =
  | { readonly kind: 'statement'; readonly sql: string }
  | { readonly kind: 'command'; readonly line: string }

export class StatementBuffer {
  #text = ''

  /** What waits for its semicolon; empty: nothing. */
  get pending(): string {
    return this.#text
  }

  /** What ends in this line, statements without their semicolons. Throws INVALID_REQUEST for what grows too long. */
  add(line: string): readonly ShellEntry[] {
    const isFirst = this.#text === ''
    if (isFirst && line.startsWith('\\')) return [{ kind: 'command', line }]
    this.#text += isFirst ? line : `\n${line}`
    if (this.#text.length > MAX_CHARACTERS) {
      this.clear()
      throw new QueryError('INVALID_REQUEST', `a statement of more than ${MAX_CHARACTERS} characters`)
    }
    // without a semicolon nothing ends, and a long statement is not read again at each of its lines
    if (!isFirst && !line.includes(';')) return []
    const statements: ShellEntry[] = []
    const add = (sql: string): void => { if (!isEmpty(sql)) statements.push({ kind: 'statement', sql: sql.trim() }) }
    let from = 0
    for (const { kind, text, start, end } of sqlTokens(this.#text)) {
      if (kind !== 'symbol' || text !== ';') continue
      add(this.#text.slice(from, start))
      from = end
    }
    this.#text = this.#text.slice(from)
    if (isEmpty(this.#text)) this.clear()
    return statements
  }

  /** What waits is a statement now, for nothing more will come; undefined: there is none. */
  rest(): ShellEntry | undefined {
    const sql = this.#text.trim()
    this.clear()
    return isEmpty(sql) ? undefined : { kind: 'statement', sql }
  }

  clear(): void {
    this.#text = ''
  }
}

/** Nothing but space and comments. */
function isEmpty(sql: string): boolean {
  return meaningfulTokens(sql).length === 0
}
