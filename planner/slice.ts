/**
 * A LIMIT over rows that the tasks of the last fragment sort by ranges: it is of all of them, one after the other. The
 * exchange tells how many rows each range has, so the coordinator tells each task which of its rows count.
 *
 *   Project > Limit > Project > Sort > Project > Exchange range      without the Limit
 */

import type { Plan } from './plan.ts'
import { withInputs } from './cut/with-inputs.ts'
import { inputs } from './plan.ts'

/** Of all rows in order: those from `offset` on, at most `limit` of them; null: all. */
export interface RowSlice {
  readonly offset: number
  readonly limit: number | null
}

export interface Sliced {
  readonly root: Plan
  /** Null: every row. */
  readonly slice: RowSlice | null
}

export function withoutSlice(root: Plan): Sliced {
  switch (root.kind) {
    case 'Project': {
      const below = withoutSlice(root.input)
      return { root: withInputs(root, [below.root]), slice: below.slice }
    }
    case 'Limit': {
      if (!isInRanges(root.input)) return { root, slice: null }
      const limit = root.limit?.kind === 'rows' ? root.limit.value : null
      return { root: root.input, slice: { offset: root.offset, limit } }
    }
    default: return { root, slice: null }
  }
}

/** Its rows are those of a range, in order. */
function isInRanges(plan: Plan): boolean {
  switch (plan.kind) {
    case 'Project': case 'Sort': return inputs(plan).every(isInRanges)
    case 'Exchange': return plan.to.kind === 'range'
    default: return false
  }
}
