/**
 * Aggregates that can be made of parts: each task aggregates its rows, and the parts are aggregated again.
 *
 *   count(x)                of count           CAST(coalesce(sum(part), 0))
 *   sum(x), count_if(x)     of it              sum(part)
 *   avg(x)                  of sum, count      sum(sums) / sum(counts), as DOUBLE
 *   min max bool bit any_value                 the same again
 *   first(x), last(x)       of it and count(*) the same, of the parts that had a row
 *   arg_min(x, y)           of it and min(y)   the same over the pairs
 *   count(DISTINCT x)       of x as a group    count(DISTINCT group)
 *
 * A FILTER is applied in the parts. Everything else (ORDER BY inside, list, median, stddev, …) has no parts here: its
 * rows move. Sums of floats may differ in the last bits from those of one task, as they do between runs of DuckDB.
 */

import type { DuckType } from '../../proto/types.ts'
import type { AggregateCall, Expression } from '../expression.ts'
import { column, typeOf } from './expressions.ts'

export interface Parts {
  /** Calls over the parts. */
  readonly calls: readonly AggregateCall[]
  /** The value, made of the values of `calls`; null: the only call is the value. */
  readonly value: ((made: readonly Expression[]) => Expression) | null
}

const BIGINT: DuckType = { kind: 'scalar', name: 'BIGINT' }
const HUGEINT: DuckType = { kind: 'scalar', name: 'HUGEINT' }
const DOUBLE: DuckType = { kind: 'scalar', name: 'DOUBLE' }

/** Of these the parts are combined by the same call. */
const ITSELF: ReadonlySet<string> = new Set([
  'min', 'max', 'bool_and', 'bool_or', 'bit_and', 'bit_or', 'bit_xor', 'any_value', 'product',
])
/** DISTINCT changes nothing. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['min', 'max', 'bool_and', 'bool_or', 'bit_and', 'bit_or', 'any_value'])
/** Of no rows count_if is NULL, as a sum is. */
const SUM: ReadonlySet<string> = new Set(['sum', 'sum_no_overflow', 'count_if', 'countif'])
const COUNT: ReadonlySet<string> = new Set(['count', 'count_star'])
const FIRST: ReadonlySet<string> = new Set(['first', 'last', 'arbitrary'])
const BEST: Readonly<Record<string, 'min' | 'max'>> = {
  arg_min: 'min', argmin: 'min', min_by: 'min', arg_max: 'max', argmax: 'max', max_by: 'max',
}

/** Has the tasks make a call over their rows; gives the position of its column in what they write. */
export type AddPart = (call: AggregateCall) => number

/**
 * How a call is made of parts; null if it is not. `keys`: groups of the parts that are not groups of the aggregate, so
 * that DISTINCT can be told from them.
 */
export function partsOf(call: AggregateCall, add: AddPart, keys: readonly Expression[]): Parts | null {
  if (call.orders.length > 0 || call.bound.length > 0) return null
  if (call.distinct && !IDEMPOTENT.has(call.name)) return distinctParts(call, keys)
  if (call.children.length <= 1) {
    if (COUNT.has(call.name)) return countParts(call, add)
    if (SUM.has(call.name)) return sumParts(call, add)
    if (call.name === 'avg') return averageParts(call, add)
    if (FIRST.has(call.name)) return firstParts(call, add)
    if (ITSELF.has(call.name)) return { calls: [over(call, [column(add(call), call.type)])], value: null }
  }
  return call.children.length === 2 ? bestParts(call, add) : null
}

/** A call over parts: no FILTER and no DISTINCT any more. */
function over(call: AggregateCall, children: readonly Expression[]): AggregateCall {
  return { ...call, children, distinct: false, filter: null }
}

function distinctParts(call: AggregateCall, keys: readonly Expression[]): Parts | null {
  const positions = call.children.map(child => keys.indexOf(child))
  if (call.filter !== null || positions.length === 0 || positions.includes(-1)) return null
  const children = positions.map((position, i) => column(position, typeOf(call.children[i] ?? call)))
  return { calls: [{ ...call, children }], value: null }
}

function countParts(call: AggregateCall, add: AddPart): Parts {
  const sum = over({ ...call, name: 'sum', type: HUGEINT }, [column(add(call), call.type)])
  const zero: Expression = { kind: 'Constant', value: { kind: 'integer', value: 0n }, type: HUGEINT }
  return {
    calls: [sum],
    value: made => cast({ kind: 'Operator', op: 'COALESCE', children: [...made, zero], type: HUGEINT }, call.type),
  }
}

function sumParts(call: AggregateCall, add: AddPart): Parts {
  return { calls: [over({ ...call, name: 'sum' }, [column(add(call), call.type)])], value: null }
}

function averageParts(call: AggregateCall, add: AddPart): Parts | null {
  const sumType = averagedAs(call.children.map(typeOf)[0])
  if (sumType === null) return null
  const sum: AggregateCall = { ...call, name: 'sum', type: sumType }
  const count: AggregateCall = { ...call, name: 'count', type: BIGINT }
  const counts = over({ ...count, name: 'sum', type: HUGEINT }, [column(add(count), BIGINT)])
  return {
    calls: [over(sum, [column(add(sum), sumType)]), counts],
    value: made => cast({
      kind: 'Call', name: '/', children: made.map(part => cast(part, DOUBLE)), type: DOUBLE, isOperator: true,
      aliases: [],
    }, call.type),
  }
}

/** The type of the sum that DuckDB's avg divides; null where avg is not of numbers. */
function averagedAs(type: DuckType | undefined): DuckType | null {
  if (type?.kind === 'decimal') return { kind: 'decimal', width: 38, scale: type.scale }
  if (type?.kind !== 'scalar') return null
  switch (type.name) {
    case 'TINYINT': case 'SMALLINT': case 'INTEGER': case 'BIGINT':
    case 'UTINYINT': case 'USMALLINT': case 'UINTEGER': case 'UBIGINT': return HUGEINT
    case 'FLOAT': case 'DOUBLE': return DOUBLE
    default: return null
  }
}

/** first and last take a NULL as it comes, so a task without rows must not have a say. */
function firstParts(call: AggregateCall, add: AddPart): Parts {
  const rows: AggregateCall = { ...call, name: 'count_star', children: [], type: BIGINT }
  const zero: Expression = { kind: 'Constant', value: { kind: 'integer', value: 0n }, type: BIGINT }
  const filter: Expression = { kind: 'Comparison', op: '>', left: column(add(rows), BIGINT), right: zero }
  return { calls: [{ ...over(call, [column(add(call), call.type)]), filter }], value: null }
}

/** A row whose first argument is NULL does not take part. */
function bestParts(call: AggregateCall, add: AddPart): Parts | null {
  const name = BEST[call.name]
  const [value, by] = call.children
  if (name === undefined || value === undefined || by === undefined) return null
  const known: Expression = { kind: 'Operator', op: 'IS NOT NULL', children: [value], type: BOOLEAN }
  const filter: Expression =
    call.filter === null ? known : { kind: 'Conjunction', op: 'AND', children: [call.filter, known] }
  const best: AggregateCall = { ...call, name, children: [by], filter, type: typeOf(by) }
  return { calls: [over(call, [column(add(call), call.type), column(add(best), typeOf(by))])], value: null }
}

const BOOLEAN: DuckType = { kind: 'scalar', name: 'BOOLEAN' }

function cast(child: Expression, type: DuckType): Expression {
  return { kind: 'Cast', child, type, try: false, origin: null }
}
