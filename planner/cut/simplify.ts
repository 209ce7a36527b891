/**
 * Leaves out projections that only pass columns on. Each is a subquery in a fragment's text, which every task of it
 * parses and binds.
 *
 *   Project (all columns, in order) > x         x
 *   Project (columns only) > Scan               Scan of those columns
 *   Project > Project (columns only) > x        Project > x
 */

import type { Expression } from '../expression.ts'
import { inputs, type Plan, type Project, type Scan } from '../plan.ts'
import { columnOf, moveColumns } from './expressions.ts'
import { withInputs } from './with-inputs.ts'
import { width } from '../width.ts'

export function simplify(plan: Plan): Plan {
  const made = new Map<Plan, Plan>()
  const rewrite = (below: Plan): Plan => {
    const known = made.get(below)
    if (known !== undefined) return known
    const above = withInputs(below, inputs(below).map(rewrite))
    const result = above.kind === 'Project' ? project(above) : above
    made.set(below, result)
    return result
  }
  return rewrite(plan)
}

function project(above: Project): Plan {
  const { input } = above
  const passed = passedColumns(above)
  if (passed !== null && isIdentity(passed, width(input))) return input
  if (passed !== null && input.kind === 'Scan') return scanOf(input, passed) ?? above
  const below = input.kind === 'Project' ? passedColumns(input) : null
  if (input.kind !== 'Project' || below === null) return above
  const expressions = above.expressions.map((expression): Expression => moveColumns(expression, i => below[i] ?? i))
  return project({ ...above, input: input.input, expressions })
}

/** Which columns of its input a projection puts out; null if it computes anything. */
function passedColumns({ expressions }: Project): readonly number[] | null {
  const columns = expressions.map(columnOf)
  const passed = columns.filter(position => position !== null)
  return passed.length === columns.length ? passed : null
}

function isIdentity(passed: readonly number[], inputWidth: number): boolean {
  return passed.length === inputWidth && passed.every((position, i) => position === i)
}

function scanOf(scan: Scan, passed: readonly number[]): Scan | null {
  const columns = passed.map(position => scan.columns[position])
  const known = columns.filter(position => position !== undefined)
  return known.length === columns.length && known.length > 0 ? { ...scan, columns: known } : null
}
