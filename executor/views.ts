/**
 * The SQL of what a task reads: its tables and its inputs as relations over explicit lists of local files. No pattern
 * is ever expanded, and every column is cast to its declared type, so the fragment sees what the planner bound. Without
 * files a relation is empty, of its types: DuckDB refuses an empty list. Emitted text gets them by WITH in front of it
 * (views would be bound once when made and once when used: 2 to 3 ms of CPU a task); a user's own text by views.
 */

import { QueryError } from '../proto/errors.ts'
import {
  FileFormat, type Column, type FileShape, type Input, type KeyRange, type Restriction, type Scan,
} from '../proto/gen/executor_pb.js'
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
  const value = (i: number): string => paths.length === 0 ? 'NULL' : quoteName(`w${i}`)
  const columns = input.columns.map(({ type }, i) => ({ value: value(i), name: `c${i}`, type }))
  const options = new Map([['hive_partitioning', 'false']])
  if (input.estimatedRows > 0n) options.set(CARDINALITY, cardinality(input.estimatedRows, true))
  const source = paths.length === 0 ? null : call('read_parquet', paths, options)
  const rows = select(columns, source, restrictionsSql(columns, input.restrictions))
  const alone = input.restrictions.length === 0 ? rows : apart(columns, [rows])
  return `${quoteName(input.name)} AS NOT MATERIALIZED (${alone})`
}

/** The rows of a scan; `paths` as above. */
export function scanSelect(scan: Scan, paths: readonly string[]): string {
  if (scan.splits.length === 0) return empty(scan.columns)
  const selects = runs(scan, paths).map(run => {
    const columns = runColumns(scan, run)
    return select(columns, source(scan, run), [...rowsSql(run.rows), ...restrictionsSql(columns, scan.restrictions)])
  })
  return scan.restrictions.length === 0 ? selects.join(UNION) : apart(scan.columns, selects)
}

const UNION = '\nUNION ALL\n'

/**
 * With no row more. What a relation is restricted to is read off the keys of the one that it is joined to, which all
 * satisfy it; but DuckDB derives a filter of these from it, and looks at each of them. It does not see through a union.
 */
function apart(columns: readonly Pick<Column, 'name' | 'type'>[], selects: readonly string[]): string {
  return [...selects, empty(columns)].join(UNION)
}

function empty(columns: readonly Pick<Column, 'name' | 'type'>[]): string {
  return select(columns.map(column => ({ ...column, value: 'NULL' })), null)
}

interface Rows { readonly from: bigint; readonly to: bigint }

/** What one call of a reader reads. */
interface FileRun {
  readonly paths: string[]
  /** What the scan's filename column has. */
  readonly filename: string
  readonly shape: FileShape | undefined
  /** Which rows of its one file; undefined: all rows of all files. */
  readonly rows?: Rows
  /** Of the splits; 0: not known. */
  estimatedRows: bigint
}

/** Calls of readers in one relation; beyond, files of one shape are read together, whatever their order. */
const MAX_RUNS = 64

/** Neighbouring whole files of one shape are read by one call; a range of a file by one of its own, in their order. */
function runs(scan: Scan, paths: readonly string[]): FileRun[] {
  const result: FileRun[] = []
  scan.splits.forEach((split, i) => {
    const path = paths[i]
    if (path === undefined) throw new Error(`split ${i} has no local file`)
    const { filename, estimatedRows } = split
    const run = { paths: [path], filename, shape: scan.shapes[split.shape], estimatedRows }
    if (split.toRow !== 0n) {
      result.push({ ...run, rows: { from: split.fromRow, to: split.toRow } })
      return
    }
    const last = result.length < MAX_RUNS ? result.at(-1) : result.find(one => isJoined(one, run))
    if (last !== undefined && isJoined(last, run)) {
      last.paths.push(path)
      last.estimatedRows += estimatedRows
    } else result.push(run)
  })
  return result
}

function isJoined(one: FileRun, other: FileRun): boolean {
  return one.rows === undefined && one.shape === other.shape && one.filename === other.filename
}

function runColumns(scan: Scan, { filename, shape }: FileRun): ViewColumn[] {
  return scan.columns.map(({ name, type }, i) => {
    const text = shape?.instead[i]
    if (scan.filenameColumn !== '' && name === scan.filenameColumn) return { value: quoteText(filename), name, type }
    if (text === undefined) return { value: quoteName(name), name, type }
    return { value: text === '' ? 'NULL' : `error(${quoteText(text)})`, name, type }
  })
}

/** What DuckDB takes for the rows of the files. It decides how joins are made, and nothing else. */
const CARDINALITY = 'explicit_cardinality'
/** Of filters in the reader DuckDB takes a fifth of the rows, whatever they are: see GUESSED_SELECTIVITY. */
const FILTER_DIVISOR = 5n

/** For so many rows to be expected behind them. */
function cardinality(estimatedRows: bigint, isFiltered: boolean): string {
  return String(isFiltered ? estimatedRows * FILTER_DIVISOR : estimatedRows)
}

function source(scan: Scan, { paths, rows, shape, estimatedRows }: FileRun): string {
  const options = new Map<string, string>(hiveOptions(scan))
  switch (scan.format) {
    case FileFormat.PARQUET:
      if (rows !== undefined) options.set('file_row_number', 'true')
      if (estimatedRows > 0n) {
        const isFiltered = scan.filtered || rows !== undefined || scan.restrictions.length > 0
        options.set(CARDINALITY, cardinality(estimatedRows, isFiltered))
      }
      return call('read_parquet', paths, options)
    case FileFormat.CSV: return call('read_csv', paths, textOptions(scan, options, shape))
    case FileFormat.JSON: return call('read_json', paths, textOptions(scan, options, shape))
    default: throw new QueryError('INTERNAL', `task with an unknown file format ${scan.format}`)
  }
}

/** Columns of the path by name and type, nothing guessed; or none at all. */
function hiveOptions(scan: Scan): [string, string][] {
  const types = scan.columns.filter(({ name }) => scan.hiveKeys.includes(name))
  if (types.length === 0) return [['hive_partitioning', 'false']]
  const struct = types.map(({ name, type }) => `${quoteName(name)}: ${quoteText(type)}`).join(', ')
  return [['hive_partitioning', 'true'], ['hive_types_autocast', 'false'], ['hive_types', `{${struct}}`]]
}

/** The catalog's options, and its columns unless it gives them itself: no executor looks at a file to guess them. */
function textOptions(scan: Scan, options: Map<string, string>, shape: FileShape | undefined): Map<string, string> {
  const own = scan.columns.filter(({ name }) => !scan.hiveKeys.includes(name) && name !== scan.filenameColumn)
  options.set('columns', columnList(own))
  for (const [name, value] of Object.entries(scan.options)) {
    if (!/^[a-z_]+$/.test(name)) throw new QueryError('INTERNAL', `option ${name} of table ${scan.table} is not a name`)
    options.set(name, value)
  }
  if (shape !== undefined && shape.columns.length > 0) options.set('columns', columnList(shape.columns))
  return options
}

function columnList(columns: readonly Column[]): string {
  return `{${columns.map(({ name, type }) => `${quoteName(name)}: ${quoteText(type)}`).join(', ')}}`
}

function call(reader: string, paths: readonly string[], options: ReadonlyMap<string, string>): string {
  const named = [...options].map(([name, value]) => `${name} = ${value}`)
  return `${reader}(${[quoteTexts(paths), ...named].join(', ')})`
}

/** `value` is SQL. */
interface ViewColumn { readonly value: string; readonly name: string; readonly type: string }

/** `predicates`: all of them hold. */
function select(columns: readonly ViewColumn[], from: string | null, predicates: readonly string[] = []): string {
  const list = columns.map(column => `${typed(column)} AS ${quoteName(column.name)}`)
  if (from === null) return `SELECT ${list.join(', ')} WHERE false`
  const where = predicates.length === 0 ? '' : ` WHERE ${predicates.join(' AND ')}`
  return `SELECT ${list.join(', ')} FROM ${from}${where}`
}

function typed({ value, type }: ViewColumn): string {
  return `CAST(${value} AS ${type})`
}

function rowsSql(rows: Rows | undefined): string[] {
  return rows === undefined ? [] : [`file_row_number >= ${rows.from} AND file_row_number < ${rows.to}`]
}

/** The bounds of all ranges stand alone besides: by those DuckDB skips row groups. */
function restrictionsSql(columns: readonly ViewColumn[], restrictions: readonly Restriction[]): string[] {
  return restrictions.flatMap(({ column: position, ranges }) => {
    const column = columns[position]
    const [first, last] = [ranges[0], ranges.at(-1)]
    if (column === undefined) throw new QueryError('INTERNAL', `there is no column ${position} to restrict`)
    if (first === undefined || last === undefined) return ['false']
    const value = typed(column)
    const within = ({ low, high }: Pick<KeyRange, 'low' | 'high'>): string =>
      `${value} >= ${low} AND ${value} <= ${high}`
    const bounds = within({ low: first.low, high: last.high })
    return ranges.length === 1 ? [bounds] : [bounds, `(${ranges.map(within).join(' OR ')})`]
  })
}
