/**
 * The tables of the catalog `skein` as queries read them: at each query the rows that its user may see are written
 * down as Parquet files, which go along with the query's tasks. Nothing else of the system knows that they are special,
 * so they are filtered, joined and counted like any table. A user sees what is theirs, an operator everything; rows
 * that a user may not see never leave their coordinator.
 */

import { createHash } from 'node:crypto'
import { CARRIED, type CarriedFile } from '../../cache/key.ts'
import type { LoadedTable } from '../../catalog/catalog.ts'
import { type Row, rowFile } from '../../catalog/row-file.ts'
import { declaredColumn, skeletonBytes } from '../../catalog/skeleton.ts'
import type { SkeletonFiles } from '../../catalog/skeleton-files.ts'
import type { DataFile, Table, TableName } from '../../catalog/table.ts'
import { QueryError } from '../../proto/errors.ts'
import {
  isSystemTable, silentRow, SYSTEM_CATALOG, SYSTEM_SCHEMA, systemTables, type SystemTableName,
} from './columns.ts'
import type { Peers, RowPart } from './peers.ts'
import { sourceRows, type SourcePorts } from './sources.ts'

/** Rows of one file: some hundred kilobytes, and 30 µs a row to write, while nothing else is done. */
const MAX_ROWS_OF_FILE = 2_000
/** Of all system tables of one query: they go along with each of its tasks, in one message of 64 MiB at most. */
const MAX_CARRIED_BYTES = 32 * 1024 * 1024

export interface SystemTablesOptions {
  readonly sources: SourcePorts
  readonly peers: Pick<Peers, 'rows'>
  readonly skeletons: Pick<SkeletonFiles, 'put'>
  /** May see what is everybody's. */
  readonly isAdmin: (principal: string) => boolean
}

export class SystemTables {
  readonly #options: SystemTablesOptions

  constructor(options: SystemTablesOptions) {
    this.#options = options
  }

  get names(): readonly string[] {
    return Object.keys(systemTables)
  }

  /** For those who list tables: columns, and no rows. */
  shapes(): Promise<LoadedTable[]> {
    return Promise.all(this.names.filter(isSystemTable).map(async (table): Promise<LoadedTable> =>
      ({ state: 'loaded', name: nameOf(table), table: await this.#table(table, []) })))
  }

  /** Those that are named, each once, with the rows that `principal` may see; PERMISSION_DENIED for operators' own. */
  async tables(names: readonly string[], principal: string): Promise<Table[]> {
    const known = [...new Set(names.map(name => name.toLowerCase()))].filter(isSystemTable)
    const tables = await Promise.all(known.map(name => this.#read(name, principal)))
    const bytes = tables.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    if (bytes <= MAX_CARRIED_BYTES) return tables
    throw new QueryError('RESULT_TOO_LARGE',
      `the tables of catalog ${SYSTEM_CATALOG} have ${bytes} bytes, more than the ${MAX_CARRIED_BYTES} of one query`)
  }

  /** This coordinator's own rows. */
  async *parts(table: SystemTableName, principal: string | null): AsyncGenerator<RowPart> {
    const { columns } = systemTables[table]
    const rows = await sourceRows(table, principal, this.#options.sources)
    let waiting: Row[] = []
    for await (const some of Symbol.asyncIterator in rows ? rows : [rows]) {
      waiting.push(...some)
      while (waiting.length >= MAX_ROWS_OF_FILE) {
        const full = waiting.slice(0, MAX_ROWS_OF_FILE)
        waiting = waiting.slice(MAX_ROWS_OF_FILE)
        yield { content: rowFile(columns, full), rowCount: full.length }
      }
    }
    if (waiting.length > 0) yield { content: rowFile(columns, waiting), rowCount: waiting.length }
  }

  async #read(table: SystemTableName, principal: string): Promise<Table> {
    const { isAdmin, peers } = this.#options
    const { columns, ofEach, isAdmins } = systemTables[table]
    const all = isAdmin(principal)
    if (isAdmins && !all) {
      throw new QueryError('PERMISSION_DENIED', `${SYSTEM_CATALOG}.${table} is for operators: name ${principal} in `
        + '\'admins\' of the configuration')
    }
    const whose = all ? null : principal
    const asked = ofEach ? peers.rows(table, whose) : Promise.resolve([])
    const parts: RowPart[] = []
    for await (const part of this.parts(table, whose)) parts.push(part)
    for (const { coordinator, rows } of await asked) {
      if (typeof rows === 'string') {
        parts.push({ content: rowFile(columns, [silentRow(table, coordinator, rows)]), rowCount: 1 })
      } else parts.push(...rows)
    }
    return this.#table(table, parts)
  }

  /**
   * Its version tells only about how many rows it has, so that plans are found again: what a plan reads is decided
   * anew for each query.
   */
  async #table(table: SystemTableName, parts: readonly RowPart[]): Promise<Table> {
    const { columns } = systemTables[table]
    const name = nameOf(table)
    const rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0)
    const about = rowCount === 0 ? 0 : 2 ** Math.ceil(Math.log2(rowCount))
    const id = JSON.stringify([name, columns])
    const version = createHash('sha256').update(`${id} ${about}`).digest('hex')
    const skeletonPath = await this.#options.skeletons.put(id, version, () => skeletonBytes({
      columns: columns.map(column => declaredColumn(column.name, column.type)), rowCount: about,
      rowCountIs: 'estimated', footer: null,
    }))
    const files = parts.map((part, i) => dataFile(`${SYSTEM_CATALOG}.${table}-${i}`, part, columns.length))
    return {
      name, version, format: 'parquet', columns, shapes: [], hiveKeys: [], filename: null, readOptions: {}, files,
      rowCount, sizeBytes: files.reduce((sum, { file }) => sum + file.sizeBytes, 0), skeletonPath,
      distinctCounts: columns.map(() => null),
    }
  }
}

function nameOf(table: SystemTableName): TableName {
  return { catalog: SYSTEM_CATALOG, schema: SYSTEM_SCHEMA, table }
}

/** One row group; the bytes of its columns are told as if they were alike. */
function dataFile(key: string, { content, rowCount }: RowPart, columnCount: number): DataFile {
  const etag = createHash('sha256').update(content).digest('hex')
  const file: CarriedFile = { bucket: CARRIED, key, etag, sizeBytes: content.length, content }
  const sizeBytes = Math.ceil(content.length / columnCount)
  const columns = Array.from({ length: columnCount }, () =>
    ({ offset: 0, sizeBytes, min: null, max: null, nullCount: null }))
  return { file, shape: 0, hiveValues: [], rowGroups: [{ rowCount, columns }], rowCount }
}
