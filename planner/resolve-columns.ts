/**
 * Column references of the plan's JSON that DuckDB has left as bindings (table and column of the operator that makes
 * the column) become positions in the input, as all others are. It leaves them below a table function that reads rows,
 * as in `FROM t, unnest(t.list)`. What cannot be resolved stays, and decoding refuses it.
 */

/** A binding as text; null: the columns of the operator are not known here. */
type Bindings = readonly string[] | null
interface Tree { readonly [key: string]: unknown }

export const UNRESOLVED = 'BOUND_COLUMN_REF'

export function resolveColumns(plan: unknown): unknown {
  if (Array.isArray(plan)) return plan.map(resolveColumns)
  if (!isTree(plan)) return plan
  if (isOperator(plan)) return resolved(plan).node
  return Object.fromEntries(Object.entries(plan).map(([key, value]) => [key, resolveColumns(value)]))
}

interface Resolved {
  readonly node: Tree
  readonly bindings: Bindings
}

function resolved(node: Tree): Resolved {
  const inputs = items(node['children']).flatMap(child => isTree(child) ? [resolved(child)] : [])
  const bindings = inputs.map(input => input.bindings)
  const fields = Object.entries(node).map(([key, value]): [string, unknown] =>
    [key, key === 'children' ? inputs.map(input => input.node) : withPositions(value, scopeOf(node, key, bindings))])
  const made: Tree = Object.fromEntries(fields)
  return { node: made, bindings: outputOf(made, bindings) }
}

/** The columns that the expressions of a field are over. */
function scopeOf(node: Tree, key: string, [left = null, right]: readonly Bindings[]): Scope {
  if (right === undefined) return { all: left, left, right: null }
  const source = node['delim_flipped'] === true ? right : left
  return { all: key === 'duplicate_eliminated_columns' ? source : both(left, right), left, right }
}

/** Of a join's conditions each side is over its own input. */
interface Scope { readonly all: Bindings; readonly left: Bindings; readonly right: Bindings }

function withPositions(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map(item => withPositions(item, scope))
  if (!isTree(value)) return value
  if (value['expression_class'] === UNRESOLVED) return positioned(value, scope.all)
  const isCondition = 'comparison' in value && 'left' in value && 'right' in value
  const own = (key: string): Scope => {
    const side = isCondition && key === 'left' ? scope.left : isCondition && key === 'right' ? scope.right : scope.all
    return isCondition ? { all: side, left: side, right: side } : scope
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withPositions(item, own(key))]))
}

function positioned(reference: Tree, scope: Bindings): Tree {
  const { binding, depth, ...others } = reference
  const index = scope?.indexOf(bindingText(binding)) ?? -1
  return index < 0 || depth !== 0 ? reference
    : { ...others, expression_class: 'BOUND_REF', type: 'BOUND_REF', index }
}

/** What comes out of the operator, as DuckDB's GetColumnBindings says it. */
function outputOf(node: Tree, [left = null, right = null]: readonly Bindings[]): Bindings {
  const made = (table: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, i) => `${numberText(node[table])}.${i}`)
  const count = (field: string): number => items(node[field]).length
  switch (node['type']) {
    case 'LOGICAL_GET': {
      const read = made('table_index', Math.max(1, count('column_indexes')))
      const kept = items(node['projection_ids']).map(position => read[Number(position)] ?? '')
      const passed = items(node['projected_input']).map(position => left?.[Number(position)] ?? '')
      return [...kept.length > 0 ? kept : read, ...passed]
    }
    case 'LOGICAL_PROJECTION': return made('table_index', count('expressions'))
    case 'LOGICAL_DELIM_GET': case 'LOGICAL_CTE_REF': return made('table_index', count('chunk_types'))
    case 'LOGICAL_DUMMY_SCAN': return made('table_index', 1)
    case 'LOGICAL_EXPRESSION_GET': return made('table_index', count('expr_types'))
    case 'LOGICAL_EMPTY_RESULT': return items(node['bindings']).map(bindingText)
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
      return [
        ...made('group_index', count('groups')), ...made('aggregate_index', count('expressions')),
        ...made('groupings_index', count('grouping_functions')),
      ]
    case 'LOGICAL_WINDOW': return both(left, made('window_index', count('expressions')))
    case 'LOGICAL_UNNEST': return both(left, made('unnest_index', count('expressions')))
    case 'LOGICAL_FILTER': return count('projection_map') > 0 ? null : left
    case 'LOGICAL_ORDER_BY': return count('projections') > 0 ? null : left
    case 'LOGICAL_LIMIT': case 'LOGICAL_TOP_N': case 'LOGICAL_DISTINCT': return left
    case 'LOGICAL_CROSS_PRODUCT': return both(left, right)
    case 'LOGICAL_COMPARISON_JOIN': case 'LOGICAL_DELIM_JOIN': case 'LOGICAL_ANY_JOIN': case 'LOGICAL_ASOF_JOIN':
      return joined(node, left, right)
    case 'LOGICAL_MATERIALIZED_CTE': return right
    case 'LOGICAL_UNION': case 'LOGICAL_EXCEPT': case 'LOGICAL_INTERSECT':
      return made('table_index', Number(node['column_count']))
    default: return null
  }
}

function joined(node: Tree, left: Bindings, right: Bindings): Bindings {
  if (items(node['left_projection_map']).length > 0 || items(node['right_projection_map']).length > 0) return null
  switch (node['join_type']) {
    case 'SEMI': case 'ANTI': return left
    case 'RIGHT_SEMI': case 'RIGHT_ANTI': return right
    case 'MARK': return both(left, [`${numberText(node['mark_index'])}.0`])
    default: return both(left, right)
  }
}

function both(left: Bindings, right: Bindings): Bindings {
  return left === null || right === null ? null : [...left, ...right]
}

function bindingText(binding: unknown): string {
  return isTree(binding) ? `${numberText(binding['table_index'])}.${numberText(binding['column_index'])}` : ''
}

/** Numbers that a double may not hold are wrapped; see json-node.ts. */
function numberText(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isOperator(node: Tree): boolean {
  return typeof node['type'] === 'string' && node['type'].startsWith('LOGICAL_')
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
