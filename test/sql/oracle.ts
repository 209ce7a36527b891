/**
 * One plain DuckDB over the same files: what it answers is right. Scalars leave it as DuckDB's own text, nested values
 * as trees whose leaves are text.
 */

import { join } from 'node:path'
import {
  DuckDBArrayValue, DuckDBInstance, DuckDBListValue, DuckDBMapValue, DuckDBStructValue, type DuckDBConnection,
  type DuckDBValue,
} from '../duckdb.ts'
import type { Answer, Cell } from './answer.ts'

export interface OracleTable {
  readonly catalog: string
  readonly name: string
  readonly glob: string
  /** DuckDB's table function. */
  readonly reader: string
  /** Of it, as they stand behind its files. */
  readonly options?: string
}

export class Oracle {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance
    this.#connection = connection
  }

  /**
   * Tables appear as views `catalog.main.name`; names without a catalog are looked up in `defaultCatalog`. A shuffled
   * oracle reads the files of a table in the opposite order and keeps no order that a query does not ask for.
   */
  static async open(
    folder: string, tables: readonly OracleTable[], defaultCatalog: string, { shuffled = false } = {},
  ): Promise<Oracle> {
    const instance = await DuckDBInstance.create(':memory:', { threads: shuffled ? '1' : '2' })
    const connection = await instance.connect()
    await connection.run("SET TimeZone = 'UTC'")
    await connection.run(`SET preserve_insertion_order = ${!shuffled}`)
    for (const catalog of new Set([defaultCatalog, ...tables.map(table => table.catalog)])) {
      await connection.run(`ATTACH ':memory:' AS ${catalog}`)
    }
    for (const { catalog, name, glob, reader, options = '' } of tables) {
      const found = await connection.runAndReadAll(`SELECT file FROM glob('${join(folder, glob)}') ORDER BY file`)
      const files = found.getRows().map(([file]) => `'${String(file)}'`)
      if (shuffled) files.reverse()
      await connection.run(`CREATE VIEW ${catalog}.main.${name} AS FROM ${reader}([${files.join(', ')}]${options})`)
    }
    await connection.run(`USE ${defaultCatalog}`)
    return new Oracle(instance, connection)
  }

  /** Of a statement that is no query nothing is told. */
  async change(sql: string): Promise<void> {
    await this.#connection.run(sql)
  }

  /** Rejects with DuckDB's error. */
  async run(sql: string): Promise<Answer> {
    (await this.#connection.prepare(sql)).destroySync() // an error of the text as it stands
    const described = (await this.#connection.runAndReadAll(`SELECT column_name, column_type FROM (DESCRIBE ${sql})`))
    const columns = described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
    const names = columns.map((_, i) => `c${i}`)
    const cells = columns.map(({ type }, i) => isNested(type) ? `c${i}` : `c${i}::VARCHAR`)
    const result = await this.#connection.runAndReadAll(
      `SELECT ${cells.join(', ')} FROM (${sql}\n) q(${names.join(', ')})`)
    return { columns, rows: result.getRows().map(row => row.map(cell)) }
  }

  close(): void {
    this.#instance.closeSync()
  }
}

/** UNION is text on every wire. */
function isNested(type: string): boolean {
  return /^(STRUCT|MAP)\(|\]$/.test(type)
}

function cell(value: DuckDBValue): Cell {
  if (value === null) return null
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(cell)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, field]) => [name, cell(field)]))
  }
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(value.entries.map(({ key, value }) => [String(key), cell(value)]))
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return infinite(value)
  return String(value)
}

/** DuckDB's spelling. */
function infinite(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}
