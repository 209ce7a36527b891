/**
 * Functions in FROM in the plan's JSON: those that only compute, of constants or of the rows of an input. What else the
 * plan wants of them, such as that there is a row, is projected on top.
 */

import type { DuckType } from '../proto/types.ts'
import { functionName } from './decode-function.ts'
import { decodeConstant } from './decode-literal.ts'
import { checkGet, NO_ORDINALITY, outputColumns } from './decode-scan.ts'
import { decodeType } from './decode-type.ts'
import type { Expression } from './expression.ts'
import type { JsonNode } from './json-node.ts'
import type { Lateral, Plan } from './plan.ts'
import { width } from './width.ts'

const computing: ReadonlySet<string> = new Set([
  'range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree',
])

/** Of a GET without inputs, whose other fields have been looked at. */
export function decodeTableFunction(node: JsonNode, rows: number, name: string): Plan {
  checkFunction(node, name)
  const types = node.list('returned_types').map(decodeType)
  const named = node.node('named_parameters').isEmptyList() ? [] : node.list('named_parameters').map(entry => {
    entry.only('key', 'value')
    return { name: entry.text('key'), value: decodeConstant(entry.node('value')) }
  })
  const args = node.list('parameters').map(decodeConstant)
  const read = outputColumns(node)
  const columns = [...new Set(read.filter(position => position !== null))]
  return projected({
    kind: 'TableFunction', rows, name, args, named, width: types.length, columns: columns.length === 0 ? [0] : columns,
    types: typesAt(types, columns.length === 0 ? [0] : columns, node),
  }, read)
}

/** Of a GET over the rows of an input, whose first columns are the arguments. */
export function decodeLateral(node: JsonNode, rows: number, input: Plan): Lateral {
  checkGet(node)
  const name = functionName(node)
  checkFunction(node, name)
  if (!node.node('parameters').isEmptyList() || !node.node('named_parameters').isEmptyList()) node.refuse('parameters')
  if (!node.node('projection_ids').isEmptyList()) node.refuse('projection')
  const argumentTypes = node.list('input_table_types').map(decodeType)
  const args = argumentTypes.map((type, index): Expression => ({ kind: 'ColumnRef', index, type }))
  const types = node.list('returned_types').map(decodeType)
  const ordinality = node.integer('ordinality_idx')
  if (ordinality !== NO_ORDINALITY && ordinality !== BigInt(types.length - 1)) node.refuse('ordinality')
  const columns = outputColumns(node).map(position => position ?? node.refuse('column of a function'))
  const kept = node.counts('projected_input')
  if ([...kept, args.length - 1].some(position => position >= width(input))) node.refuse('columns of the input')
  return {
    kind: 'Lateral', rows, input, name, args, width: types.length, columns, types: typesAt(types, columns, node),
    ordinality: ordinality !== NO_ORDINALITY, kept,
  }
}

function checkFunction(node: JsonNode, name: string): void {
  if (!computing.has(name)) node.refuse(`table function ${name}`)
  if (node.has('function_data')) node.refuse(`function data of ${name}`)
  if (!node.node('table_filters').only('filters').node('filters').isEmptyList()) node.refuse('filter on a function')
}

function typesAt(types: readonly DuckType[], columns: readonly number[], node: JsonNode): readonly DuckType[] {
  return columns.map(column => types[column] ?? node.refuse('column of a function'))
}

/** The columns in the order in which they are read. */
function projected(source: Extract<Plan, { kind: 'TableFunction' }>, read: readonly (number | null)[]): Plan {
  if (read.length === source.columns.length && read.every((column, i) => column === source.columns[i])) return source
  const expressions = read.map((column): Expression => {
    const index = column === null ? -1 : source.columns.indexOf(column)
    const type = source.types[index]
    return type === undefined ? { kind: 'Constant', type: { kind: 'scalar', name: 'BOOLEAN' }, value: { kind: 'null' } }
      : { kind: 'ColumnRef', index, type }
  })
  return { kind: 'Project', rows: source.rows, input: source, expressions }
}
