/**
 * Calls of scalar functions in the plan's JSON. DuckDB itself binds a function again from its children when it reads a
 * plan back, unless the function serialises what it bound (`has_serialize`); so may we. Of the latter, those whose
 * bind data can be said in SQL are listed here, and all others are Unsupported.
 */

import { decodeExpression, decodeExpressions } from './decode-expression.ts'
import { FUNCTION_FIELDS } from './decode-fields.ts'
import { decodeType } from './decode-type.ts'
import type { Call, Constant, Expression, Lambda } from './expression.ts'
import type { JsonNode } from './json-node.ts'

export function decodeFunction(node: JsonNode): Call | Lambda {
  node.only(...FUNCTION_FIELDS, 'is_operator')
  const name = functionName(node)
  if (name.startsWith('__internal') || readsItsSurroundings.has(name)) node.refuse(`function ${name}`)
  const data = bindData(node)
  if (data?.has('lambda_expr') === true) return lambda(node, name, data)
  const children = node.list('children')
  if (name === 'age' && children.length === 1) node.refuse('age(x) reads the clock where it runs')
  const args = decodeExpressions(children)
  if (modulos.has(name) && isDouble(node) && mayBeDecimal(args)) node.refuse('modulo of doubles or of decimals')
  const bound = data === null ? [] : boundArguments(node, name, data)
  return {
    kind: 'Call', name, children: [...args, ...bound], type: decodeType(node.node('return_type')),
    isOperator: node.boolean('is_operator'),
    aliases: takesNames.has(name) ? children.map(child => child.text('alias')) : [],
  }
}

/** What they say depends on the statement, the connection or the plan in which they are run. */
const readsItsSurroundings: ReadonlySet<string> = new Set([
  'alias', 'current_query', 'current_query_id', 'current_connection_id', 'current_transaction_id', 'stats', 'setseed',
  'write_log', 'nextval', 'currval',
])
/** Functions of `name := value`. */
const takesNames: ReadonlySet<string> = new Set(['struct_insert', 'struct_update', 'union_value'])
/** Functions whose bind data is the type of their result, which follows from their arguments. */
const bindsItsType: ReadonlySet<string> = new Set([...takesNames, 'struct_pack', 'row'])
const decimalArithmetic: ReadonlySet<string> = new Set(['+', '-', '*'])
/** Their bind data is the aggregate that the second argument names. */
const listAggregates: ReadonlySet<string> = new Set([
  'list_aggregate', 'list_aggr', 'aggregate', 'array_aggregate', 'array_aggr',
])
const modulos: ReadonlySet<string> = new Set(['%', 'mod'])

/** The name in DuckDB's own catalog; what a user made has no meaning elsewhere. */
export function functionName(node: JsonNode): string {
  const [catalog, schema] = [node.text('catalog_name'), node.text('schema_name')]
  if ((catalog !== 'system' && catalog !== '') || (schema !== 'main' && schema !== '')) {
    node.refuse(`function of ${catalog}.${schema}`)
  }
  return node.text('name')
}

/** What the function bound, or null; arguments that binding took away must be in it. */
export function bindData(node: JsonNode): JsonNode | null {
  const data = node.has('function_data') ? node.node('function_data') : null
  if (node.boolean('has_serialize') !== (data !== null)) node.refuse('function data')
  const declared = node.list('original_arguments').length
  if (data === null && declared > 0 && declared !== node.list('children').length) node.refuse('arguments bound away')
  return data
}

function isDouble(node: JsonNode): boolean {
  const type = decodeType(node.node('return_type'))
  return type.kind === 'scalar' && type.name === 'DOUBLE'
}

/**
 * Decimals that are too wide together are cast to DOUBLE, but x % 0 of them stays NULL where that of doubles is NaN.
 * The plan does not tell the two apart, unless an operand is a double by itself or the divisor is not 0.
 */
function mayBeDecimal(args: readonly Expression[]): boolean {
  const divisor = args[1]
  if (divisor?.kind === 'Constant' && divisor.value.kind === 'float' && Number(divisor.value.text) !== 0) return false
  return args.every(({ kind }) => kind === 'Cast' || kind === 'Constant')
}

/** Arguments that binding took away: they follow the children. */
function boundArguments(node: JsonNode, name: string, data: JsonNode): readonly Expression[] {
  if (bindsItsType.has(name)) {
    data.only('variable_return_type')
    return []
  }
  if (decimalArithmetic.has(name)) {
    data.only('check_overflow', 'return_type', 'arguments')
    return []
  }
  if (!listAggregates.has(name)) return node.refuse(`function data of ${name}`)
  const aggregate = data.only('bind_data').node('bind_data').only('stype', 'aggr_expr').node('aggr_expr')
  if (!aggregate.has('function_data')) return []
  if (node.list('children').length !== 2) return node.refuse(`arguments of ${name}`)
  return [textConstant(aggregate.node('function_data').only('separator').text('separator'))]
}

export function textConstant(value: string): Constant {
  return { kind: 'Constant', type: { kind: 'scalar', name: 'VARCHAR' }, value: { kind: 'text', value } }
}

/** The body counts columns from the parameters on, the last parameter first; then the captures, which are children. */
function lambda(node: JsonNode, name: string, data: JsonNode): Lambda {
  data.only('return_type', 'lambda_expr', 'has_index', 'has_initial')
  const [list, ...others] = decodeExpressions(node.list('children'))
  const initial = data.boolean('has_initial') ? others[0] : null
  if (list === undefined || initial === undefined) return node.refuse('lambda without a list')
  const captures = initial === null ? others : others.slice(1)
  return {
    kind: 'Lambda', name, list, captures, initial,
    parameters: (name.includes('reduce') ? 2 : 1) + (data.boolean('has_index') ? 1 : 0),
    body: decodeExpression(data.node('lambda_expr')), type: decodeType(node.node('return_type')),
  }
}
