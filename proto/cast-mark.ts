/**
 * The comment inside an emitted CAST that leads back to the user's text: when a value does not fit, DuckDB names the
 * place of the CAST in the text that it runs, and its column there, which are ours.
 *
 *   CAST(@41 amount t2.c0 AS INTEGER)     with the signs of a comment around `@41 amount`
 */

/** What DuckDB would say of the user's own text. */
export interface CastOrigin {
  /** Where the cast stands, in bytes from 0. */
  readonly offset: number
  /** The column that it casts; null: an expression. */
  readonly column: string | null
}

const MARK = /^CAST\(\/\*@(\d+)(?: ([^*]*))?\*\/ /
/** Bytes that a mark is searched in. */
const MAX_MARK_BYTES = 1024

/** What stands behind `CAST(`; empty for a cast that the user did not write. */
export function castMark(origin: CastOrigin | null): string {
  if (origin === null) return ''
  const { offset, column } = origin
  return `/*@${offset}${column === null ? '' : ` ${encode(column)}`}*/ `
}

/** The mark of the CAST that begins at a place of `sql`, in bytes; undefined if there is none. */
export function readCastMark(sql: string, at: number): CastOrigin | undefined {
  const text = Buffer.from(sql).subarray(at, at + MAX_MARK_BYTES).toString()
  const [, offset, column] = MARK.exec(text) ?? []
  if (offset === undefined) return undefined
  return { offset: Number(offset), column: column === undefined ? null : decodeURIComponent(column) }
}

/** For people. */
export function withoutCastMarks(sql: string): string {
  return sql.replace(/(?<=CAST\()\/\*@\d+[^*]*\*\/ /g, '')
}

/** Without what would end the comment or begin another one. */
function encode(column: string): string {
  return encodeURIComponent(column).replaceAll('*', '%2A')
}
