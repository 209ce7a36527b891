/**
 * Splits of a table in groups that share no value of a column, by the bounds of their row groups: where one task reads
 * each group, rows with equal values are in one task. All splits with a NULL are one group; where a bound is not known,
 * all of them are. Pure.
 */

import { stretches, within, type KeyRange } from './key-ranges.ts'
import type { PrunedFile } from './query-ports.ts'
import type { Split } from './splits.ts'

/** In the order of the first of each; `columns` by position: of none of them two groups share a value. */
export function divided(
  splits: readonly Split[], files: readonly PrunedFile[], columns: readonly number[],
): readonly (readonly Split[])[] {
  const groups = new Groups(splits.length)
  for (const column of columns) {
    const stretchesOf = new Map(files.map(file => [file.file.file, stretches(file, column)]))
    const ranges: Range[] = []
    const withNulls: number[] = []
    for (const [i, split] of splits.entries()) {
      const found = within(split, stretchesOf.get(split.file) ?? [])
      if (found.some(({ hasNulls }) => hasNulls)) withNulls.push(i)
      for (const { hasValues, range } of found) {
        if (!hasValues) continue
        if (range === null) return [splits]
        ranges.push({ ...range, split: i })
      }
    }
    for (const i of withNulls) groups.join(i, withNulls[0] ?? i)
    joinOverlapping(ranges, groups)
  }
  const members = new Map<number, Split[]>()
  splits.forEach((split, i) => {
    const group = groups.of(i)
    const known = members.get(group)
    if (known === undefined) members.set(group, [split])
    else known.push(split)
  })
  return [...members.values()]
}

interface Range extends KeyRange { readonly split: number }

/** Whoever overlaps a range that begins before it overlaps the one of those that reaches farthest. */
function joinOverlapping(ranges: readonly Range[], groups: Groups): void {
  let farthest: Range | null = null
  for (const range of [...ranges].sort((a, b) => a.low < b.low ? -1 : a.low > b.low ? 1 : 0)) {
    if (farthest !== null && range.low <= farthest.high) groups.join(range.split, farthest.split)
    if (farthest === null || range.high > farthest.high) farthest = range
  }
}

/** Disjoint sets of numbers. */
class Groups {
  readonly #above: number[]

  constructor(count: number) {
    this.#above = Array.from({ length: count }, (_, i) => i)
  }

  of(i: number): number {
    let at = i
    for (let above = this.#above[at] ?? at; above !== at; above = this.#above[at] ?? at) at = above
    this.#above[i] = at
    return at
  }

  join(i: number, other: number): void {
    const [a, b] = [this.of(i), this.of(other)]
    this.#above[Math.max(a, b)] = Math.min(a, b)
  }
}
