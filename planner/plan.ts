/**
 * A query's plan: DuckDB's optimised operator tree, decoded, and later cut by exchanges. An immutable union; columns
 * are positions in the input, names occur in Scan only. `rows` is DuckDB's estimate of what the operator puts out.
 */

import type { DuckType } from '../proto/types.ts'
import { unreachable } from '../proto/errors.ts'
import type { ComparisonOp, Expression, Order, UnnestCall, WindowCall } from './expression.ts'

export type Plan =
  | Scan | TableFunction | Lateral | OneRow | Empty | Values | Project | Filter | Aggregate | Join | CrossProduct
  | DelimJoin | DelimScan | Window | Distinct | Sort | TopN | Limit | SetOperation | Unnest | Cte | CteScan | Exchange

interface Base {
  /** Estimated rows of the output. */
  readonly rows: number
}

/** A table of the catalog. Output: `columns`, after `filters` (over table columns, see ScanFilter). */
export interface Scan extends Base {
  readonly kind: 'Scan'
  /** Index into the query's tables (PlanRequest.tables). */
  readonly table: number
  /** Positions of the table's columns read, in output order; null: no column, only that there is a row. */
  readonly columns: readonly (number | null)[]
  /** Conjunction; ColumnRef index = position of the table's column, not of the output. */
  readonly filters: readonly Expression[]
  /** A number of its own among the scans of a plan that may be divided by a column: see Partitioning. */
  readonly division?: number
}
/** A function in FROM; `columns` of the `width` that it has come out, of `types`. */
interface FromFunction extends Base {
  readonly name: string
  readonly args: readonly Expression[]
  readonly width: number
  readonly columns: readonly number[]
  readonly types: readonly DuckType[]
}
/** Of constant arguments. */
export interface TableFunction extends FromFunction {
  readonly kind: 'TableFunction'
  /** `name := value`, after the others. */
  readonly named: readonly { readonly name: string; readonly value: Expression }[]
}
/** Called for each row of the input. Output: the function's columns, then the input's columns `kept`. */
export interface Lateral extends FromFunction {
  readonly kind: 'Lateral'; readonly input: Plan
  /** The last of the function's columns counts its rows. */
  readonly ordinality: boolean
  readonly kept: readonly number[]
}
/** One row of one INTEGER column, which means nothing. */
export interface OneRow extends Base { readonly kind: 'OneRow' }
export interface Empty extends Base { readonly kind: 'Empty'; readonly types: readonly DuckType[] }
/** VALUES: every row is evaluated over each row of `input`, which is nearly always OneRow. */
export interface Values extends Base {
  readonly kind: 'Values'; readonly input: Plan; readonly rowExpressions: readonly (readonly Expression[])[]
  readonly width: number
}
export interface Project extends Base {
  readonly kind: 'Project'; readonly input: Plan; readonly expressions: readonly Expression[]
}
/** Output: `output` positions of the input, or all of them in order when null. */
export interface Filter extends Base {
  readonly kind: 'Filter'; readonly input: Plan; readonly predicates: readonly Expression[]
  readonly output: readonly number[] | null
}
/** Output: groups, calls, then one BIGINT for each of `groupings` (GROUPING of those group positions). */
export interface Aggregate extends Base {
  readonly kind: 'Aggregate'; readonly input: Plan; readonly groups: readonly Expression[]
  readonly calls: readonly Expression[]
  /** Positions of groups in each set; null: one set with all groups. */
  readonly sets: readonly (readonly number[])[] | null
  readonly groupings: readonly (readonly number[])[]
  /** It makes parts of groups, in whatever task their rows are: another aggregate combines them. */
  readonly isOfParts?: true
}
export type JoinType =
  | 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'SEMI' | 'ANTI' | 'RIGHT_SEMI' | 'RIGHT_ANTI' | 'MARK' | 'SINGLE'
/** In `left` columns count from 0 in the left input, in `right` from 0 in the right input. */
export interface JoinCondition { readonly left: Expression; readonly op: ComparisonOp; readonly right: Expression }
/**
 * A join on a conjunction of comparisons (`conditions`), or on any predicate (`predicate`, over left then right
 * columns, conditions empty). Output: left then right columns (SEMI, ANTI: left; RIGHT_SEMI, RIGHT_ANTI: right; MARK:
 * left and one three-valued BOOLEAN), each narrowed by its projection unless null. `asof`: the best match by the last
 * inequality.
 */
export interface Join extends Base {
  readonly kind: 'Join'; readonly type: JoinType; readonly asof: boolean; readonly left: Plan; readonly right: Plan
  readonly conditions: readonly JoinCondition[]; readonly predicate: Expression | null
  readonly leftOutput: readonly number[] | null; readonly rightOutput: readonly number[] | null
}
export interface CrossProduct extends Base { readonly kind: 'CrossProduct'; readonly left: Plan; readonly right: Plan }
/** A join whose `source` side is computed once; DelimScans in the other side read the distinct `keys` of it. */
export interface DelimJoin extends Base {
  readonly kind: 'DelimJoin'; readonly join: Join; readonly source: 'left' | 'right'
  readonly keys: readonly Expression[]
}
/** The source, then the other side. */
export function delimSides({ join, source }: DelimJoin): readonly [source: Plan, other: Plan] {
  return source === 'left' ? [join.left, join.right] : [join.right, join.left]
}
/** The distinct keys of the nearest enclosing DelimJoin. */
export interface DelimScan extends Base { readonly kind: 'DelimScan'; readonly types: readonly DuckType[] }
/** Output: all input columns, then one for each call. */
export interface Window extends Base {
  readonly kind: 'Window'; readonly input: Plan; readonly calls: readonly WindowCall[]
}
export interface Distinct extends Base {
  readonly kind: 'Distinct'; readonly input: Plan
  /** DISTINCT ON these; null: on all columns (then `targets` holds them). */
  readonly on: boolean
  readonly targets: readonly Expression[]
  readonly orders: readonly Order[]
}
export interface Sort extends Base {
  readonly kind: 'Sort'; readonly input: Plan; readonly orders: readonly Order[]
  readonly output: readonly number[] | null
}
export interface TopN extends Base {
  readonly kind: 'TopN'; readonly input: Plan; readonly orders: readonly Order[]; readonly limit: number
  readonly offset: number
}
export interface Limit extends Base {
  readonly kind: 'Limit'; readonly input: Plan; readonly limit: LimitValue | null; readonly offset: number
}
export type LimitValue =
  | { readonly kind: 'rows'; readonly value: number } | { readonly kind: 'percent'; readonly value: number }
export interface SetOperation extends Base {
  readonly kind: 'SetOperation'; readonly op: 'UNION' | 'EXCEPT' | 'INTERSECT'; readonly all: boolean
  readonly inputs: readonly Plan[]
}
/** Output: all input columns, then one for each call; as many rows as the longest list. */
export interface Unnest extends Base {
  readonly kind: 'Unnest'; readonly input: Plan; readonly calls: readonly UnnestCall[]
}
/** `definition` is computed once; CteScans of `index` in `query` read it. */
export interface Cte extends Base {
  readonly kind: 'Cte'; readonly index: number; readonly definition: Plan; readonly query: Plan
}
export interface CteScan extends Base {
  readonly kind: 'CteScan'; readonly index: number; readonly types: readonly DuckType[]
}

/** Where the plan is cut: `input` becomes a fragment, the rest reads what it wrote. Never in a plan as DuckDB made. */
export interface Exchange extends Base {
  readonly kind: 'Exchange'; readonly input: Plan; readonly to: Partitioning
  /** Exchanges of one identity are one fragment with several readers (a shared CTE). */
  readonly shared: number | null
  /** own: a task reads the part that is meant for it. all: it reads what all tasks wrote, whatever `to` is. */
  readonly reads: 'own' | 'all'
  /** Why the rows move, and move so: a clause for people. */
  readonly why: string
}

export type Partitioning =
  | { readonly kind: 'gather' }
  | { readonly kind: 'broadcast' }
  /** Equal keys meet in one task. Keys are over the input's columns. */
  | { readonly kind: 'hash'; readonly keys: readonly Expression[] }
  /** Each task gets the rows of one range of the orders, which follow each other in the order of the tasks. */
  | { readonly kind: 'range'; readonly orders: readonly Order[] }
  /** Task t reads what task t wrote. */
  | { readonly kind: 'keep' }
  /** No row moves and nothing is cut: every task computes the input by itself, from all of its tables. */
  | { readonly kind: 'repeat' }
  /**
   * The same, and rows that are equal in a column of the table are in one task already, as long as no two tasks have
   * splits of the scan `division` that share a value of its column.
   */
  | { readonly kind: 'stay'; readonly division: number; readonly column: number }

/** Where no row moves, nothing is cut: what is below is in the same fragment. */
export type Uncut = Extract<Partitioning, { readonly kind: 'repeat' | 'stay' }>

export function isUncut(to: Partitioning): to is Uncut {
  return to.kind === 'repeat' || to.kind === 'stay'
}

/** The inputs of a node, in order. */
export function inputs(plan: Plan): readonly Plan[] {
  switch (plan.kind) {
    case 'Scan': case 'TableFunction': case 'OneRow': case 'Empty': case 'DelimScan': case 'CteScan': return []
    case 'Lateral': case 'Values': case 'Project': case 'Filter': case 'Aggregate': case 'Window': case 'Distinct':
    case 'Sort': case 'TopN': case 'Limit': case 'Unnest': case 'Exchange': return [plan.input]
    case 'Join': case 'CrossProduct': return [plan.left, plan.right]
    case 'DelimJoin': return [plan.join.left, plan.join.right]
    case 'SetOperation': return plan.inputs
    case 'Cte': return [plan.definition, plan.query]
    default: return unreachable(plan)
  }
}
