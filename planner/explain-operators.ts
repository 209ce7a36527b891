/**
 * The operators of a fragment for people: one line an operator, columns by the names that they have in their tables, or
 * by the expression that made them. What only passes columns on is left out. Not SQL, and nothing reads it back.
 */

import { unreachable } from '../proto/errors.ts'
import { select } from './cut/columns.ts'
import { columnOf } from './cut/expressions.ts'
import type { Restriction } from './cut/restrict.ts'
import { explainExpression } from './explain-expression.ts'
import type { Expression, Order } from './expression.ts'
import type { Cut, ExplainedFragment, ExplainedOperator } from './fragment.ts'
import type { Aggregate, Join, Plan, Project } from './plan.ts'
import type { PlannerTable } from './planned-query.ts'
import { width } from './width.ts'

/** Of a line: longer ones end in an ellipsis. */
const MAX_TEXT = 240
/** Of a column's name: a longer expression is cut where it is used, not where it is made. */
const MAX_NAME = 40

export function explainFragment(
  cut: Cut, tables: readonly PlannerTable[], restrictions: readonly Restriction[],
): ExplainedFragment {
  const writer = new Writer(cut, tables, restrictions)
  const names = writer.visit(cut.root, 0)
  return { why: cut.why, keys: keysOf(cut, names), operators: writer.lines }
}

function keysOf({ output }: Cut, names: Names): readonly string[] {
  if (output.kind === 'hash') return output.keys.map(key => textOf(key, names))
  return output.kind === 'range' ? output.orders.map(by => order(by, names)) : []
}

type Names = readonly string[]

class Writer {
  readonly lines: ExplainedOperator[] = []
  readonly #cut: Cut
  readonly #tables: readonly PlannerTable[]
  readonly #restrictions: readonly Restriction[]
  readonly #ctes = new Map<number, Names>()
  /** Keys of the DelimJoins around, the nearest last. */
  readonly #delims: Names[] = []
  #isSilent = false

  constructor(cut: Cut, tables: readonly PlannerTable[], restrictions: readonly Restriction[]) {
    this.#cut = cut
    this.#tables = tables
    this.#restrictions = restrictions
  }

  /** Writes the lines of a plan, and answers the names of its columns. */
  visit(plan: Plan, depth: number): Names {
    if (plan.kind === 'Project' && plan.expressions.every(isPassed)) {
      return this.#project(plan, this.visit(plan.input, depth))
    }
    const at = this.lines.length
    const reads = plan.kind === 'Exchange' ? this.#cut.inputs.get(plan) ?? null : null
    if (!this.#isSilent) this.lines.push({ depth, text: '', rows: Math.round(plan.rows), reads })
    const { text, names } = this.#describe(plan, depth + 1)
    const line = this.lines[at]
    if (!this.#isSilent && line !== undefined) this.lines[at] = { ...line, text: shorten(text, MAX_TEXT) }
    return names
  }

  #describe(plan: Plan, depth: number): { readonly text: string; readonly names: Names } {
    switch (plan.kind) {
      case 'Scan': {
        const name = (position: number): string => this.#columnName(plan.table, position)
        const names = plan.columns.map(position => position === null ? '-' : name(position))
        const where = plan.filters.map(filter => explainExpression(filter, name)).join(' AND ')
        const list = names.filter(column => column !== '-').join(', ')
        const table = this.#tables[plan.table]?.name.table ?? '?'
        const by = [...this.#cut.divided.get(plan) ?? []].map(position => `, divided by ${name(position)}`).join('')
        const parts = `${list && `: ${list}`}${where && ` where ${where}`}${by}${this.#within(plan, name)}`
        return { text: `Scan ${table}${parts}`, names }
      }
      case 'Exchange': {
        const names = this.#silently(plan.input, depth)
        const stage = this.#cut.inputs.get(plan)
        const how = plan.reads === 'all' ? 'all of it' : plan.to.kind
        const within = this.#within(plan, position => names[position] ?? `c${position}`)
        return { text: `${stage === undefined ? `Exchange ${how}` : `Read stage ${stage} by ${how}`}${within}`, names }
      }
      case 'OneRow': return { text: 'One row', names: ['1'] }
      case 'Empty': return { text: 'No rows', names: plan.types.map((_, i) => `c${i}`) }
      case 'TableFunction':
        return { text: `${plan.name}(${texts(plan.args, [])})`, names: plan.columns.map(() => plan.name) }
      case 'Lateral': {
        const below = this.visit(plan.input, depth)
        const text = `For each row ${plan.name}(${texts(plan.args, below)})${plan.ordinality ? ' with ordinality' : ''}`
        return { text, names: [...plan.columns.map(() => plan.name), ...select(below, plan.kept)] }
      }
      case 'Values': {
        this.#silently(plan.input, depth)
        const count = plan.rowExpressions.length
        return { text: `${count} row${count === 1 ? '' : 's'} of values`, names: numbered(plan.width) }
      }
      case 'Project': {
        const below = this.visit(plan.input, depth)
        const made = plan.expressions.filter(expression => !isPassed(expression))
        return { text: `Project ${texts(made, below)}`, names: this.#project(plan, below) }
      }
      case 'Filter': {
        const below = this.visit(plan.input, depth)
        const where = plan.predicates.map(predicate => textOf(predicate, below)).join(' AND ')
        return { text: `Filter ${where || 'TRUE'}`, names: select(below, plan.output) }
      }
      case 'Aggregate': return aggregate(plan, this.visit(plan.input, depth))
      case 'Join': return this.#join(plan, depth)
      case 'DelimJoin': return this.#delimJoin(plan, depth)
      case 'CrossProduct': {
        return { text: 'Cross product', names: [...this.visit(plan.left, depth), ...this.visit(plan.right, depth)] }
      }
      case 'DelimScan': return { text: 'Scan the keys of the correlation', names: this.#delims.at(-1) ?? [] }
      case 'Window': case 'Unnest': {
        const below = this.visit(plan.input, depth)
        const calls = plan.calls.map(call => textOf(call, below))
        return { text: `${plan.kind} ${calls.join(', ')}`, names: [...below, ...calls] }
      }
      case 'Distinct': {
        const below = this.visit(plan.input, depth)
        const on = plan.on ? ` on ${texts(plan.targets, below)}` : ''
        return { text: `Distinct${on}${orders(plan.orders, below)}`, names: below }
      }
      case 'Sort': {
        const below = this.visit(plan.input, depth)
        return { text: `Sort${orders(plan.orders, below)}`, names: select(below, plan.output) }
      }
      case 'TopN': {
        const below = this.visit(plan.input, depth)
        return { text: `TopN ${plan.limit}${offset(plan.offset)}${orders(plan.orders, below)}`, names: below }
      }
      case 'Limit': {
        const limit = plan.limit === null ? '' : ` ${plan.limit.value}${plan.limit.kind === 'percent' ? '%' : ''}`
        return { text: `Limit${limit}${offset(plan.offset)}`, names: this.visit(plan.input, depth) }
      }
      case 'SetOperation': {
        const [first = []] = plan.inputs.map(input => this.visit(input, depth))
        return { text: `${plan.op}${plan.all ? ' ALL' : ''}`, names: first }
      }
      case 'Cte': {
        this.#ctes.set(plan.index, this.visit(plan.definition, depth))
        return { text: 'With a common table expression', names: this.visit(plan.query, depth) }
      }
      case 'CteScan':
        return { text: 'Scan the expression', names: this.#ctes.get(plan.index) ?? numbered(plan.types.length) }
      default: return unreachable(plan)
    }
  }

  /** What of it each task leaves out. */
  #within(relation: Plan, name: (position: number) => string): string {
    return this.#restrictions.filter(one => one.relation === relation).map(({ column, by, byColumn }) => {
      const table = this.#tables[by.table]?.name.table ?? '?'
      return `, ${name(column)} within its ${table}.${this.#columnName(by.table, byColumn)}`
    }).join('')
  }

  #columnName(table: number, position: number): string {
    return this.#tables[table]?.columns[position]?.name ?? `c${position}`
  }

  #silently(plan: Plan, depth: number): Names {
    const wasSilent = this.#isSilent
    this.#isSilent = true
    const names = this.visit(plan, depth)
    this.#isSilent = wasSilent
    return names
  }

  #project({ expressions }: Project, below: Names): Names {
    return expressions.map(expression => textOf(expression, below))
  }

  #delimJoin({ join, source, keys }: Extract<Plan, { kind: 'DelimJoin' }>, depth: number) {
    const first = this.visit(source === 'left' ? join.left : join.right, depth)
    this.#delims.push(keys.map(key => textOf(key, first)))
    const second = this.visit(source === 'left' ? join.right : join.left, depth)
    this.#delims.pop()
    return described(join, source === 'left' ? first : second, source === 'left' ? second : first)
  }

  #join(join: Join, depth: number) {
    return described(join, this.visit(join.left, depth), this.visit(join.right, depth))
  }
}

/** A column of the input, or the NULL that stands for one that nobody reads. */
function isPassed(expression: Expression): boolean {
  return columnOf(expression) !== null || (expression.kind === 'Constant' && expression.value.kind === 'null')
}

function described(join: Join, left: Names, right: Names): { readonly text: string; readonly names: Names } {
  const conditions = join.conditions.map(({ left: l, op, right: r }) => `${textOf(l, left)} ${op} ${textOf(r, right)}`)
  const both = [...padded(left, width(join.left)), ...right]
  if (join.predicate !== null) conditions.push(textOf(join.predicate, both))
  const text = `${join.asof ? 'ASOF ' : ''}${join.type} join on ${conditions.join(' AND ')}`
  return { text, names: joinNames(join, select(left, join.leftOutput), select(right, join.rightOutput)) }
}

function joinNames({ type }: Join, left: Names, right: Names): Names {
  switch (type) {
    case 'SEMI': case 'ANTI': return left
    case 'RIGHT_SEMI': case 'RIGHT_ANTI': return right
    case 'MARK': return [...left, 'mark']
    case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL': case 'SINGLE': return [...left, ...right]
    default: return unreachable(type)
  }
}

function padded(names: Names, count: number): Names {
  return [...names, ...numbered(Math.max(0, count - names.length))]
}

function aggregate({ groups, calls, sets, groupings }: Aggregate, below: Names) {
  const keys = groups.map(group => textOf(group, below))
  const at = (positions: readonly number[]): string => positions.map(i => keys[i] ?? '?').join(', ')
  const made = [...calls.map(call => textOf(call, below)), ...groupings.map(positions => `grouping(${at(positions)})`)]
  const by = sets !== null ? ` by sets ${sets.map(set => `(${at(set)})`).join(' ')}`
    : keys.length > 0 ? ` by ${keys.join(', ')}` : ''
  const list = made.length === 0 ? '' : `${by === '' ? '' : ':'} ${made.join(', ')}`
  return { text: `Aggregate${by}${list}`, names: [...keys, ...made] }
}

function textOf(expression: Expression, names: Names): string {
  return explainExpression(expression, index => inside(names[index] ?? `c${index}`))
}

function texts(expressions: readonly Expression[], names: Names): string {
  return expressions.map(expression => textOf(expression, names)).join(', ')
}

/** An expression that stands for a column keeps together where it is used. */
function inside(name: string): string {
  const short = shorten(name, MAX_NAME)
  return !name.includes(' ') || isCall(name) ? short : `(${short})`
}

/** Its first parenthesis ends at its end. */
function isCall(name: string): boolean {
  if (!/^\w*\(/.test(name)) return false
  let depth = 0
  for (let i = 0; i < name.length; i++) {
    if (name[i] === '(') depth++
    if (name[i] === ')' && --depth === 0) return i === name.length - 1
  }
  return false
}

function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

/** What is the default is not said. */
function orders(list: readonly Order[], names: Names): string {
  if (list.length === 0) return ''
  return ` by ${list.map(by => order(by, names)).join(', ')}`
}

function order({ expression, direction, nulls }: Order, names: Names): string {
  return `${textOf(expression, names)}${direction === 'DESC' ? ' DESC' : ''}${nulls === 'FIRST' ? ' NULLS FIRST' : ''}`
}

function offset(rows: number): string {
  return rows === 0 ? '' : ` offset ${rows}`
}

function numbered(count: number): Names {
  return Array.from({ length: count }, (_, i) => `c${i}`)
}
