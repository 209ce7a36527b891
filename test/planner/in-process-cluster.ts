/**
 * A cluster in one process, to prove plans: every task is a connection of a plain DuckDB, every exchange a set of real
 * Parquet files written as executors write them. No scheduler, no network, no retries: what is wrong here is the plan.
 */

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TableColumn } from '../../catalog/table.ts'
import { rangeBounds, rangeSlices, type SampledKey } from '../../coordinator/ranges.ts'
import { exchangeFormat, keyed, partNumber } from '../../executor/exchange-writer.ts'
import { sampleSql } from '../../executor/sampled-keys.ts'
import { inputName, scanName, type Fragment, type FragmentInput, type FragmentScan } from '../../planner/fragment.ts'
import { quoteName, quoteText } from '../../proto/sql-text.ts'
import { DuckDBInstance, type DuckDBConnection } from '../duckdb.ts'

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

interface Sampled {
  readonly fragment: number
  readonly keys: readonly SampledKey[]
}

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

  /**
   * Runs the fragments in order, each on as many executors as it has tasks, and gives the rows of the last one. Of the
   * scans with the ids `halved` only half of the rows are read.
   */
  async run(
    fragments: readonly Fragment[], settings: Readonly<Record<string, string>> = {},
    halved: ReadonlySet<number> = new Set(),
  ): Promise<Answer> {
    const parts = await this.runParts(fragments, settings, halved)
    const types = new Set(parts.map(part => part.types.join()))
    if (types.size > 1) throw new Error(`the tasks of the result give other types: ${[...types].join(' and ')}`)
    return { types: parts[0]?.types ?? [], rows: parts.flatMap(({ rows }) => rows) }
  }

  /** The same, task by task. */
  async runParts(
    fragments: readonly Fragment[], settings: Readonly<Record<string, string>> = {},
    halved: ReadonlySet<number> = new Set(),
  ): Promise<readonly Answer[]> {
    const folder = join(this.#folder, `q${this.#queries++}`)
    const written = new Map<number, readonly Written[]>()
    const run: Run = { folder, fragments, written, settings, halved, sampled: [] }
    try {
      for (const fragment of fragments) {
        if (fragment.output.kind === 'result') return await this.#result(fragment, run)
        if (fragment.output.kind === 'sample') {
          run.sampled.push(...await this.#sample(fragment, run))
          continue
        }
        const target = join(folder, String(fragment.id))
        await mkdir(target, { recursive: true })
        written.set(fragment.id, await this.#tasks(fragment, run, (connection, head, task) =>
          this.#write(connection, head, fragment, join(target, String(task)), run)))
      }
      throw new Error('no fragment has a result')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  async #result(fragment: Fragment, run: Run): Promise<readonly Answer[]> {
    const slices = await this.#slices(fragment, run)
    return this.#tasks(fragment, run, (connection, head, task) => {
      const slice = slices?.[task]
      const limit = slice === undefined ? '' : `\nLIMIT ${slice.limit} OFFSET ${slice.offset}`
      return answer(connection, head === '' ? fragment.sql : `${head}FROM (${fragment.sql}${limit})`)
    })
  }

  async #sample(fragment: Fragment, run: Run): Promise<Sampled[]> {
    const { sql, output } = fragment
    if (output.kind !== 'sample') return []
    const samples = await this.#tasks(fragment, run, (connection, head) =>
      answer(connection, sampleSql(`${head}${sql}`, output)))
    return samples.map(({ rows }) => ({
      fragment: fragment.id,
      keys: rows.map(([key, count]) => ({ key: Buffer.from(String(key), 'hex'), rows: BigInt(String(count)) })),
    }))
  }

  /** Which rows of each task the result has; null: all. */
  async #slices({ output, inputs }: Fragment, { written }: Run) {
    const slice = output.kind === 'result' ? output.slice : undefined
    const ranges = inputs.find(({ kind }) => kind === 'range')
    if (slice === undefined || ranges === undefined) return null
    const counts = await Promise.all(this.#executors.map(async (executor, task) => {
      const files = (written.get(ranges.fragment) ?? []).flatMap(output => output.get(task) ?? [])
      if (files.length === 0) return 0
      const connection = await executor.connect()
      const list = files.map(quoteText).join(', ')
      const { rows } = await answer(connection, `SELECT count(*) FROM read_parquet([${list}])`)
      connection.closeSync()
      return Number(rows[0]?.[0])
    }))
    return rangeSlices(counts, slice)
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
        ...fragment.scans.map(scan => ({
          name: scanName(scan.id), sql: halfOf(this.#scanSelect(scan, task), run.halved.has(scan.id)),
        })),
        ...fragment.inputs.filter(({ kind }) => kind !== 'bounds').map(input =>
          ({ name: inputName(input), sql: inputSelect(input, fragment, task, run) })),
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
    const count = this.#executors.length
    const columns = table.columns.map(column => ({ ...column, from: column.name }))
    const [by, ...more] = scan.reads === 'all' ? [] : scan.dividedBy ?? []
    if (by === undefined) {
      return select(columns, table.files.filter((_, i) => scan.reads === 'all' || i % count === task))
    }
    // any task may have any of its values, whatever files they are in; all of them if two columns are to agree
    const owner = more.length > 0 ? '0' : `hash(${this.#columnName(scan, by)}) % ${count}`
    return `SELECT * FROM (${select(columns, table.files)}) WHERE ${owner} = ${task}`
  }

  async #write(
    connection: DuckDBConnection, head: string, { sql, output, columns, inputs }: Fragment, target: string, run: Run,
  ): Promise<Written> {
    const partitionCount = this.#executors.length
    const bounds = inputs.find(({ kind }) => kind === 'bounds')?.fragment
    const samples = run.sampled.filter(({ fragment }) => fragment === bounds).map(({ keys }) => keys)
    const range = output.kind !== 'range' ? {}
      : { range: { ...output, bounds: [...rangeBounds(samples, partitionCount)], ties: [...output.ties] } }
    const parts = { hashKeys: output.kind === 'hash' ? [...output.keys] : [], partitionCount, ...range }
    const isDivided = output.kind === 'hash' || output.kind === 'range'
    const list = columns.map(({ wireType }, i) => `CAST(c${i} AS ${wireType}) AS w${i}`)
    if (isDivided) list.push(`${partNumber(parts)} AS part`)
    const format = `${exchangeFormat(columns.map(({ wireType }) => wireType))}, RETURN_STATS true`
    const options = isDivided ? `${format}, PARTITION_BY (part)` : format
    const path = isDivided ? target : `${target}.parquet`
    const copied = await connection.runAndReadAll(
      `COPY (${head}SELECT ${list.join(', ')} FROM ${keyed(sql, columns.length, parts)})
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
  readonly halved: ReadonlySet<number>
  readonly sampled: Sampled[]
}

function halfOf(sql: string, isHalved: boolean): string {
  return isHalved ? `SELECT * FROM (${sql}) AS rows WHERE hash(rows) % 2 = 0` : sql
}

/** Where a hash may be read in slices, one is, of all partitions: a slice is what one task has written. */
function inputSelect(input: FragmentInput, { inputs }: Fragment, task: number, { fragments, written }: Run): string {
  const sliced = inputs.findLast(({ slicedFrom }) => slicedFrom !== undefined)
  const { fragment: id, kind } = input
  const columns = fragments.find(fragment => fragment.id === id)?.columns ?? []
  const files = (written.get(id) ?? []).flatMap((output, writer) => {
    if (kind === 'keep' && writer !== task) return []
    if (kind === 'all') return [...output.values()].flat()
    if (kind === 'hash' && sliced !== undefined) {
      return sliced !== input || writer === task ? [...output.values()].flat() : []
    }
    return output.get(kind === 'hash' || kind === 'range' ? task : 0) ?? []
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
