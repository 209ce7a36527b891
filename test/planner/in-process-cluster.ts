/**
 * A cluster in one process, to prove plans: every task is a connection of a plain DuckDB, every exchange a set of real
 * Parquet files written as executors write them. No scheduler, no network, no retries: what is wrong here is the plan.
 */

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TableColumn } from '../../catalog/table.ts'
import { exchangeFormat } from '../../executor/exchange-writer.ts'
import { inputName, scanName, type Fragment, type FragmentInput, type FragmentScan } from '../../planner/fragment.ts'
import { quoteName, quoteText } from '../../proto/sql-text.ts'

/** A table of several files that lie in one folder. */
export interface ClusterTable {
  readonly columns: readonly TableColumn[]
  readonly files: readonly string[]
}

export interface Answer {
  readonly types: readonly string[]
  /** DuckDB's JSON form of each value. */
  readonly rows: readonly (readonly unknown[])[]
}

/** What one task wrote, by partition. */
type Written = ReadonlyMap<number, readonly string[]>

export class InProcessCluster {
  readonly #executors: readonly DuckDBInstance[]
  readonly #tables: readonly ClusterTable[]
  readonly #folder: string
  #queries = 0

  private constructor(executors: readonly DuckDBInstance[], tables: readonly ClusterTable[], folder: string) {
    this.#executors = executors
    this.#tables = tables
    this.#folder = folder
  }

  /** `folder` is for exchange files and is removed by `close`. Tables in the order of PlanRequest.tables. */
  static async open(count: number, tables: readonly ClusterTable[], folder: string): Promise<InProcessCluster> {
    const settings = { threads: '1', preserve_insertion_order: 'false', enable_external_file_cache: 'false' }
    const create = (): Promise<DuckDBInstance> => DuckDBInstance.create(':memory:', settings)
    const executors = await Promise.all(Array.from({ length: count }, create))
    return new InProcessCluster(executors, tables, folder)
  }

  async close(): Promise<void> {
    for (const executor of this.#executors) executor.closeSync()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Runs the fragments in order, each on as many executors as it has tasks, and gives the rows of the last one. */
  async run(fragments: readonly Fragment[], settings: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const folder = join(this.#folder, `q${this.#queries++}`)
    const written = new Map<number, readonly Written[]>()
    const run: Run = { folder, fragments, written, settings }
    try {
      for (const fragment of fragments) {
        if (fragment.output.kind === 'result') return await this.#result(fragment, run)
        const target = join(folder, String(fragment.id))
        await mkdir(target, { recursive: true })
        written.set(fragment.id, await this.#tasks(fragment, run, (connection, head, task) =>
          this.#write(connection, head, fragment, join(target, String(task)))))
      }
      throw new Error('no fragment has a result')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** The rows of all its tasks, in no order where they are several. */
  async #result(fragment: Fragment, run: Run): Promise<Answer> {
    const parts = await this.#tasks(fragment, run, (connection, head) =>
      answer(connection, head === '' ? fragment.sql : `${head}FROM (${fragment.sql})`))
    const types = new Set(parts.map(part => part.types.join()))
    if (types.size > 1) throw new Error(`the tasks of the result give other types: ${[...types].join(' and ')}`)
    return { types: parts[0]?.types ?? [], rows: parts.flatMap(({ rows }) => rows) }
  }

  /** On as many executors as the fragment has tasks. */
  #tasks<T>(
    fragment: Fragment, run: Run, work: (connection: DuckDBConnection, head: string, task: number) => Promise<T>,
  ): Promise<T[]> {
    const count = fragment.tasks === 'one' ? 1 : this.#executors.length
    return Promise.all(Array.from({ length: count }, (_, task) =>
      this.#task(fragment, task, run, (connection, head) => work(connection, head, task))))
  }

  async #task<T>(
    fragment: Fragment, task: number, run: Run, work: (connection: DuckDBConnection, head: string) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#executors[task]?.connect()
    if (connection === undefined) throw new Error(`no executor ${task}`)
    try {
      for (const [name, value] of Object.entries(run.settings)) {
        await connection.run(`SET SESSION ${name} = ${quoteText(value)}`)
      }
      const relations = [
        ...fragment.scans.map(scan => ({ name: scanName(scan.id), sql: this.#scanSelect(scan, task) })),
        ...fragment.inputs.map(input => ({ name: inputName(input), sql: inputSelect(input, task, run) })),
      ].map(({ name, sql }) => `${name} AS NOT MATERIALIZED (${this.#restricted(name, sql, fragment, task)})`)
      return await work(connection, relations.length === 0 ? '' : `WITH ${relations.join(', ')} `)
    } finally {
      connection.closeSync()
    }
  }

  /** More than any executor would: without all rows whose values its own part does not have. */
  #restricted(name: string, sql: string, { scans, restrictions }: Fragment, task: number): string {
    const needs = restrictions.filter(({ relation }) => relation === name).map(({ column, by }) => {
      const scan = scans.find(({ id }) => id === by.scan)
      if (scan?.reads !== 'split') throw new Error(`${name} is restricted by what is in no splits`)
      const own = this.#columnName(scan, by.column)
      const restricted = scans.find(({ id }) => scanName(id) === name)
      const key = restricted === undefined ? `c${column}` : this.#columnName(restricted, column)
      return `${key} IN (SELECT ${own} FROM (${this.#scanSelect(scan, task)}))`
    })
    return needs.length === 0 ? sql : `SELECT * FROM (${sql}) WHERE ${needs.join(' AND ')}`
  }

  #columnName({ table }: FragmentScan, position: number): string {
    const name = this.#tables[table]?.columns[position]?.name
    if (name === undefined) throw new Error(`table ${table} has no column ${position}`)
    return quoteName(name)
  }

  #scanSelect(scan: FragmentScan, task: number): string {
    const table = this.#tables[scan.table]
    if (table === undefined) throw new Error(`no table ${scan.table}`)
    const files = table.files.filter((_, i) => scan.reads === 'all' || i % this.#executors.length === task)
    const columns = table.columns.map(column => ({ ...column, from: column.name }))
    return select(columns, files)
  }

  async #write(
    connection: DuckDBConnection, head: string, { sql, output, columns }: Fragment, target: string,
  ): Promise<Written> {
    const keys = output.kind === 'hash' ? output.keys : []
    const list = columns.map(({ wireType }, i) => `CAST(c${i} AS ${wireType}) AS w${i}`)
    if (keys.length > 0) list.push(`CAST(hash(${keys.join(', ')}) % ${this.#executors.length} AS INTEGER) AS part`)
    const format = `${exchangeFormat(columns.map(({ wireType }) => wireType))}, RETURN_STATS true`
    const options = keys.length > 0 ? `${format}, PARTITION_BY (part)` : format
    const path = keys.length > 0 ? target : `${target}.parquet`
    const names = columns.map((_, i) => `c${i}`).join(', ')
    const copied = await connection.runAndReadAll(
      `COPY (${head}SELECT ${list.join(', ')} FROM (\n${sql}\n) AS fragment(${names}))
        TO ${quoteText(path)} (${options})`)
    const written = new Map<number, string[]>()
    for (const [file, count] of copied.getRowsJson()) {
      if (Number(count) === 0) continue
      const partition = Number(/\/part=(\d+)\/[^/]*$/.exec(String(file))?.[1] ?? 0)
      written.set(partition, [...written.get(partition) ?? [], String(file)])
    }
    return written
  }
}

interface Run {
  readonly folder: string
  readonly fragments: readonly Fragment[]
  readonly written: ReadonlyMap<number, readonly Written[]>
  readonly settings: Readonly<Record<string, string>>
}

function inputSelect(input: FragmentInput, task: number, { fragments, written }: Run): string {
  const { fragment: id, kind } = input
  const columns = fragments.find(fragment => fragment.id === id)?.columns ?? []
  const files = (written.get(id) ?? []).flatMap((output, writer) => {
    if (kind === 'keep' && writer !== task) return []
    return kind === 'all' ? [...output.values()].flat() : output.get(kind === 'hash' ? task : 0) ?? []
  })
  const read = columns.map(({ type }, i) => ({ type, name: `c${i}`, from: `w${i}` }))
  return select(read, files)
}

interface ViewColumn extends TableColumn {
  readonly from: string
}

/** The columns of the files by their own types; of no file, an empty relation. */
function select(columns: readonly ViewColumn[], files: readonly string[]): string {
  const list = columns.map(({ from, name, type }) =>
    `CAST(${files.length === 0 ? 'NULL' : quoteName(from)} AS ${type}) AS ${quoteName(name)}`).join(', ')
  if (files.length === 0) return `SELECT ${list} WHERE FALSE`
  return `SELECT ${list} FROM read_parquet([${files.map(quoteText).join(', ')}], hive_partitioning = false)`
}

/** All rows of a text on a connection. */
export async function answer(connection: DuckDBConnection, sql: string): Promise<Answer> {
  const result = await connection.runAndReadAll(sql)
  return {
    types: result.columnTypes().map(type => type.alias ?? type.toString()),
    rows: result.getRowsJson(),
  }
}
