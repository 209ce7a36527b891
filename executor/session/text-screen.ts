/**
 * The first wall before a session's statement is bound: binding alone reads the files that a text names, and this
 * instance may read those of the buckets. So no text may call a function that reads files, whatever it is given, or
 * hold a text or a quoted name that is a path to where files can be read. It refuses too much rather than too little;
 * what the statement would do is decided later, on its plan.
 */

import { resolve, sep } from 'node:path'
import { QueryError } from '../../proto/errors.ts'
import { identifier, meaningfulTokens, type SqlToken } from '../../proto/sql-tokens.ts'
import { allowedTableFunctions, metadataFunctions } from '../../proto/table-functions.ts'
import type { DuckConnection } from '../instances.ts'

const TABLE_FUNCTIONS = `SELECT DISTINCT lower(function_name) FROM duckdb_functions()
  WHERE function_type IN ('table', 'table_macro', 'pragma') AND internal`

export class TextScreen {
  readonly #functions: ReadonlySet<string>
  readonly #directories: readonly string[]

  private constructor(functions: ReadonlySet<string>, directories: readonly string[]) {
    this.#functions = functions
    this.#directories = directories
  }

  /** Asks the instance which functions it has. */
  static async open(connection: DuckConnection, directories: readonly string[]): Promise<TextScreen> {
    const names = (await connection.texts(TABLE_FUNCTIONS, [0])).map(([name]) => name ?? '')
    const refused = names.filter(name => !allowedTableFunctions.has(name) && !metadataFunctions.has(name))
    return new TextScreen(new Set(refused), directories)
  }

  /** Throws PERMISSION_DENIED. */
  check(sql: string): void {
    const tokens = meaningfulTokens(sql)
    for (const [i, token] of tokens.entries()) {
      const name = identifier(token)?.toLowerCase()
      if (name !== undefined && tokens[i + 1]?.text === '(' && this.#functions.has(name)) {
        refuse(`the function ${name} is not allowed`, token, sql)
      }
      if (token.kind !== 'text' && token.kind !== 'name') continue
      if (this.#isPath(wholeText(tokens, i))) {
        refuse(`${token.text} is a file's path; files are read through the tables of a catalog`, token, sql)
      }
    }
  }

  #isPath(content: string): boolean {
    const path = resolve(content.replace(/^file:(\/\/(localhost)?)?(?=\/)/i, ''))
    return this.#directories.some(directory => path === directory || path.startsWith(directory + sep))
  }
}

function refuse(message: string, { start }: SqlToken, sql: string): never {
  throw new QueryError('PERMISSION_DENIED', message, { position: Buffer.byteLength(sql.slice(0, start)) })
}

/** Texts that follow one another are one to DuckDB, if a line ends between them. */
function wholeText(tokens: readonly SqlToken[], from: number): string {
  let whole = contentOf(tokens[from]?.text ?? '')
  for (let i = from + 1; tokens[i]?.kind === 'text'; i++) whole += contentOf(tokens[i]?.text ?? '')
  return whole
}

const ESCAPE = /\\(x[0-9a-f]{1,2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[0-7]{1,3}|.)/gi

/** What a text or a quoted name stands for. */
function contentOf(text: string): string {
  const dollar = /^\$[^$]*\$/.exec(text)?.[0]
  if (dollar !== undefined) return text.slice(dollar.length, -dollar.length)
  if (text.startsWith('"')) return text.slice(1, -1).replaceAll('""', '"')
  const plain = text.replace(/^[eE](?=')/, '').slice(1, -1).replaceAll("''", "'")
  return /^[eE]/.test(text) ? plain.replace(ESCAPE, unescaped) : plain
}

function unescaped(_: string, escape: string): string {
  const kind = escape[0] ?? ''
  if (/[xuU]/.test(kind) && escape.length > 1) return String.fromCodePoint(parseInt(escape.slice(1), 16))
  if (/[0-7]/.test(kind)) return String.fromCodePoint(parseInt(escape, 8))
  return kind
}
