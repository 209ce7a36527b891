/** Changes of a text, and what is said of the new text told of the old one. */

import { QueryError } from '../proto/errors.ts'

/** What stands at [start, end) of the old text becomes `text`; in characters. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  /** A pattern of `text` as DuckDB writes it in the name of a column that has none; absent: it is in no such name. */
  readonly printed?: string
}

/** `edits`: ascending, none within another. */
export function edited(sql: string, edits: readonly Edit[]): string {
  return edits.toReversed().reduce((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), sql)
}

/** Of an error about the new text: its place in the old one; the excerpt that DuckDB shows is of the new one. */
export function ofUnedited(error: unknown, edits: readonly Edit[]): unknown {
  if (!(error instanceof QueryError) || edits.length === 0) return error
  const message = withoutExcerpt(error.message)
  const { position, cause } = error
  if (position === undefined) return new QueryError(error.code, message, { cause })
  return new QueryError(error.code, message, { position: placeBefore(position, edits), cause })
}

/** Without the line of the text that DuckDB shows. */
export function withoutExcerpt(message: string): string {
  return message.replace(/\n\nLINE \d+: [^\n]*\n *\^[^\n]*/, '')
}

/** DuckDB names a column without a name by the expression's text: `name` as it is for the old one. */
export function nameUnedited(name: string, edits: readonly Edit[], sql: string): string {
  return edits.reduce((text, { start, end, printed }) => printed === undefined ? text
    : text.replaceAll(new RegExp(printed, 'g'), () => sql.slice(start, end)), name)
}

function placeBefore(position: number, edits: readonly Edit[]): number {
  let more = 0
  for (const { start, end, text } of edits) {
    if (position < start + more) break
    if (position < start + more + text.length) return start
    more += text.length - (end - start)
  }
  return position - more
}
