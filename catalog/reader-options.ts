/**
 * Options of DuckDB's readers, as a table's definition or a call in a statement gives them: which are known, which the
 * catalog takes care of itself, and the SQL literals of the rest, with which every executor reads.
 */

import { quoteName, quoteText } from '../proto/sql-text.ts'
import type { FileFormat } from './table.ts'

/** A constant. Numbers as text, so that every digit stays. */
export type OptionValue =
  | string | boolean | { readonly number: string }
  | readonly OptionValue[]
  | { readonly fields: readonly (readonly [name: string, value: OptionValue])[] }

export interface ReaderOptions {
  /** True: columns of all files. False: those of the first. Null: of all, where files differ. */
  readonly unionByName: boolean | null
  /** True: `key=value` folders, which all files must have, are columns; null: if all have the same. */
  readonly hivePartitioning: boolean | null
  /** Types of Hive keys by name in small letters. */
  readonly hiveTypes: Readonly<Record<string, string>>
  /** False: Hive keys are VARCHAR if they have no type of their own. */
  readonly hiveAutocast: boolean
  /** Name of a column that holds the name of each row's file; null: there is none. */
  readonly filename: string | null
  /** True: a column file_row_number holds the place of each row in its file; of Parquet. */
  readonly rowNumber: boolean
  /** True: there are those two too that were not asked for, for whoever names them. */
  readonly hidden: boolean
  /** The reader's own: SQL literals by DuckDB's names. */
  readonly read: Readonly<Record<string, string>>
}

export const defaultOptions: ReaderOptions = {
  unionByName: null, hivePartitioning: null, hiveTypes: {}, hiveAutocast: true, filename: null, rowNumber: false,
  hidden: false, read: {},
}

const textOptions = [
  'auto_detect', 'columns', 'compression', 'dateformat', 'ignore_errors', 'sample_size', 'timestampformat',
]

/** Of the reader, as DuckDB 1.5 has them. */
const known: Readonly<Record<FileFormat, ReadonlySet<string>>> = {
  parquet: new Set(),
  csv: new Set([
    ...textOptions, 'all_varchar', 'allow_quoted_nulls', 'auto_type_candidates', 'comment', 'decimal_separator',
    'delim', 'encoding', 'escape', 'files_to_sniff', 'force_not_null', 'header', 'max_line_size', 'names', 'new_line',
    'normalize_names', 'null_padding', 'nullstr', 'parallel', 'quote', 'skip', 'strict_mode', 'thousands', 'types',
  ]),
  json: new Set([
    ...textOptions, 'convert_strings_to_integers', 'field_appearance_threshold', 'format', 'map_inference_threshold',
    'maximum_depth', 'maximum_object_size', 'maximum_sample_files', 'records',
  ]),
}

const aliases: Readonly<Record<string, string>> = {
  sep: 'delim', dtypes: 'types', column_types: 'types', column_names: 'names', maximum_line_size: 'max_line_size',
  date_format: 'dateformat', timestamp_format: 'timestampformat',
}

/** How DuckDB names the column if `filename = true`. */
export const FILENAME = 'filename'
export const ROW_NUMBER = 'file_row_number'

/** `refuse` throws what names the option. */
export function readerOptions(
  format: FileFormat, given: ReadonlyMap<string, OptionValue>, refuse: (option: string, why: string) => never,
): ReaderOptions {
  const read: Record<string, string> = {}
  let options: ReaderOptions = { ...defaultOptions, unionByName: false, read }
  for (const [name, value] of given) {
    const flag = (): boolean => isTrue(value) ?? refuse(name, 'must be true or false')
    const option = aliases[name.toLowerCase()] ?? name.toLowerCase()
    switch (option) {
      case 'union_by_name': options = { ...options, unionByName: flag() }; break
      case 'hive_partitioning': options = { ...options, hivePartitioning: flag() }; break
      case 'hive_types_autocast': options = { ...options, hiveAutocast: flag() }; break
      case 'hive_types':
        options = { ...options, hiveTypes: hiveTypes(value) ?? refuse(name, 'must be {name: type}') }
        break
      case FILENAME: {
        const column = typeof value === 'string' && isTrue(value) === undefined ? value : flag() ? FILENAME : null
        options = { ...options, filename: column }
        break
      }
      case ROW_NUMBER:
        if (format !== 'parquet') refuse(name, 'is one of Parquet files')
        options = { ...options, rowNumber: flag() }
        break
      default:
        if (!known[format].has(option)) refuse(name, 'is not supported')
        if (read[option] !== undefined) refuse(name, 'is given twice')
        read[option] = optionLiteral(value)
    }
  }
  return options
}

function isTrue(value: OptionValue): boolean | undefined {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : 'number' in value ? value.number : ''
  if (['true', '1', 't', 'yes'].includes(text)) return true
  return ['false', '0', 'f', 'no'].includes(text) ? false : undefined
}

function hiveTypes(value: OptionValue): Record<string, string> | undefined {
  if (typeof value !== 'object' || !('fields' in value)) return undefined
  const types = value.fields.map(([name, type]) => [name.toLowerCase(), type] as const)
  if (types.some(([, type]) => typeof type !== 'string')) return undefined
  return Object.fromEntries(types.map(([name, type]) => [name, String(type)]))
}

export function optionLiteral(value: OptionValue): string {
  if (typeof value === 'string') return quoteText(value)
  if (typeof value === 'boolean') return String(value)
  if ('number' in value) return value.number
  if ('fields' in value) {
    return `{${value.fields.map(([name, field]) => `${quoteName(name)}: ${optionLiteral(field)}`).join(', ')}}`
  }
  return `[${value.map(optionLiteral).join(', ')}]`
}
