/**
 * A plan as one SQL text. Every operator is a SELECT of columns c0, c1, … over its input; references are positions.
 * What is read more than once (a CTE, the source of a DelimJoin) is a materialised CTE at the head of the text. An
 * Exchange is a read of its relation: its input is another fragment's text.
 */

import { unreachable } from '../proto/errors.ts'
import { quoteName } from '../proto/sql-text.ts'
import type { DuckType } from '../proto/types.ts'
import { typeOf } from './cut/expressions.ts'
import { emitJoin } from './emit-join.ts'
import { emitExpression, expressionSql, itemSql, orderBySql, type ColumnSql, type Scope } from './emit-expression.ts'
import {
  delimSides, type Aggregate, type Cte, type CteScan, type DelimJoin, type Distinct, type Exchange, type Lateral,
  type Limit, type Plan, type Scan, type SetOperation, type TableFunction, type Values,
} from './plan.ts'
import type { Expression, Order } from './expression.ts'
import { nullSql } from './literal.ts'
import { columnList, from, select, type Relation } from './relation.ts'
import { Unsupported } from './unsupported.ts'
import { width } from './width.ts'

export interface EmitNames {
  /** The relation, quoted if need be, whose columns are named as the table's. */
  scan(scan: Scan): string
  /** The relation whose columns are c0, c1, … */
  exchange(exchange: Exchange): string
  /** The plain name of a table's column. */
  columnName(table: number, column: number): string
}

export interface Emitted {
  readonly sql: string
  /** Columns of the SELECT; if 0, it has one column all the same, which means nothing. */
  readonly width: number
}

export function emit(plan: Plan, names: EmitNames): Emitted {
  return new Emitter(names).statement(plan)
}

/** SQL of expressions over columns c0, c1, …: hash keys of a fragment's output. */
export function emitKeys(expressions: readonly Expression[]): readonly string[] {
  return expressions.map(expression => emitExpression(expression, index => `c${index}`))
}

/**
 * SQL over columns c0, c1, … of a BLOB: rows compare by it as they do by the orders, DuckDB sorts by nothing else. The
 * text at its end makes it one for every type: of few bytes DuckDB would make a BIGINT.
 */
export function emitSortKey(orders: readonly Order[]): string {
  const keys = orders.map(({ expression, direction, nulls }) =>
    `${emitExpression(expression, index => `c${index}`)}, '${direction} NULLS ${nulls}'`)
  return `create_sort_key(${keys.join(', ')}, '', 'ASC NULLS LAST')`
}

/** What is selected from an input; `columns` is all of it. */
type Items = (scope: Scope, columns: readonly string[]) => readonly string[]

class Emitter {
  readonly #names: EmitNames
  /** `name AS MATERIALIZED (…)`, in the order in which they may read each other. */
  readonly #ctes: string[] = []
  readonly #cteScans = new Map<number, Relation>()
  /** Distinct keys of the DelimJoins around, the nearest last. */
  readonly #delimScans: Relation[] = []
  #aliases = 0

  constructor(names: EmitNames) {
    this.#names = names
  }

  statement(plan: Plan): Emitted {
    const { sql } = this.#relation(plan)
    const head = this.#ctes.length === 0 ? '' : `WITH ${this.#ctes.join(', ')} `
    return { sql: head + sql, width: width(plan) }
  }

  #relation(plan: Plan): Relation {
    switch (plan.kind) {
      case 'Scan': return this.#scan(plan)
      case 'TableFunction': return this.#tableFunction(plan)
      case 'Lateral': return this.#lateral(plan)
      case 'OneRow': return { sql: 'SELECT 1 AS c0', width: 1 }
      case 'Empty':
        return select(plan.types.map(nullSql), ' WHERE FALSE')
      case 'Values': return this.#values(plan)
      case 'Project': return this.#over(plan.input, scope => plan.expressions.map(e => expressionSql(e, scope)))
      case 'Filter': {
        const where = (scope: Scope): string =>
          plan.predicates.map(e => condition(e, expressionSql(e, scope))).join(' AND ') || 'TRUE'
        return this.#keep(plan.input, plan.output, scope => ` WHERE ${where(scope)}`)
      }
      case 'Aggregate': return this.#aggregate(plan)
      case 'Join': return emitJoin(plan, this.#relation(plan.left), this.#relation(plan.right), () => this.#alias())
      case 'CrossProduct': return this.#crossProduct(this.#relation(plan.left), this.#relation(plan.right))
      case 'DelimJoin': return this.#delimJoin(plan)
      case 'DelimScan': return this.#delimScans.at(-1) ?? refuse('DelimScan outside a DelimJoin')
      case 'Window': case 'Unnest':
        return this.#over(plan.input, (scope, columns) => [...columns, ...plan.calls.map(e => expressionSql(e, scope))])
      case 'Distinct': return this.#distinct(plan)
      case 'Sort': return this.#keep(plan.input, plan.output, scope => orderBySql(plan.orders, scope))
      case 'TopN':
        return this.#keep(plan.input, null, scope =>
          orderBySql(plan.orders, scope) + limitSql(`${plan.limit}`, plan.offset))
      case 'Limit': return this.#limit(plan)
      case 'SetOperation': return this.#setOperation(plan)
      case 'Cte': return this.#cte(plan)
      case 'CteScan': return this.#cteScan(plan)
      case 'Exchange': return tableOf(this.#names.exchange(plan), width(plan))
      default: return unreachable(plan)
    }
  }

  #alias(): string {
    return `t${++this.#aliases}`
  }

  /** SELECT of items made from the input's columns. */
  #over(input: Plan, items: Items, tail?: (scope: Scope) => string): Relation {
    const relation = this.#relation(input)
    const alias = this.#alias()
    const scope: Scope = { column: columnOf(alias), depth: 0 }
    const columns = Array.from({ length: relation.width }, (_, i) => scope.column(i))
    return select(items(scope, columns), ` FROM ${from(relation, alias)}${tail?.(scope) ?? ''}`)
  }

  /** SELECT of the input's columns, or of those at `output`. */
  #keep(input: Plan, output: readonly number[] | null, tail: (scope: Scope) => string): Relation {
    return this.#over(input, (scope, columns) => output?.map(scope.column) ?? columns, tail)
  }

  #scan(scan: Scan): Relation {
    const alias = this.#alias()
    const column: ColumnSql = index => `${alias}.${quoteName(this.#names.columnName(scan.table, index))}`
    const where = scan.filters.map(filter => condition(filter, emitExpression(filter, column))).join(' AND ')
    const items = scan.columns.map(position => position === null ? 'CAST(NULL AS BOOLEAN)' : column(position))
    return select(items, ` FROM ${this.#names.scan(scan)} AS ${alias}${where === '' ? '' : ` WHERE ${where}`}`)
  }

  #tableFunction({ name, args, named, width: count, columns }: TableFunction): Relation {
    const alias = this.#alias()
    const sql = (arg: Expression): string => emitExpression(arg, () => refuse('column in the arguments of a function'))
    const list = [...args.map(sql), ...named.map(({ name, value }) => `${quoteName(name)} := ${sql(value)}`)]
    const from = ` FROM ${quoteName(name)}(${list.join(', ')}) AS ${alias}(${columnList(count)})`
    return select(columns.map(columnOf(alias)), from)
  }

  /** A function in FROM may read what stands before it. */
  #lateral({ input, name, args, ordinality, width: count, columns, kept }: Lateral): Relation {
    const relation = this.#relation(input)
    const [alias, called] = [this.#alias(), this.#alias()]
    const list = args.map(arg => emitExpression(arg, columnOf(alias))).join(', ')
    const call = `${quoteName(name)}(${list})${ordinality ? ' WITH ORDINALITY' : ''}`
    const items = [...columns.map(columnOf(called)), ...kept.map(columnOf(alias))]
    return select(items, ` FROM ${from(relation, alias)}, ${call} AS ${called}(${columnList(count)})`)
  }

  #values({ input, rowExpressions, width: columns }: Values): Relation {
    if (rowExpressions.length === 0 || columns === 0) return refuse('VALUES without rows')
    if (input.kind === 'OneRow') {
      const item = (expression: Expression) => emitExpression(expression, () => refuse('column in VALUES'))
      const rows = rowExpressions.map(row => `(${row.map(item).join(', ')})`).join(', ')
      return { sql: `SELECT * FROM (VALUES ${rows}) AS ${this.#alias()}(${columnList(columns)})`, width: columns }
    }
    const rows = rowExpressions.map(row => this.#over(input, scope => row.map(e => expressionSql(e, scope))))
    return { sql: rows.map(({ sql }) => `(${sql})`).join(' UNION ALL '), width: columns }
  }

  #crossProduct(left: Relation, right: Relation): Relation {
    const [l, r] = [this.#alias(), this.#alias()]
    const columns = (alias: string, count: number) => Array.from({ length: count }, (_, i) => `${alias}.c${i}`)
    const items = [...columns(l, left.width), ...columns(r, right.width)]
    return select(items, ` FROM ${from(left, l)} CROSS JOIN ${from(right, r)}`)
  }

  /**
   * A group that is not a column becomes one first: a constant in GROUP BY would be the number of a column, and the
   * same expression twice would be one group, which GROUPING SETS tell apart.
   */
  #aggregate(aggregate: Aggregate): Relation {
    const { groups, calls, groupings } = aggregate
    const columns = new Set(groups.map(group => group.kind === 'ColumnRef' ? group.index : null))
    const arePlain = columns.size === groups.length && !columns.has(null)
    const input = arePlain ? this.#relation(aggregate.input)
      : this.#over(aggregate.input, (scope, columns) => [...columns, ...groups.map(e => expressionSql(e, scope))])
    const added = input.width - groups.length
    const alias = this.#alias()
    const scope: Scope = { column: columnOf(alias), depth: 0 }
    const keys = groups.map((group, i) =>
      scope.column(arePlain && group.kind === 'ColumnRef' ? group.index : added + i))
    const at = (positions: readonly number[]) => positions.map(position => keys[position] ?? refuse('group')).join(', ')
    const items = [
      ...keys, ...calls.map(call => expressionSql(call, scope)), ...groupings.map(list => `GROUPING(${at(list)})`),
    ]
    const by = aggregate.sets === null ? keys.join(', ')
      : `GROUPING SETS (${aggregate.sets.map(set => `(${at(set)})`).join(', ')})`
    return select(items, ` FROM ${from(input, alias)}${by === '' ? '' : ` GROUP BY ${by}`}`)
  }

  #distinct({ input, on, targets, orders }: Distinct): Relation {
    const relation = this.#relation(input)
    const alias = this.#alias()
    const scope: Scope = { column: columnOf(alias), depth: 0 }
    const which = on ? `DISTINCT ON (${targets.map(target => itemSql(target, scope)).join(', ')})` : 'DISTINCT'
    const columns = Array.from({ length: relation.width }, (_, i) => scope.column(i))
    return select(columns, ` FROM ${from(relation, alias)}${orderBySql(orders, scope)}`, `${which} `)
  }

  #limit({ input, limit, offset }: Limit): Relation {
    const count = limit === null ? null : limit.kind === 'rows' ? `${limit.value}` : `${limit.value}%`
    return this.#keep(input, null, () => limitSql(count, offset))
  }

  #setOperation({ op, all, inputs }: SetOperation): Relation {
    const relations = inputs.map(input => this.#relation(input))
    const parts = relations.map(relation => select(columnsOf(relation), ` FROM ${from(relation, this.#alias())}`))
    const sql = parts.map(part => `(${part.sql})`).join(` ${op}${all ? ' ALL' : ''} `)
    return { sql, width: relations[0]?.width ?? 0 }
  }

  #cte({ index, definition, query }: Cte): Relation {
    this.#cteScans.set(index, this.#materialise('cte', this.#relation(definition)))
    return this.#relation(query)
  }

  #cteScan({ index, types }: CteScan): Relation {
    const relation = this.#cteScans.get(index)
    return relation?.width === types.length ? relation : refuse('CTE')
  }

  /** The source is computed once; DelimScans in the other side read its distinct keys. */
  #delimJoin(delim: DelimJoin): Relation {
    const { join, source, keys } = delim
    const [sourcePlan, otherPlan] = delimSides(delim)
    const read = this.#materialise('source', this.#relation(sourcePlan))
    const alias = this.#alias()
    const items = keys.map(key => emitExpression(key, columnOf(alias)))
    const distinct = select(items, ` FROM ${from(read, alias)}`, 'DISTINCT ')
    this.#delimScans.push(this.#materialise('keys', distinct))
    const other = this.#relation(otherPlan)
    this.#delimScans.pop()
    const [left, right] = source === 'left' ? [read, other] : [other, read]
    return emitJoin(join, left, right, () => this.#alias())
  }

  #materialise(kind: string, relation: Relation): Relation {
    const name = `${kind}${++this.#aliases}`
    this.#ctes.push(`${name} AS MATERIALIZED (${relation.sql})`)
    return tableOf(name, relation.width)
  }
}

const columnOf = (alias: string): ColumnSql => index => `${alias}.c${index}`
const columnsOf = ({ width }: Relation) => Array.from({ length: width }, (_, i) => `c${i}`)
const tableOf = (table: string, width: number): Relation => ({ sql: `SELECT * FROM ${table}`, table, width })

function limitSql(count: string | null, offset: number): string {
  return (count === null ? '' : ` LIMIT ${count}`) + (offset === 0 ? '' : ` OFFSET ${offset}`)
}

function refuse(reason: string): never {
  throw new Unsupported(reason)
}

/**
 * One of several behind WHERE. Of two bounds of the same value DuckDB makes a BETWEEN, which it cannot run over nested
 * values; it does not know them for bounds in this form.
 */
function condition(predicate: Expression, sql: string): string {
  const bounded = predicate.kind === 'Comparison' && /^[<>]=?$/.test(predicate.op) ? predicate.left
    : predicate.kind === 'Between' ? predicate.input : null
  return bounded !== null && isNested(typeOf(bounded)) ? `(${sql} IS TRUE)` : sql
}

function isNested({ kind }: DuckType): boolean {
  return kind !== 'scalar' && kind !== 'decimal' && kind !== 'enum'
}
