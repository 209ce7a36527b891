/**
 * What the sides of a join are to its output: which of them decides what comes out, and where its columns stand.
 */

import type { Join, JoinType, Plan } from '../plan.ts'
import { columnTypes, select, type TableTypes } from './columns.ts'

/** The right side may be copied: its rows come out only beside a row of the left. */
export const RIGHT_COPIES: ReadonlySet<JoinType> =
  new Set<JoinType>(['INNER', 'LEFT', 'SEMI', 'ANTI', 'MARK', 'SINGLE'])
export const LEFT_COPIES: ReadonlySet<JoinType> = new Set<JoinType>(['INNER', 'RIGHT', 'RIGHT_SEMI', 'RIGHT_ANTI'])

/** Over left and right columns, the position each output column has; null for the mark. */
export function outputOf(join: Join, tableTypes: TableTypes): readonly (number | null)[] {
  const positions = (plan: Plan, from: number): readonly number[] =>
    columnTypes(plan, tableTypes).map((_, i) => from + i)
  const left = positions(join.left, 0)
  const right = positions(join.right, left.length)
  switch (join.type) {
    case 'SEMI': case 'ANTI': return select(left, join.leftOutput)
    case 'MARK': return [...select(left, join.leftOutput), null]
    case 'RIGHT_SEMI': case 'RIGHT_ANTI': return select(right, join.rightOutput)
    case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL': case 'SINGLE':
      return [...select(left, join.leftOutput), ...select(right, join.rightOutput)]
  }
}
