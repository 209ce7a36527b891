/**
 * Files that a text names by their addresses, as `FROM 's3://lake/x/*.parquet'` or `read_csv('s3://lake/x.csv', …)`.
 * Each becomes a table without a name of its own: a short name that the text does not hold takes its place, filled up
 * with spaces, so that every other place in the text stays what it was. DuckDB's own parser judges that: the tree of
 * the new text has to be that of the old one, but for these relations.
 */

import { type OptionValue } from '../catalog/reader-options.ts'
import type { FileFormat } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { quoteName } from '../proto/sql-text.ts'
import { meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'
import { positionOf } from './duckdb-error.ts'
import type { Tree } from './syntax.ts'

export interface FileReference {
  readonly format: FileFormat
  /** Addresses, with patterns. */
  readonly paths: readonly string[]
  /** By DuckDB's names, in the order of the text. */
  readonly options: readonly (readonly [name: string, value: OptionValue])[]
  /** In characters: [start, end). */
  readonly start: number
  readonly end: number
  /** What stands there instead, of the same length; it begins with the table's name. */
  readonly text: string
}

export interface NamedFiles extends FileReference {
  readonly name: string
}

/** In one text. */
const MAX_REFERENCES = 100
const ADDRESS = /^(s3|s3a|s3n|r2|gs|gcs):\/\//i

interface Reader { readonly format: FileFormat; readonly options: FileReference['options'] }

const lines: Reader = { format: 'json', options: [['format', 'newline_delimited']] }
const readers: Readonly<Partial<Record<string, Reader>>> = {
  read_parquet: { format: 'parquet', options: [] }, parquet_scan: { format: 'parquet', options: [] },
  read_csv: { format: 'csv', options: [] }, read_csv_auto: { format: 'csv', options: [] },
  read_json: { format: 'json', options: [] }, read_json_auto: { format: 'json', options: [] },
  read_ndjson: lines, read_ndjson_auto: lines,
}

/** What a relation of the tree names, without its place. */
interface Named extends Pick<FileReference, 'format' | 'paths' | 'options'> {
  readonly offset: number | null
  readonly isCall: boolean
  /** As which DuckDB would know it if the text gives no name; null: not needed. */
  readonly alias: string | null
}

/** `relations`: BASE_TABLE and TABLE_FUNCTION nodes. `parse` gives the statements of a text as DuckDB reads them. */
export async function fileReferences(
  relations: readonly Tree[], sql: string, parse: (sql: string) => Promise<readonly unknown[]>,
): Promise<readonly NamedFiles[]> {
  const named = relations.flatMap(node => namedFiles(node, sql) ?? [])
  if (named.length === 0) return []
  if (named.length > MAX_REFERENCES) {
    const message = `the text names files in ${named.length} places, more than ${MAX_REFERENCES}`
    throw new QueryError('INVALID_REQUEST', message)
  }
  const tokens = meaningfulTokens(sql)
  const taken = sql.toLowerCase()
  let number = 0
  const nextName = (): string => {
    while (taken.includes(`f${number}`)) number++
    return `f${number++}`
  }
  const names = named.map(nextName)
  const original = await parse(sql)
  for (const withAlias of [true, false]) {
    const found = named.map((one, i) => placed(one, names[i] ?? '', tokens, sql, withAlias))
    const isSame = await parse(replaced(sql, found)).then(
      other => shape(other, names) === shape(original, offsets(named)), () => false)
    if (isSame) return found
  }
  throw new QueryError('UNSUPPORTED_STATEMENT', 'files cannot be named in this place',
    { position: positionOf(named[0]?.offset ?? null, sql) })
}

/** The text with what stands for its files; as long as `sql`. */
export function replaced(sql: string, references: readonly FileReference[]): string {
  return [...references].sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: other }) => text.slice(0, start) + other + text.slice(end), sql)
}

function namedFiles(node: Tree, sql: string): Named | undefined {
  if (node['type'] === 'BASE_TABLE') return literal(node, sql)
  const call = node['function']
  if (!isTree(call) || call['schema'] !== undefined || call['catalog'] !== undefined) return undefined
  const name = String(call['function_name']).toLowerCase()
  const reader = readers[name]
  if (reader === undefined) return undefined
  const offset = offsetOf(call)
  const refuse = (what: string): never => {
    throw new QueryError('UNSUPPORTED_STATEMENT', `${name}: ${what}`, { position: positionOf(offset, sql) })
  }
  const [first, ...rest] = list(call['children'])
  const path = first === undefined ? undefined : constant(first)
  const all = Array.isArray(path) ? path as readonly OptionValue[] : [path]
  const paths = all.filter(one => typeof one === 'string')
  if (!paths.some(one => ADDRESS.test(one))) return undefined
  const options = rest.map(child => option(child) ?? refuse('options are constants with a name'))
  const wrong = options.find(([, value]) => value === undefined)
  if (wrong !== undefined) return refuse(`the value of the option ${wrong[0]} is not a constant`)
  const given = options.flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])
  return {
    format: reader.format, paths, options: [...reader.options, ...given], offset, isCall: true,
    alias: node['alias'] === undefined ? name : null,
  }
}

function literal(node: Tree, sql: string): Named | undefined {
  const path = String(node['table_name'])
  if (!ADDRESS.test(path) || node['schema_name'] !== undefined || node['catalog_name'] !== undefined) return undefined
  const offset = offsetOf(node)
  const format = formatOf(path)
  if (format === undefined) {
    throw new QueryError('BIND_ERROR', `'${path}' has no ending that tells how it is read: use read_parquet('…'), ` +
      'read_csv or read_json', { position: positionOf(offset, sql) })
  }
  const base = /[*?[{]/.test(path) ? null : /([^/]*?)(\.[^/]*)?$/.exec(path)?.[1] ?? null
  return { format, paths: [path], options: [], offset, isCall: false, alias: node['alias'] === undefined ? base : null }
}

/** As DuckDB chooses a reader. */
function formatOf(path: string): FileFormat | undefined {
  const name = path.toLowerCase().replace(/\.(gz|zst)$/, '')
  if (/\.(csv|tsv)$/.test(name)) return 'csv'
  if (/\.(json|jsonl|ndjson)$/.test(name)) return 'json'
  return path.toLowerCase().endsWith('.parquet') ? 'parquet' : undefined
}

/** `name = value`, `name := value`; without a value if that is no constant. */
function option(node: unknown): readonly [string, OptionValue | undefined] | undefined {
  if (!isTree(node)) return undefined
  if (node['type'] === 'COMPARE_EQUAL' && isTree(node['left']) && node['left']['class'] === 'COLUMN_REF') {
    const [name, ...more] = list(node['left']['column_names'])
    return typeof name === 'string' && more.length === 0 ? [name, constant(node['right'])] : undefined
  }
  return typeof node['alias'] === 'string' ? [node['alias'], constant(node)] : undefined
}

function constant(node: unknown): OptionValue | undefined {
  if (!isTree(node)) return undefined
  switch (node['class']) {
    case 'CONSTANT': return isTree(node['value']) ? scalar(node['value']) : undefined
    case 'CAST': {
      const type = isTree(node['cast_type']) ? node['cast_type']['id'] : undefined
      const value = constant(node['child'])
      if (type !== 'BOOLEAN' || typeof value !== 'string') return undefined
      return value === 't' || value === 'f' ? value === 't' : undefined
    }
    case 'FUNCTION': return nested(node)
    default: return undefined
  }
}

function nested(node: Tree): OptionValue | undefined {
  const children = list(node['children'])
  const values = children.map(constant)
  const known = values.filter(value => value !== undefined)
  if (known.length < values.length) return undefined
  if (node['function_name'] === 'list_value') return known
  if (node['function_name'] !== 'struct_pack') return undefined
  return { fields: known.map((value, i) => [String((children[i] as Tree)['alias'] ?? ''), value] as const) }
}

function scalar(value: Tree): OptionValue | undefined {
  const type = isTree(value['type']) ? value['type'] : {}
  const content = value['value']
  if (value['is_null'] === true) return undefined
  if (typeof content === 'string' && type['id'] === 'VARCHAR') return content
  if (typeof content === 'boolean') return content
  if (typeof content !== 'number') return undefined
  const info = isTree(type['type_info']) ? type['type_info'] : {}
  return { number: type['id'] === 'DECIMAL' ? String(content / 10 ** Number(info['scale'])) : String(content) }
}

/** Its place, and what is written there. */
function placed(
  { format, paths, options, offset, isCall, alias }: Named, name: string, tokens: readonly SqlToken[], sql: string,
  withAlias: boolean,
): NamedFiles {
  const start = positionOf(offset, sql)
  const at = tokens.findIndex(token => token.start === start)
  const token = tokens[at]
  const end = token === undefined ? undefined : isCall ? endOfCall(tokens, at) : token.end
  if (start === undefined || end === undefined) {
    throw new QueryError('UNSUPPORTED_STATEMENT', 'files cannot be named in this place', { position: start })
  }
  const words = alias === null || !withAlias ? [name] : [name, isCall ? alias : quoteName(alias)]
  return { name, format, paths, options, start, end, text: filled(sql.slice(start, end), words) }
}

/** Behind the parenthesis that closes the one after the function's name. */
function endOfCall(tokens: readonly SqlToken[], at: number): number | undefined {
  if (tokens[at + 1]?.text !== '(') return undefined
  let depth = 0
  for (const { kind, text, end } of tokens.slice(at + 1)) {
    if (kind !== 'symbol') continue
    depth += text === '(' ? 1 : text === ')' ? -1 : 0
    if (depth === 0) return end
  }
  return undefined
}

/** `words` and spaces in the place of `old`, whose line ends stay; a word without room is left out. */
function filled(old: string, words: readonly string[]): string {
  let text = old.replaceAll(/[^\n]/g, ' ')
  let from = 0
  for (const word of words) {
    while (from + word.length <= text.length && text.slice(from, from + word.length).includes('\n')) from++
    if (from + word.length > text.length) break
    text = text.slice(0, from) + word + text.slice(from + word.length)
    from += word.length + 1
  }
  return text
}

/** Equal if two trees differ in nothing but the relations that `which` names, and places. */
function shape(statements: readonly unknown[], which: readonly string[] | ReadonlySet<number>): string {
  return JSON.stringify(statements, (key, value: unknown) => {
    if (key === 'query_location') return undefined
    if (!isTree(value)) return value
    const isOurs = Array.isArray(which)
      ? value['type'] === 'BASE_TABLE' && which.includes(String(value['table_name']))
      : ['BASE_TABLE', 'TABLE_FUNCTION'].includes(String(value['type'])) && isAt(value, which as ReadonlySet<number>)
    if (!isOurs) return value
    return { files: true, sample: value['sample'], columns: value['column_name_alias'] }
  })
}

function isAt(node: Tree, which: ReadonlySet<number>): boolean {
  const call = node['function']
  return which.has(offsetOf(node['type'] === 'TABLE_FUNCTION' && isTree(call) ? call : node) ?? -1)
}

function offsets(named: readonly Named[]): ReadonlySet<number> {
  return new Set(named.flatMap(({ offset }) => offset ?? []))
}

function offsetOf(node: Tree): number | null {
  const at = node['query_location']
  return typeof at === 'number' && Number.isSafeInteger(at) ? at : null
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value as unknown[] : []
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
