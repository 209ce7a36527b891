/**
 * The planner's door to DuckDB: a fenced instance and its connections.
 *
 * Fenced means: it reads the named directories and files and nothing else, loads no extension, and cannot be opened up
 * again (`enable_external_access=false` is one-way). The order of the settings matters: what names paths comes first.
 * Planning never spills: without a temporary directory, what outgrows the memory limit fails.
 */

import type * as DuckDB from '@duckdb/node-api'
import type { TableColumn } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { required } from '../proto/required.ts'
import { quoteName, quoteText } from '../proto/sql-text.ts'

const { DuckDBInstance, JSDuckDBValueConverter } = required<typeof DuckDB>('@duckdb/node-api')

export interface Fence {
  /** Directories that may be read, with all below them. */
  readonly directories: readonly string[]
  /** Single files that may be read. */
  readonly files: readonly string[]
}

/** The empty database that connections start in; the first one's name, `memory`, is left to catalogs. */
export const HOME_DATABASE = 'skein planner'

/** The number that `statementType` has for what gives rows: SELECT, VALUES, DESCRIBE, and PRAGMAs turned into them. */
export const SELECT_STATEMENT = 1

export class Database {
  readonly #instance: DuckDB.DuckDBInstance

  private constructor(instance: DuckDB.DuckDBInstance) {
    this.#instance = instance
  }

  /** `settings` are instance-wide, by DuckDB's names; they are set before the fence closes. */
  static async open(fence: Fence, settings: Readonly<Record<string, string>>): Promise<Database> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1', autoload_known_extensions: 'false', autoinstall_known_extensions: 'false',
    })
    const connection = await instance.connect()
    const list = (paths: readonly string[]): string => `[${paths.map(quoteText).join(', ')}]`
    const home = quoteName(HOME_DATABASE)
    const statements = [
      `ATTACH ':memory:' AS ${home}`, `USE ${home}`, 'DETACH memory',
      ...Object.entries(settings).map(([name, value]) => `SET ${name} = ${quoteText(value)}`),
      `SET temp_directory = ''`,
      `SET enable_external_file_cache = false`,
      `SET allowed_directories = ${list(fence.directories)}`,
      `SET allowed_paths = ${list(fence.files)}`,
      `SET enable_external_access = false`,
    ]
    await connection.run(statements.join('; '))
    connection.closeSync()
    return new Database(instance)
  }

  /** Its connections optimise by this step alone, as far as they optimise. */
  async leaveOptimizer(step: string): Promise<void> {
    const connection = await this.connect()
    const all = await connection.rows('SELECT name FROM duckdb_optimizers()')
    const others = all.map(([name]) => String(name)).filter(name => name !== step)
    await connection.run(`SET disabled_optimizers = ${quoteText(others.join(','))}`)
    connection.close()
  }

  async connect(): Promise<Connection> {
    const connection = await this.#instance.connect()
    await connection.run(`USE ${quoteName(HOME_DATABASE)}`)
    return new Connection(connection)
  }

  close(): void {
    this.#instance.closeSync()
  }
}

/** What a text is to DuckDB once its names are resolved. */
export interface BoundStatement {
  readonly statementType: number
  readonly columns: readonly TableColumn[]
}

export interface StatementParameter {
  readonly name: string
  /** DuckDB's text of it; null: any. */
  readonly type: string | null
}

/** Calls `f` on a text and gives the text it returns; keeps the prepared statement. */
export type TextFunction = (argument: string) => Promise<string>

/** One call at a time. Temporary views and settings of the session live and end with it. */
export class Connection {
  readonly #connection: DuckDB.DuckDBConnection

  constructor(connection: DuckDB.DuckDBConnection) {
    this.#connection = connection
  }

  async run(sql: string): Promise<void> {
    await this.#connection.run(sql)
  }

  /** The rows as JavaScript values; for small results only. */
  async rows(sql: string): Promise<readonly (readonly unknown[])[]> {
    return rowsIn(await this.#connection.run(sql))
  }

  /** As `rows`; `sql` has one parameter, $1, a text. */
  async rowsOf(sql: string, argument: string): Promise<readonly (readonly unknown[])[]> {
    return rowsIn(await this.#connection.run(sql, [argument]))
  }

  /** `sql` has one parameter, $1, a text, and gives one text. */
  async textFunction(sql: string): Promise<TextFunction> {
    const prepared = await this.#connection.prepare(sql)
    return async argument => {
      prepared.bindVarchar(1, argument)
      return String(rowsIn(await prepared.run())[0]?.[0])
    }
  }

  /** How many statements DuckDB's parser sees; a PIVOT can be two. Binds nothing. */
  async countStatements(sql: string): Promise<number> {
    try {
      return (await this.#connection.extractStatements(sql)).count
    } catch (cause) {
      // DuckDB's class of error comes first in every other message
      throw new Error((cause as Error).message.replace(/^Failed to extract statements: /, ''), { cause })
    }
  }

  /** Binds without running: rejects with DuckDB's message if a name, a function or a type does not fit. */
  async bind(sql: string): Promise<BoundStatement> {
    const prepared = await this.#connection.prepare(sql)
    try {
      const columns = Array.from({ length: prepared.columnCount }, (_, i) => {
        return { name: prepared.columnName(i), type: typeOf(prepared, i) }
      })
      const statementType: number = prepared.statementType
      const isExact = statementType !== SELECT_STATEMENT || !columns.some(column => isNested(column.type))
      return { statementType, columns: isExact ? columns : await this.#exactTypes(sql, columns) }
    } finally {
      prepared.destroySync()
    }
  }

  async parameters(sql: string): Promise<readonly StatementParameter[]> {
    const prepared = await this.#connection.prepare(sql)
    try {
      return Array.from({ length: prepared.parameterCount }, (_, i) => {
        return { name: prepared.parameterName(i + 1).toLowerCase(), type: parameterType(prepared, i + 1) }
      })
    } finally {
      prepared.destroySync()
    }
  }

  /** Names alone depend on no value, so every parameter is NULL. */
  async describedNames(sql: string): Promise<readonly string[]> {
    const prepared = await this.#connection.prepare(`DESCRIBE ${sql}`)
    try {
      for (let i = 1; i <= prepared.parameterCount; i++) prepared.bindNull(i)
      return rowsIn(await prepared.run()).map(([name]) => String(name))
    } finally {
      prepared.destroySync()
    }
  }

  /** Inside nested types the binding loses aliases (JSON) and unnamed fields; DESCRIBE has them. */
  async #exactTypes(sql: string, columns: readonly TableColumn[]): Promise<readonly TableColumn[]> {
    const described = await this.rows(`DESCRIBE ${sql}`).catch(() => [])
    if (described.length !== columns.length) return columns
    return columns.map(({ name }, i) => ({ name, type: String(described[i]?.[1]) }))
  }

  close(): void {
    this.#connection.closeSync()
  }
}

/** All of it is in memory: asking DuckDB for its parts one by one would cost a change of threads each. */
function rowsIn(result: DuckDB.DuckDBMaterializedResult): readonly (readonly unknown[])[] {
  return Array.from({ length: result.chunkCount }, (_, i) => result.getChunk(i))
    .flatMap(chunk => chunk.convertRows(JSDuckDBValueConverter))
}

/** The call throws for one that any value fits. */
function parameterType(prepared: DuckDB.DuckDBPreparedStatement, parameter: number): string | null {
  try {
    const type = prepared.parameterType(parameter)
    return type.alias ?? type.toString()
  } catch {
    return null
  }
}

/** The state of an aggregate is the one type that the binding does not know. */
function typeOf(prepared: DuckDB.DuckDBPreparedStatement, column: number): string {
  try {
    const type = prepared.columnType(column)
    return type.alias ?? type.toString()
  } catch (cause) {
    const name = prepared.columnName(column)
    throw new QueryError('UNSUPPORTED_STATEMENT', `no client can read the type of column ${name}`, { cause })
  }
}

function isNested(type: string): boolean {
  return type.endsWith(']') || /^(STRUCT|MAP|UNION)\(/.test(type)
}
