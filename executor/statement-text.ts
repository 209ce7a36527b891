/**
 * One statement's text without what may follow it: semicolons and comments, which would break a text that is put into
 * parentheses. Knows only what DuckDB's lexer must skip to tell them from the inside of strings and names.
 */

/** Everything that is not plain text, and a run of plain text; sticky, so nothing is skipped. */
const TOKEN = new RegExp([
  "(?<ignored>\\s+|--[^\\n]*|;)", '(?<comment>/\\*)', "[eE]'(?:[^'\\\\]|\\\\.|'')*'", "'(?:[^']|'')*'",
  '"(?:[^"]|"")*"',
  '(?<dollar>\\$(?:[A-Za-z_]\\w*)?\\$)', '\\w+', '.',
].join('|'), 'ysu')

/** Up to the end of its last token. A text that is not closed somewhere is left as it is: DuckDB says what is wrong. */
export function statementText(sql: string): string {
  let end = 0
  for (let at = 0; at < sql.length;) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(sql)
    if (match === null) return sql
    at = TOKEN.lastIndex
    const { ignored, comment, dollar } = match.groups ?? {}
    if (comment !== undefined) at = endOfComment(sql, at)
    if (dollar !== undefined) at = sql.indexOf(dollar, at) === -1 ? sql.length : sql.indexOf(dollar, at) + dollar.length
    if (ignored === undefined && comment === undefined) end = at
  }
  return sql.slice(0, end)
}

/** Comments nest. */
function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = from
  for (let depth = 1; depth > 0;) {
    const match = mark.exec(sql)
    if (match === null) return sql.length
    depth += match[0] === '/*' ? 1 : -1
  }
  return mark.lastIndex
}
