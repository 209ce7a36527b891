/**
 * A plan as text: one line a node, its inputs below it, indented by two spaces. What golden files hold and what a
 * reviewer reads; nothing reads it back. Columns are c0, c1, … of the input; of a join's inputs l0, … and r0, ….
 */

import { unreachable } from '../proto/errors.ts'
import { explainExpression, explainOrders, type ColumnText } from './explain-expression.ts'
import type { Expression, Order } from './expression.ts'
import { inputs, type Aggregate, type Join, type Partitioning, type Plan, type Scan } from './plan.ts'
import { width } from './width.ts'

export interface ExplainNames {
  table(table: number): string
  column(table: number, column: number): string
}

const numbers: ExplainNames = { table: table => `table${table}`, column: (_, column) => `${column}` }

export function explainPlan(plan: Plan, names: ExplainNames = numbers, indent = ''): string {
  const below = inputs(plan).map(input => explainPlan(input, names, `${indent}  `)).join('')
  return `${indent}${describe(plan, names)}\n${below}`
}

function describe(plan: Plan, names: ExplainNames): string {
  switch (plan.kind) {
    case 'Scan': return scan(plan, names)
    case 'TableFunction': {
      const named = plan.named.map(({ name, value }) => `, ${name} := ${explainExpression(value, ofInput)}`)
      return `TableFunction ${plan.name}(${list(plan.args)}${named.join('')})`
    }
    case 'Lateral': {
      const call = `${plan.name}(${list(plan.args)})${plan.ordinality ? ' with ordinality' : ''}`
      return `Lateral ${call}${output(plan.columns, 'f')}${output(plan.kept)}`
    }
    case 'OneRow': return 'OneRow'
    case 'Empty': return `Empty ${plan.types.length} columns`
    case 'Values': return `Values ${plan.rowExpressions.map(row => `(${list(row)})`).join(', ')}`
    case 'Project': return `Project ${list(plan.expressions)}`
    case 'Filter': return `Filter ${conjunction(plan.predicates)}${output(plan.output)}`
    case 'Aggregate': return aggregate(plan)
    case 'Join': return `Join ${join(plan)}`
    case 'CrossProduct': return 'CrossProduct'
    case 'DelimJoin': return `DelimJoin ${join(plan.join)} distinct ${plan.source} [${list(plan.keys)}]`
    case 'DelimScan': return `DelimScan ${plan.types.length} columns`
    case 'Window': return `Window ${list(plan.calls)}`
    case 'Distinct': return `Distinct${plan.on ? ` on [${list(plan.targets)}]` : ''}${by(plan.orders)}`
    case 'Sort': return `Sort${by(plan.orders)}${output(plan.output)}`
    case 'TopN': return `TopN ${plan.limit}${offset(plan.offset)}${by(plan.orders)}`
    case 'Limit': {
      const limit = plan.limit === null ? '' : ` ${plan.limit.value}${plan.limit.kind === 'percent' ? '%' : ''}`
      return `Limit${limit}${offset(plan.offset)}`
    }
    case 'SetOperation': return `${plan.op}${plan.all ? ' ALL' : ''}`
    case 'Unnest': return `Unnest ${list(plan.calls)}`
    case 'Cte': return `Cte ${plan.index}`
    case 'CteScan': return `CteScan ${plan.index}`
    case 'Exchange': {
      const shared = plan.shared === null ? '' : ` shared ${plan.shared}`
      return `Exchange ${to(plan.to)}${shared}${plan.reads === 'all' ? ', all of it' : ''}`
    }
    default: return unreachable(plan)
  }
}

const ofInput: ColumnText = index => `c${index}`
const list = (expressions: readonly Expression[]) => expressions.map(e => explainExpression(e, ofInput)).join(', ')
const conjunction = (predicates: readonly Expression[]) =>
  predicates.map(e => explainExpression(e, ofInput)).join(' AND ') || 'TRUE'
const by = (orders: readonly Order[]) => orders.length === 0 ? '' : ` by ${explainOrders(orders, ofInput)}`
const output = (positions: readonly number[] | null, column = 'c') =>
  positions === null ? '' : ` -> [${positions.map(position => `${column}${position}`).join(', ')}]`
const offset = (rows: number) => rows === 0 ? '' : ` offset ${rows}`

function scan({ table, columns, filters }: Scan, names: ExplainNames): string {
  const name: ColumnText = index => names.column(table, index)
  const read = columns.map(position => position === null ? '-' : name(position)).join(', ')
  const where = filters.map(filter => explainExpression(filter, name)).join(' AND ')
  return `Scan ${names.table(table)} [${read}]${where === '' ? '' : ` where ${where}`}`
}

function aggregate({ groups, calls, sets, groupings }: Aggregate): string {
  const grouping = groupings.map(positions => `grouping(${positions.map(i => `g${i}`).join(', ')})`)
  const setText = sets === null ? '' : ` sets ${sets.map(set => `(${set.map(i => `g${i}`).join(', ')})`).join(' ')}`
  const callText = [...calls.map(call => explainExpression(call, ofInput)), ...grouping].join(', ')
  return `Aggregate by [${list(groups)}]${setText}${callText === '' ? '' : ` ${callText}`}`
}

function join({ type, asof, left, conditions, predicate, leftOutput, rightOutput }: Join): string {
  const leftWidth = width(left)
  const all = conditions.map(({ left, op, right }) =>
    `${explainExpression(left, i => `l${i}`)} ${op} ${explainExpression(right, i => `r${i}`)}`)
  const side: ColumnText = i => i < leftWidth ? `l${i}` : `r${i - leftWidth}`
  if (predicate !== null) all.push(explainExpression(predicate, side))
  return `${asof ? 'ASOF ' : ''}${type} ${all.join(' AND ')}${output(leftOutput, 'l')}${output(rightOutput, 'r')}`
}

function to(partitioning: Partitioning): string {
  if (partitioning.kind === 'range') return `range(${explainOrders(partitioning.orders, ofInput)})`
  return partitioning.kind === 'hash' ? `hash(${list(partitioning.keys)})` : partitioning.kind
}
