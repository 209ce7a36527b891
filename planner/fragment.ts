/**
 * A fragment: the part of a plan between exchanges, as one SQL text over the relations scan<k> (a table), ex<id> (what
 * the fragment <id> wrote for this task) and all<id> (what it wrote for all of them). Its output columns are c0, c1, …
 * The coordinator runs a fragment as a stage.
 */

import { sampleOf } from './cut/sample.ts'
import { withInputs } from './cut/with-inputs.ts'
import type { Enough } from './enough-rows.ts'
import type { Expression, Order } from './expression.ts'
import { inputs, isUncut, type Exchange, type Partitioning, type Plan, type Scan, type Uncut } from './plan.ts'
import type { RowSlice } from './slice.ts'

/** As it is cut from the plan: the root is what one task computes; Exchanges below it are its inputs. */
export interface Cut {
  readonly id: number
  readonly root: Plan
  readonly output:
    | Exclude<Partitioning, Uncut> | { readonly kind: 'sample'; readonly orders: readonly Order[] }
    | { readonly kind: 'result' }
  /** Scans that every task reads whole, though their tables are split. */
  readonly repeated: ReadonlySet<Scan>
  /** Scans of which no two tasks may have splits that share a value of these columns of the table. */
  readonly divided: ReadonlyMap<Scan, ReadonlySet<number>>
  /** Which fragment writes what an Exchange below the root reads. */
  readonly inputs: ReadonlyMap<Exchange, number>
  /** Which fragment samples the keys of the ranges that it writes; null: it writes none. */
  readonly bounds: number | null
  /** Of the exchange that it writes. */
  readonly why: string
}

export interface Fragment {
  readonly id: number
  /** SELECT of the columns c0.. */
  readonly sql: string
  readonly columns: readonly ExchangeColumn[]
  readonly scans: readonly FragmentScan[]
  readonly inputs: readonly FragmentInput[]
  /** What its tasks may leave out of what they all read. */
  readonly restrictions: readonly FragmentRestriction[]
  readonly output: FragmentOutput
  readonly tasks: FragmentTasks
  /** True if running a task again may give other rows (LIMIT without a total order, first, …). */
  readonly orderSensitive: boolean
  /** Rows of a task's output at most; null: nothing is certain. */
  readonly maxRows: number | null
  /** Position of an input that has at least as many rows as a task's output; absent: none is known. */
  readonly boundingInput?: number
  /** A task may stop reading once it has so many rows, of scans by their ids; absent: it needs all. */
  readonly enough?: Enough<number>
  /** Its tasks may all stop once they have written so many rows together; absent: every one of them counts. */
  readonly stageRows?: number
  /** Estimated rows and bytes of the output over all tasks. */
  readonly rows: number
  readonly bytes: number
  /** Only if the request asks for it. */
  readonly explained?: ExplainedFragment
}

/** For people. */
export interface ExplainedFragment {
  /** Why its rows go where they go. */
  readonly why: string
  /** What they are hashed by, or what their ranges are of. */
  readonly keys: readonly string[]
  /** The operators that its text was made from, the last one first, each above its inputs. */
  readonly operators: readonly ExplainedOperator[]
}

export interface ExplainedOperator {
  /** How many operators are above it on the way to the root. */
  readonly depth: number
  readonly text: string
  /** Estimated. */
  readonly rows: number
  /** Of a read of another fragment: which; else null. */
  readonly reads: number | null
}

/** Types as DuckDB's text: in the fragment, and in the Parquet file of the exchange. */
export interface ExchangeColumn {
  readonly type: string
  readonly wireType: string
}

export interface FragmentScan {
  /** Position k of the view scan<k>: counts over the whole query. */
  readonly id: number
  /** Index into PlanRequest.tables. */
  readonly table: number
  /** Positions of the table's columns that the fragment touches, filters included. */
  readonly columns: readonly number[]
  /** What every row it needs satisfies, over the table's columns by position: files and row groups are pruned by it. */
  readonly filters: readonly Expression[]
  /** Where its filters are, for DuckDB guesses what each of both leaves; absent: it has none. */
  readonly filtered?: { readonly inside: boolean; readonly above: boolean }
  /** So many rows are enough, whichever they are; absent: it needs all. */
  readonly firstRows?: number
  /** all: every task reads the whole table. split: each file or row range is read by one task. */
  readonly reads: 'all' | 'split'
  /** Columns by position: no two tasks may have splits that share a value of it, or that both have a NULL. */
  readonly dividedBy?: readonly number[]
}

export interface FragmentInput {
  /** The fragment that writes it. */
  readonly fragment: number
  /**
   * Decides which files a task reads: as the writer spread them, or all of them. bounds: no file and no relation, but
   * where the ranges begin that it writes.
   */
  readonly kind: 'gather' | 'broadcast' | 'hash' | 'range' | 'keep' | 'all' | 'bounds'
  /**
   * Of a hash: a partition of so many rows may be read in slices by several tasks, each with all rows of the partition
   * of the other inputs. Absent: each partition is one task's.
   */
  readonly slicedFrom?: number
}

/**
 * Of a relation that every task reads whole, a task needs only rows whose column has a value that its own part of a
 * split table may have in `by`; both are integers of the same type.
 */
export interface FragmentRestriction {
  /** As the text names it. */
  readonly relation: string
  /** Of a scan: position of the table's column. Of an input: of its columns. */
  readonly column: number
  /** A scan that is read in splits, and the position of the table's column. */
  readonly by: { readonly scan: number; readonly column: number }
}

/** Of the relation that the text reads. */
export function scanName(id: number): string {
  return `scan${id}`
}

/** Of the relation that the text reads. A fragment may read another one both by parts and whole. */
export function inputName({ fragment, kind }: FragmentInput): string {
  return `${kind === 'all' ? 'all' : 'ex'}${fragment}`
}

export type FragmentOutput =
  /** The last fragment: rows go to the client. `slice`: which of those of all tasks together; absent: all. */
  | { readonly kind: 'result'; readonly slice?: RowSlice }
  | { readonly kind: 'gather' } | { readonly kind: 'broadcast' } | { readonly kind: 'keep' }
  /** SQL expressions over c0..; equal on both sides of a join by construction (same types, same order). */
  | { readonly kind: 'hash'; readonly keys: readonly string[] }
  /** SQL over c0.. of a BLOB that sorts as the rows do; rows of one key may part by `ties`. */
  | { readonly kind: 'range'; readonly key: string; readonly ties: readonly string[] }
  /** Of all rows so many percent, by chance, and of them only such keys. */
  | { readonly kind: 'sample'; readonly key: string; readonly percent: number }

/** True if the rows of its tasks follow each other in the order of the tasks. */
export function isInOrder({ output, inputs }: Pick<Fragment, 'output' | 'inputs'>): boolean {
  return output.kind === 'result' && inputs.some(({ kind }) => kind === 'range')
}

/** How many tasks: one; as many as the splits make; or one a partition of the query (of a hash, range or keep). */
export type FragmentTasks = 'one' | 'splits' | 'partitions'

/** Cuts at the exchanges, in execution order; the last one is the root's. A shared exchange is one fragment. */
export function cutAtExchanges(plan: Plan): readonly Cut[] {
  const cuts: Cut[] = []
  const shared = new Map<number, number>()
  const cut = (input: Plan, output: Cut['output'], why: string): number => {
    const part = withoutUncut(input)
    if (output.kind !== 'range') return add(part, output, why)
    const { root, orders } = sampleOf(part.root, output.orders)
    const bounds = add({ ...part, root }, { kind: 'sample', orders }, 'a sample of the keys tells where ranges begin')
    return add(part, output, why, bounds)
  }
  /** What the fragment `bounds` reads is read once more. */
  const add = (part: Part, output: Cut['output'], why: string, bounds: number | null = null): number => {
    const found = new Map<Exchange, number>(bounds === null ? [] : cuts[bounds]?.inputs)
    collect(part.root, found)
    const id = cuts.length
    cuts.push({ id, ...part, output, inputs: found, bounds, why })
    return id
  }
  const collect = (below: Plan, found: Map<Exchange, number>): void => {
    if (below.kind !== 'Exchange' || isUncut(below.to)) {
      for (const input of inputs(below)) collect(input, found)
      return
    }
    const known = found.get(below) ?? (below.shared === null ? undefined : shared.get(below.shared))
    const id = known ?? cut(below.input, below.to, below.why)
    if (below.shared !== null) shared.set(below.shared, id)
    found.set(below, id)
  }
  cut(plan, { kind: 'result' }, 'rows go to the client')
  return cuts
}

type Part = Pick<Cut, 'root' | 'repeated' | 'divided'>

/** Scans below a repeat become others of their own: the same scan may be split elsewhere in the fragment. */
function withoutUncut(plan: Plan): Part {
  const repeated = new Set<Scan>()
  const columns = new Map<number, Set<number>>()
  const divided = new Map<Scan, ReadonlySet<number>>()
  const strip = (below: Plan, isRepeated: boolean): Plan => {
    if (below.kind === 'Scan' && isRepeated) {
      const scan = { ...below }
      repeated.add(scan)
      return scan
    }
    if (below.kind !== 'Exchange') return withInputs(below, inputs(below).map(input => strip(input, isRepeated)))
    switch (below.to.kind) {
      case 'repeat': return strip(below.input, true)
      case 'stay': {
        const { division, column } = below.to
        if (!isRepeated) columns.set(division, (columns.get(division) ?? new Set()).add(column))
        return strip(below.input, isRepeated)
      }
      default: return below
    }
  }
  const root = strip(plan, false)
  const find = (below: Plan): void => {
    if (below.kind === 'Exchange') return
    const by = below.kind === 'Scan' && !repeated.has(below) ? columns.get(below.division ?? NaN) : undefined
    if (by !== undefined && below.kind === 'Scan') divided.set(below, by)
    inputs(below).forEach(find)
  }
  find(root)
  if (divided.size < columns.size) throw new Error('rows stay by a scan that is not in their fragment')
  return { root, repeated, divided }
}
