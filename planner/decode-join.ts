/** Joins in the plan's JSON. Their inputs are decoded already. */

import { decodeComparison, decodeExpression, decodeExpressions, decodeName } from './decode-expression.ts'
import { OPERATOR_FIELDS } from './decode-fields.ts'
import type { JsonNode } from './json-node.ts'
import type { DelimJoin, Join, JoinCondition, JoinType, Plan } from './plan.ts'

const JOIN_FIELDS = [
  ...OPERATOR_FIELDS, 'join_type', 'mark_index', 'left_projection_map', 'right_projection_map',
] as const
const COMPARISON_FIELDS = [
  ...JOIN_FIELDS, 'conditions', 'mark_types', 'duplicate_eliminated_columns', 'delim_flipped', 'predicate',
] as const

const joinTypes: Readonly<Record<string, JoinType>> = {
  INNER: 'INNER', LEFT: 'LEFT', RIGHT: 'RIGHT', FULL: 'FULL', OUTER: 'FULL', SEMI: 'SEMI', ANTI: 'ANTI',
  RIGHT_SEMI: 'RIGHT_SEMI', RIGHT_ANTI: 'RIGHT_ANTI', MARK: 'MARK', SINGLE: 'SINGLE',
}

interface JoinInputs {
  readonly rows: number
  readonly left: Plan
  readonly right: Plan
}

/** COMPARISON_JOIN and ASOF_JOIN. */
export function decodeComparisonJoin(node: JsonNode, inputs: JoinInputs): Join {
  if (!node.node('duplicate_eliminated_columns').isEmptyList()) node.refuse('eliminated duplicates')
  return comparisonJoin(node, inputs)
}

/** The side whose duplicates are eliminated is the left one, or the right one if flipped. */
export function decodeDelimJoin(node: JsonNode, inputs: JoinInputs): DelimJoin {
  const join = comparisonJoin(node, inputs)
  const keys = decodeExpressions(node.list('duplicate_eliminated_columns'))
  return { kind: 'DelimJoin', rows: inputs.rows, join, source: node.boolean('delim_flipped') ? 'right' : 'left', keys }
}

/** A join on any one condition, over left and then right columns. */
export function decodeAnyJoin(node: JsonNode, inputs: JoinInputs): Join {
  node.only(...JOIN_FIELDS, 'condition')
  const type = decodeName(node, 'join_type', joinTypes)
  if (type === 'MARK') node.refuse('mark join on any condition') // EXISTS would lose the third truth value
  return join(node, inputs, type, { conditions: [], predicate: decodeExpression(node.node('condition')) })
}

function comparisonJoin(node: JsonNode, inputs: JoinInputs): Join {
  node.only(...COMPARISON_FIELDS)
  if (node.nullable('predicate') !== null) node.refuse('join predicate')
  const conditions = node.list('conditions').map(condition)
  if (conditions.length === 0) node.refuse('join without conditions')
  return join(node, inputs, decodeName(node, 'join_type', joinTypes), { conditions, predicate: null })
}

function join(
  node: JsonNode, { rows, left, right }: JoinInputs, type: JoinType, on: Pick<Join, 'conditions' | 'predicate'>,
): Join {
  return {
    kind: 'Join', rows, type, asof: node.text('type') === 'LOGICAL_ASOF_JOIN', left, right, ...on,
    leftOutput: decodeProjection(node, 'left_projection_map'),
    rightOutput: decodeProjection(node, 'right_projection_map'),
  }
}

function condition(node: JsonNode): JoinCondition {
  node.only('left', 'right', 'comparison')
  return {
    left: decodeExpression(node.node('left')), op: decodeComparison(node, 'comparison'),
    right: decodeExpression(node.node('right')),
  }
}

/** Positions of the input that come out; DuckDB writes all of them, in order, as an empty list. */
export function decodeProjection(node: JsonNode, field: string): readonly number[] | null {
  const positions = node.counts(field)
  return positions.length === 0 ? null : positions
}
