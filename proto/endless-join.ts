/**
 * A fault of DuckDB 1.5: an ASOF RIGHT or FULL JOIN waits for ever, past an interrupt, where one thread reads what
 * comes out of it and a part of its right rows has no left ones. So it is in an instance of one thread, and in any
 * below what takes its rows one after the other. What the planner writes has no such join (emit-join.ts); a text as it
 * was written may.
 */

interface Tree { readonly [key: string]: unknown }

/** `plan`: JSON of a plan, before or after the optimizer. */
export function hasEndlessJoin(plan: unknown): boolean {
  return someOperator(plan, ({ type, join_type: kind }) =>
    type === 'LOGICAL_ASOF_JOIN' && (kind === 'RIGHT' || kind === 'FULL'))
}

/** The same in an instance of several threads. */
export function hasEndlessJoinInOrder(plan: unknown): boolean {
  return hasEndlessJoin(plan) && someOperator(plan, takesInOrder)
}

/** Some windows and samples do not; they are few beside such a join. */
const inOrder: ReadonlySet<unknown> = new Set(['LOGICAL_WINDOW', 'LOGICAL_SAMPLE', 'LOGICAL_POSITIONAL_JOIN'])

function takesInOrder({ type, limit_val: limit }: Tree): boolean {
  if (inOrder.has(type)) return true
  return type === 'LOGICAL_LIMIT' && (limit as Tree | undefined)?.['type'] === 'CONSTANT_PERCENTAGE'
}

/** Plans nest as deep as the text: a stack of our own. */
function someOperator(plan: unknown, test: (node: Tree) => boolean): boolean {
  const left: unknown[] = [plan]
  while (left.length > 0) {
    const node = left.pop()
    if (typeof node !== 'object' || node === null) continue
    if (test(node as Tree)) return true
    left.push(...Object.values(node))
  }
  return false
}
