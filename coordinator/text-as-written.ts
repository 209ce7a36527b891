/** Errors about a text in which names stand for files, told of the text as its user wrote it; both are equally long. */

import type { TableColumn } from '../catalog/table.ts'
import type { NamedFiles } from '../planner/file-references.ts'
import { QueryError } from '../proto/errors.ts'

/** DuckDB shows the line, cut at both ends, with `...` where it was cut. */
const LINE = /(\nLINE (\d+): )((?:\.\.\.)?)([^\n]*?)((?:\.\.\.)?)(\n *\^)/

export function asWritten(error: unknown, text: string, written: string): unknown {
  if (!(error instanceof QueryError) || text === written) return error
  const message = error.message.replace(LINE, (all, ...groups: unknown[]) => {
    const [head, number, before, shown = '', after, caret] = groups.map(String)
    const index = Number(number) - 1
    const [own, other] = [text.split('\n')[index] ?? '', written.split('\n')[index] ?? '']
    const at = own.indexOf(shown)
    if (at < 0 || own.length !== other.length) return all
    return `${head}${before}${other.slice(at, at + shown.length)}${after}${caret}`
  })
  return message === error.message ? error
    : new QueryError(error.code, message, { position: error.position, cause: error.cause })
}

/** DuckDB names a column without a name by the expression's text. */
export function namesAsWritten(
  columns: readonly TableColumn[], files: readonly NamedFiles[], written: string,
): readonly TableColumn[] {
  if (files.length === 0) return columns
  return columns.map(column => {
    const name = files.reduce((text, { name, start, end }) => {
      const relation = new RegExp(`\\b${name}\\b(?: AS (?:"[^"]*"|\\w+))?`, 'g')
      return text.replaceAll(relation, () => written.slice(start, end))
    }, column.name)
    return name === column.name ? column : { ...column, name }
  })
}
