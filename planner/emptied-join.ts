/**
 * A fault of DuckDB 1.5: an ANTI JOIN is planned as empty when statistics say that its comparisons by order always
 * hold, though the other side may turn out to have no rows. Whether it happened cannot be seen in the optimised plan;
 * whether it can have happened is seen in the bound one, which names every such join, in views and macros too.
 */

const EQUALITIES: ReadonlySet<unknown> = new Set(['COMPARE_EQUAL', 'COMPARE_NOT_DISTINCT_FROM'])

interface Tree { readonly [key: string]: unknown }

/** `boundPlan`: the JSON of a plan before the optimizer. */
export function hasJoinThatStatisticsMayEmpty(boundPlan: unknown): boolean {
  const left: unknown[] = [boundPlan]
  while (left.length > 0) {
    const node = left.pop()
    if (typeof node !== 'object' || node === null) continue
    if (!Array.isArray(node) && isAntiJoinByOrder(node as Tree)) return true
    for (const child of Object.values(node)) left.push(child)
  }
  return false
}

function isAntiJoinByOrder({ type, join_type: kind, conditions }: Tree): boolean {
  if (type !== 'LOGICAL_COMPARISON_JOIN' || kind !== 'ANTI' || !Array.isArray(conditions)) return false
  return !conditions.some((condition: Tree) => EQUALITIES.has(condition['comparison']))
}
