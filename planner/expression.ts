/**
 * Expressions of a plan: DuckDB's bound expression classes as an immutable union. Columns are positions in the input
 * of the operator that holds the expression (of a join: left columns first, then right). Every type is the one DuckDB
 * bound, and no name is left to be resolved.
 */

import type { CastOrigin } from '../proto/cast-mark.ts'
import type { DuckType } from '../proto/types.ts'

export type Expression =
  | ColumnRef | Constant | Comparison | Conjunction | Between | Case | Cast | Operator | Call | Lambda | AggregateCall
  | WindowCall | UnnestCall

/** Column `index` of the input. */
export interface ColumnRef { readonly kind: 'ColumnRef'; readonly index: number; readonly type: DuckType }
export interface Constant { readonly kind: 'Constant'; readonly value: Literal; readonly type: DuckType }
export interface Comparison {
  readonly kind: 'Comparison'; readonly op: ComparisonOp; readonly left: Expression; readonly right: Expression
}
export interface Conjunction {
  readonly kind: 'Conjunction'; readonly op: 'AND' | 'OR'; readonly children: readonly Expression[]
}
export interface Between {
  readonly kind: 'Between'; readonly input: Expression; readonly lower: Expression; readonly upper: Expression
  readonly lowerInclusive: boolean; readonly upperInclusive: boolean
}
export interface Case {
  readonly kind: 'Case'; readonly checks: readonly { readonly when: Expression; readonly then: Expression }[]
  readonly otherwise: Expression; readonly type: DuckType
}
export interface Cast {
  readonly kind: 'Cast'; readonly child: Expression; readonly type: DuckType; readonly try: boolean
  /** null: the user wrote none. */
  readonly origin: CastOrigin | null
}
export interface Operator {
  readonly kind: 'Operator'; readonly op: OperatorName; readonly children: readonly Expression[]
  readonly type: DuckType
}
/** A scalar function. `isOperator`: DuckDB's parser made it from an infix or prefix sign. */
export interface Call {
  readonly kind: 'Call'; readonly name: string; readonly children: readonly Expression[]; readonly type: DuckType
  readonly isOperator: boolean
  /** Names of arguments given as `name := value`, by position; empty where there is none. */
  readonly aliases: readonly string[]
}
/**
 * `name(list, lambda p0, p1: body)`, with `initial` as the last argument unless null. In `body`, ColumnRefs are the
 * parameters, the last one first, then captures.
 */
export interface Lambda {
  readonly kind: 'Lambda'; readonly name: string; readonly list: Expression; readonly captures: readonly Expression[]
  readonly parameters: number; readonly body: Expression; readonly initial: Expression | null; readonly type: DuckType
}
export interface AggregateCall {
  readonly kind: 'AggregateCall'; readonly name: string; readonly children: readonly Expression[]
  readonly distinct: boolean; readonly filter: Expression | null; readonly orders: readonly Order[]
  /** Arguments that DuckDB folded into bind data: a separator, quantiles; as constants after the children. */
  readonly bound: readonly Expression[]
  readonly type: DuckType
}
export interface WindowCall {
  readonly kind: 'WindowCall'
  /** An aggregate's own call, or a window function with its arguments (offset and default of lag and lead included). */
  readonly call: AggregateCall | WindowFunction
  readonly ignoreNulls: boolean
  readonly partitions: readonly Expression[]
  readonly orders: readonly Order[]
  readonly frame: WindowFrame | null
  readonly type: DuckType
}
export interface WindowFunction {
  readonly kind: 'WindowFunction'; readonly name: string; readonly children: readonly Expression[]
  readonly orders: readonly Order[]; readonly filter: Expression | null
}
export interface UnnestCall { readonly kind: 'UnnestCall'; readonly child: Expression; readonly type: DuckType }

export interface WindowFrame {
  readonly unit: 'ROWS' | 'RANGE' | 'GROUPS'
  readonly start: FrameBound
  readonly end: FrameBound
  readonly exclude: 'NO OTHERS' | 'CURRENT ROW' | 'GROUP' | 'TIES'
}
export type FrameBound =
  | { readonly kind: 'unbounded-preceding' }
  | { readonly kind: 'unbounded-following' }
  | { readonly kind: 'current-row' }
  | { readonly kind: 'preceding'; readonly value: Expression }
  | { readonly kind: 'following'; readonly value: Expression }

export interface Order {
  readonly expression: Expression; readonly direction: 'ASC' | 'DESC'; readonly nulls: 'FIRST' | 'LAST'
}

export type ComparisonOp = '=' | '<>' | '<' | '>' | '<=' | '>=' | 'IS DISTINCT FROM' | 'IS NOT DISTINCT FROM'
export type OperatorName = 'NOT' | 'IS NULL' | 'IS NOT NULL' | 'COALESCE' | 'IN' | 'NOT IN' | 'TRY'

/** A constant as the plan's JSON holds it. Days, micros and so on count from 1970. */
export type Literal =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'integer'; readonly value: bigint }
  /** FLOAT and DOUBLE: DuckDB's text of it, `nan` and `inf` included. */
  | { readonly kind: 'float'; readonly text: string }
  /** DECIMAL: the unscaled integer. */
  | { readonly kind: 'decimal'; readonly unscaled: bigint }
  | { readonly kind: 'text'; readonly value: string }
  /** BLOB: DuckDB's text of it, where bytes that are not printable ASCII are \xNN. */
  | { readonly kind: 'blob'; readonly text: string }
  | { readonly kind: 'date'; readonly days: number }
  /** TIME and TIME_NS: the stored count in its unit. */
  | { readonly kind: 'time'; readonly count: bigint }
  | { readonly kind: 'timetz'; readonly micros: bigint; readonly offsetSeconds: number }
  /** TIMESTAMP in all units: the stored count in its unit; the largest and smallest are infinity. */
  | { readonly kind: 'timestamp'; readonly count: bigint }
  | { readonly kind: 'interval'; readonly months: number; readonly days: number; readonly micros: bigint }
  /** The stored number; its top bit is flipped against the text form. */
  | { readonly kind: 'uuid'; readonly stored: bigint }
  /** LIST, ARRAY, STRUCT, MAP (of key-value structs), in order; each with its own type. */
  | { readonly kind: 'children'; readonly values: readonly Constant[] }
  | { readonly kind: 'enum'; readonly index: number }
