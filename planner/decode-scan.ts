/** Reads of tables in the plan's JSON: a GET of exactly one file that is a table's skeleton. */

import { decodeComparison, decodeExpression } from './decode-expression.ts'
import { decodeTableFunction } from './decode-from-function.ts'
import { functionName, textConstant } from './decode-function.ts'
import { decodeConstant } from './decode-literal.ts'
import { decodeType } from './decode-type.ts'
import type { Expression } from './expression.ts'
import type { DuckType } from '../proto/types.ts'
import { moveColumns } from './cut/expressions.ts'
import type { JsonNode } from './json-node.ts'
import type { Plan, Scan } from './plan.ts'

const GET_FIELDS = [
  'type', 'children', 'table_index', 'returned_types', 'names', 'projection_ids', 'table_filters', 'name', 'arguments',
  'original_arguments', 'catalog_name', 'schema_name', 'has_serialize', 'function_data', 'projected_input',
  'column_indexes', 'extra_info', 'ordinality_idx', 'row_group_order_options', 'parameters', 'named_parameters',
  'input_table_types', 'input_table_names',
] as const

/** Column numbers that mean no column of the table. */
const ROW_ID = 18446744073709551615n
const NO_COLUMN = 18446744073709551614n
/** In `ordinality_idx`: the scan does not count its rows. */
export const NO_ORDINALITY = 18446744073709551615n

/** `tables`: position of the table by the path of its skeleton. */
export function decodeGet(node: JsonNode, rows: number, tables: ReadonlyMap<string, number>): Plan {
  checkGet(node)
  if (node.integer('ordinality_idx') !== NO_ORDINALITY) node.refuse('ordinality')
  if (!node.node('projected_input').isEmptyList()) node.refuse('projected input')
  const name = functionName(node)
  switch (name) {
    case 'read_parquet': case 'parquet_scan': return scan(node, rows, tables)
    default: return decodeTableFunction(node, rows, name)
  }
}

/** Refuses what no GET may have. */
export function checkGet(node: JsonNode): void {
  node.only(...GET_FIELDS)
  const info = node.node('extra_info').only('file_filters', 'total_files', 'filtered_files', 'sample_options')
  if (info.nullable('sample_options') !== null) node.refuse('sample')
  if (node.nullable('row_group_order_options') !== null) node.refuse('order of row groups')
}

function scan(node: JsonNode, rows: number, tables: ReadonlyMap<string, number>): Scan {
  const data = node.node('function_data').only('files', 'types', 'names', 'parquet_options')
  checkOptions(data.node('parquet_options'))
  const [file, more] = data.list('files')
  const table = file === undefined || more !== undefined ? undefined : tables.get(file.asText())
  if (table === undefined) return node.refuse('files that are not a table')
  return { kind: 'Scan', rows, table, columns: outputColumns(node), filters: scanFilters(node) }
}

/** An option would have to be repeated for every part of the table; there is none in the views of tables. */
function checkOptions(options: JsonNode): void {
  options.only(
    'binary_as_string', 'file_row_number', 'file_options', 'schema', 'encryption_config', 'explicit_cardinality',
    'can_have_nan',
  )
  const file = options.node('file_options').only(
    'filename', 'hive_partitioning', 'auto_detect_hive_partitioning', 'union_by_name', 'hive_types_autocast',
    'hive_types_schema', 'filename_column',
  )
  const isPlain = !options.boolean('binary_as_string') && !options.boolean('file_row_number')
    && options.node('schema').isEmptyList() && options.nullable('encryption_config') === null
    && !file.boolean('filename') && !file.boolean('hive_partitioning') && !file.boolean('union_by_name')
    && file.node('hive_types_schema').isEmptyList()
  if (!isPlain) options.refuse('option of a Parquet scan')
}

/** Positions in the table of the columns that come out; null where only the row counts. */
export function outputColumns(node: JsonNode): readonly (number | null)[] {
  const width = node.list('names').length
  const read = node.list('column_indexes').map(column => {
    const index = columnIndex(column)
    if (index === NO_COLUMN) return null
    return index === ROW_ID || index >= BigInt(width) ? column.refuse(`virtual column ${index}`) : Number(index)
  })
  const projection = node.counts('projection_ids')
  if (projection.length === 0) return read
  return projection.map(position => {
    const column = read[position]
    return column === undefined ? node.refuse('projection of a scan') : column
  })
}

/** `child_indexes` name the fields of a struct that are used: a hint to the reader, the column is the whole struct. */
function columnIndex(column: JsonNode): bigint {
  column.only('index', 'child_indexes', 'index_type', 'type', 'field', 'has_index')
  if (column.text('index_type') !== 'FULL_READ' || !column.boolean('has_index')) column.refuse('part of a column')
  const type = column.node('type').only('id', 'type_info')
  const isPlain = type.text('id') === 'INVALID' && type.nullable('type_info') === null && column.text('field') === ''
  if (!isPlain) column.refuse('column as another type')
  column.list('child_indexes').forEach(columnIndex)
  return column.integer('index')
}

/** The key of a filter is the column's position in the table, not among the columns read. */
function scanFilters(node: JsonNode): readonly Expression[] {
  const types = node.list('returned_types')
  return node.node('table_filters').only('filters').list('filters').flatMap(entry => {
    entry.only('key', 'value')
    const index = entry.count('key')
    const type = types[index]
    if (type === undefined) return entry.refuse('column of a filter')
    const filter = tableFilter(entry.node('value'), { kind: 'ColumnRef', index, type: decodeType(type) })
    return filter === null ? [] : [filter]
  })
}

/** A filter on one column; null: always true, as an optional filter is, whose condition is elsewhere in the plan. */
function tableFilter(node: JsonNode, column: Expression & { type: DuckType }): Expression | null {
  const type = node.text('filter_type')
  switch (type) {
    case 'OPTIONAL_FILTER':
      node.only('filter_type', 'child_filter')
      return null
    case 'CONSTANT_COMPARISON':
      node.only('filter_type', 'comparison_type', 'constant')
      return {
        kind: 'Comparison', op: decodeComparison(node, 'comparison_type'), left: column,
        right: decodeConstant(node.node('constant')),
      }
    case 'IS_NULL': return test(node, 'IS NULL', column)
    case 'IS_NOT_NULL': return test(node, 'IS NOT NULL', column)
    case 'IN_FILTER': {
      node.only('filter_type', 'values')
      const values = node.list('values').map(decodeConstant)
      if (values.length === 0) return node.refuse('IN without values')
      return { kind: 'Operator', op: 'IN', children: [column, ...values], type: { kind: 'scalar', name: 'BOOLEAN' } }
    }
    case 'CONJUNCTION_AND': return conjunction(node, 'AND', column)
    case 'CONJUNCTION_OR': return conjunction(node, 'OR', column)
    case 'STRUCT_EXTRACT': return structField(node, column)
    case 'EXPRESSION_FILTER':
      return overColumn(decodeExpression(node.only('filter_type', 'expr').node('expr')), column, node)
    default: return node.refuse(`table filter ${type}`)
  }
}

function test(node: JsonNode, op: 'IS NULL' | 'IS NOT NULL', column: Expression): Expression {
  node.only('filter_type')
  return { kind: 'Operator', op, children: [column], type: { kind: 'scalar', name: 'BOOLEAN' } }
}

function conjunction(node: JsonNode, op: 'AND' | 'OR', column: Expression & { type: DuckType }): Expression | null {
  const filters = node.only('filter_type', 'child_filters').list('child_filters')
    .map(child => tableFilter(child, column))
  const children = filters.filter(filter => filter !== null)
  if (children.length === 0 || (op === 'OR' && children.length < filters.length)) return null
  return { kind: 'Conjunction', op, children }
}

function structField(node: JsonNode, column: Expression & { type: DuckType }): Expression | null {
  node.only('filter_type', 'child_idx', 'child_name', 'child_filter')
  const name = node.text('child_name')
  const field = column.type.kind === 'struct' ? column.type.fields[node.count('child_idx')] : undefined
  if (field === undefined || field.name !== name || name === '') return node.refuse('field of a struct')
  return tableFilter(node.node('child_filter'), {
    kind: 'Call', name: 'struct_extract', children: [column, textConstant(name)], type: field.type,
    isOperator: false, aliases: [],
  })
}

/** The expression of a filter sees the one column that it filters as column 0. */
function overColumn(expression: Expression, column: Expression, node: JsonNode): Expression {
  if (column.kind !== 'ColumnRef') return node.refuse('expression on a part of a column')
  return moveColumns(expression, index => index === 0 ? column.index : node.refuse(`column ${index} of a filter`))
}
