/**
 * The SQL of what a task reads: its tables and its inputs as relations over explicit lists of local files. No pattern
 * is ever expanded, and every column is cast to its declared type, so the fragment sees what the planner bound. Without
 * files a relation is empty, of its types: DuckDB refuses an empty list. Emitted text gets them by WITH in front of it
 * (views would be bound once when made and once when used: 2 to 3 ms of CPU a task); a user's own text by views.
 */

import { QueryError } from '../proto/errors.ts'
import { FileFormat, type Input, type Scan, type Split } from '../proto/gen/executor_pb.js'
import { quoteName, quoteText, quoteTexts } from '../proto/sql-text.ts'

/** The relation `scan<k>` of emitted SQL. `paths` are the local files of `scan.splits`, in their order. */
export function scanRelation(scan: Scan, paths: readonly string[]): string {
  return `${quoteName(scan.name)} AS NOT MATERIALIZED (${scanSelect(scan, paths)})`
}

/** The same under the table's own name, in catalogs that `catalogs` has made. */
export function tableView(scan: Scan, paths: readonly string[]): string {
  const name = [scan.catalog, scan.schema, scan.table].map(quoteName).join('.')
  return `CREATE VIEW ${name} AS ${scanSelect(scan, paths)}`
}

/** Catalogs in memory, with schemas, for the tables of `scans` and for the place where names are looked up. */
export function catalogs(scans: readonly Scan[], defaultCatalog: string, defaultSchema: string): string[] {
  const places = new Map<string, Set<string>>()
  const add = (catalog: string, schema: string): void => {
    places.set(catalog, (places.get(catalog) ?? new Set()).add(schema))
  }
  for (const { catalog, schema } of scans) add(catalog, schema)
  if (defaultCatalog !== '') add(defaultCatalog, defaultSchema === '' ? 'main' : defaultSchema)
  return [...places].flatMap(([catalog, schemas]) => [
    `ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(catalog)}`,
    ...[...schemas].map(schema => `CREATE SCHEMA IF NOT EXISTS ${quoteName(catalog)}.${quoteName(schema)}`),
  ])
}

/** The relation ex<k> over what another stage wrote. Columns in the files are w0.., in the relation c0... */
export function inputRelation(input: Input, paths: readonly string[]): string {
  const columns = input.columns.map(({ type }, i) => ({ from: `w${i}`, name: `c${i}`, type }))
  const source = paths.length === 0 ? null : `read_parquet(${quoteTexts(paths)}, hive_partitioning = false)`
  return `${quoteName(input.name)} AS NOT MATERIALIZED (${select(columns, source)})`
}

function scanSelect(scan: Scan, paths: readonly string[]): string {
  const columns = scan.columns.map(({ name, type }) => ({ from: name, name, type }))
  if (scan.splits.length === 0) return select(columns, null)
  const selects = runs(scan.splits, paths).map(run => select(columns, source(scan, run.paths, run.rows), run.rows))
  return selects.join('\nUNION ALL\n')
}

interface Rows { readonly from: bigint; readonly to: bigint }

interface FileRun {
  readonly paths: string[]
  /** Which rows of its one file; undefined: all rows of all files. */
  readonly rows?: Rows
}

/** Neighbouring whole files are read by one call; a range of a file by one of its own. Keeps the order of splits. */
function runs(splits: readonly Split[], paths: readonly string[]): FileRun[] {
  const result: FileRun[] = []
  splits.forEach((split, i) => {
    const path = paths[i]
    if (path === undefined) throw new Error(`split ${i} has no local file`)
    const last = result.at(-1)
    if (split.toRow !== 0n) result.push({ paths: [path], rows: { from: split.fromRow, to: split.toRow } })
    else if (last !== undefined && last.rows === undefined) last.paths.push(path)
    else result.push({ paths: [path] })
  })
  return result
}

function source(scan: Scan, paths: readonly string[], rows?: Rows): string {
  const options = new Map<string, string>(hiveOptions(scan))
  switch (scan.format) {
    case FileFormat.PARQUET:
      if (rows !== undefined) options.set('file_row_number', 'true')
      return call('read_parquet', paths, options)
    case FileFormat.CSV: return call('read_csv', paths, textOptions(scan, options))
    case FileFormat.JSON: return call('read_json', paths, textOptions(scan, options))
    default: throw new QueryError('INTERNAL', `task with an unknown file format ${scan.format}`)
  }
}

/** Columns of the path by name and type, nothing guessed; or none at all. */
function hiveOptions(scan: Scan): [string, string][] {
  if (scan.hiveKeys.length === 0) return [['hive_partitioning', 'false']]
  const types = scan.columns.filter(({ name }) => scan.hiveKeys.includes(name))
  const struct = types.map(({ name, type }) => `${quoteName(name)}: ${quoteText(type)}`).join(', ')
  return [['hive_partitioning', 'true'], ['hive_types_autocast', 'false'], ['hive_types', `{${struct}}`]]
}

/** The catalog's options, and its columns unless it gives them itself: no executor looks at a file to guess them. */
function textOptions(scan: Scan, options: Map<string, string>): Map<string, string> {
  const own = scan.columns.filter(({ name }) => !scan.hiveKeys.includes(name))
  const struct = own.map(({ name, type }) => `${quoteName(name)}: ${quoteText(type)}`).join(', ')
  options.set('columns', `{${struct}}`)
  for (const [name, value] of Object.entries(scan.options)) {
    if (!/^[a-z_]+$/.test(name)) throw new QueryError('INTERNAL', `option ${name} of table ${scan.table} is not a name`)
    options.set(name, value)
  }
  return options
}

function call(reader: string, paths: readonly string[], options: ReadonlyMap<string, string>): string {
  const named = [...options].map(([name, value]) => `${name} = ${value}`)
  return `${reader}(${[quoteTexts(paths), ...named].join(', ')})`
}

interface ViewColumn { readonly from: string; readonly name: string; readonly type: string }

function select(columns: readonly ViewColumn[], from: string | null, rows?: Rows): string {
  const list = columns.map(column => {
    const value = from === null ? 'NULL' : quoteName(column.from)
    return `CAST(${value} AS ${column.type}) AS ${quoteName(column.name)}`
  })
  if (from === null) return `SELECT ${list.join(', ')} WHERE false`
  const range = rows === undefined ? '' : ` WHERE file_row_number >= ${rows.from} AND file_row_number < ${rows.to}`
  return `SELECT ${list.join(', ')} FROM ${from}${range}`
}
