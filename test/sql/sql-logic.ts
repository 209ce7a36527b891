/**
 * SQL cases as text. A file `*.test.sql` holds cases, separated by empty lines; a case is comment lines, the first of
 * which is its name, and one statement that ends with a semicolon:
 *
 *   -- an anti join keeps the rows without a partner
 *   -- whole
 *   SELECT …;
 *
 *   -- whole           it runs whole on one executor, and says why
 *   -- spread          it does not, if distribution is forced
 *   -- unordered       rows are compared as a set although the statement has an ORDER BY
 *   -- error: TEXT     it fails; the message holds TEXT. An upper-case word is the error's code
 *   -- value: TEXT     besides, the first cell of the first row is TEXT
 *
 * A comment of several lines at the head of a file, followed by an empty line, belongs to no case.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { difference, type Answer } from './answer.ts'

export interface SqlCase {
  /** File and line. */
  readonly place: string
  readonly name: string
  readonly sql: string
  readonly ordered: boolean
  readonly where: 'whole' | 'spread' | 'anywhere'
  readonly errors: readonly string[]
  readonly value: string | undefined
}

/** What the tested side answers. */
export type Outcome =
  | { readonly kind: 'rows'; readonly answer: Answer; readonly wholeReason: string | null }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }

/** All cases of a folder, files in the order of their names. */
export function readCases(folder: URL): SqlCase[] {
  return readdirSync(folder).filter(name => name.endsWith('.test.sql')).sort()
    .flatMap(name => parseCases(name, readFileSync(new URL(name, folder), 'utf8')))
}

export function parseCases(file: string, text: string): SqlCase[] {
  let line = 1
  return text.split(/\n(?=\n)/).flatMap(block => {
    const lines = block.split('\n')
    const start = line + lines.findIndex(text => text !== '')
    line += lines.length
    const comments = lines.filter(text => text.startsWith('-- ')).map(text => text.slice(3).trim())
    const sql = lines.filter(text => !text.startsWith('-- ')).join('\n').trim()
    return sql === '' ? [] : [sqlCase(`${file}:${start}`, comments, sql)]
  })
}

function sqlCase(place: string, [name, ...directives]: readonly string[], sql: string): SqlCase {
  if (name === undefined) throw new Error(`${place}: the case has no name`)
  if (!sql.endsWith(';')) throw new Error(`${place}: the statement does not end with a semicolon`)
  const after = (word: string): string[] => directives.filter(text => text.startsWith(`${word}: `))
    .map(text => text.slice(word.length + 2))
  const known = directives.filter(text => /^(whole|spread|unordered)$|^(error|value): /.test(text))
  if (known.length < directives.length) throw new Error(`${place}: unknown directive in ${directives.join(', ')}`)
  const where = directives.includes('whole') ? 'whole' : directives.includes('spread') ? 'spread' : 'anywhere'
  return {
    place, name, sql: sql.slice(0, -1), where, errors: after('error'), value: after('value')[0],
    ordered: !directives.includes('unordered') && ordersRows(sql),
  }
}

/** True if an ORDER BY stands outside all parentheses. */
function ordersRows(sql: string): boolean {
  let text = sql.replaceAll(/'(?:[^']|'')*'/g, "''")
  for (let before = ''; before !== text;) {
    before = text
    text = text.replaceAll(/\([^()]*\)/g, ' ')
  }
  return /\border\s+by\b/i.test(text)
}

/** Compares with the oracle; the fault in words, or undefined. `forced`: distribution is forced on the tested side. */
export function judge(test: SqlCase, oracle: Answer | Error, outcome: Outcome, forced: boolean): string | undefined {
  if (test.errors.length > 0) return judgeError(test, oracle, outcome)
  if (oracle instanceof Error) return `plain DuckDB fails: ${oracle.message}`
  if (outcome.kind === 'error') return `fails with ${outcome.code}: ${outcome.message}`
  if (test.where === 'whole' && outcome.wholeReason === null) return 'does not run whole'
  if (test.where === 'spread' && forced && outcome.wholeReason !== null) return `runs whole: ${outcome.wholeReason}`
  if (test.value !== undefined && oracle.rows[0]?.[0] !== test.value) {
    return `plain DuckDB gives ${JSON.stringify(oracle.rows[0]?.[0])}, not ${test.value}`
  }
  return difference(oracle, outcome.answer, test.ordered)
}

function judgeError(test: SqlCase, oracle: Answer | Error, outcome: Outcome): string | undefined {
  if (outcome.kind === 'rows') return `gives ${outcome.answer.rows.length} rows, not an error`
  const isCode = (text: string): boolean => /^[A-Z_]+$/.test(text)
  for (const text of test.errors) {
    if (isCode(text) ? outcome.code !== text : !outcome.message.includes(text)) {
      return `fails with ${outcome.code}: ${outcome.message}, not with ${text}`
    }
    if (!isCode(text) && !(oracle instanceof Error && oracle.message.includes(text))) {
      return `plain DuckDB does not fail with ${text}: ${oracle instanceof Error ? oracle.message : 'it answers'}`
    }
  }
  return undefined
}
