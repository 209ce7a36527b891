/**
 * The order in which a task reads where it may soon have rows enough, as for a LIMIT behind a filter: the beginning of
 * its splits first, and if that was too little some times as much. Pure.
 */

import type { ScanSplit } from './place.ts'
import type { PrunedFile } from './query-ports.ts'
import { rowGroupsIn, type Range, type Split } from './splits.ts'

/** Of the first step: some requests of a store, which take little longer than one. */
const FIRST_STEP_BYTES = 4 * 1024 * 1024
/** Of a step to the one before: all that was read to see whether it is enough is about a third of the last. */
const STEP_FACTOR = 4

/** The same splits in the same order, cut at row groups where a step ends. `files`: what pruning left of the scan. */
export function inSteps(
  items: readonly ScanSplit[], files: readonly PrunedFile[], columns: readonly number[],
): ScanSplit[] {
  const byKey = new Map(files.map(pruned => [pruned.file.file.key, pruned]))
  let step = 0
  let leftBytes = FIRST_STEP_BYTES
  const stepOf = ({ sizeBytes }: Range): number => {
    if (leftBytes <= 0) {
      step++
      leftBytes = FIRST_STEP_BYTES * STEP_FACTOR ** step
    }
    leftBytes -= sizeBytes
    return step
  }
  return items.flatMap(({ scan, split }) => {
    const pruned = byKey.get(split.file.key)
    const groups = pruned === undefined ? [] : rowGroupsIn(split, pruned, columns)
    const parts: (Range & { step: number })[] = []
    for (const range of groups.length === 0 ? [split] : groups) {
      const own = stepOf(range)
      const last = parts.at(-1)
      if (last?.step !== own) parts.push({ ...range, step: own })
      else parts[parts.length - 1] = { ...last, toRow: range.toRow, sizeBytes: last.sizeBytes + range.sizeBytes }
    }
    const [first] = parts
    const cut: Split[] = parts.length === 1 ? [{ ...split, step: first?.step ?? 0 }]
      : parts.map(({ fromRow, toRow, sizeBytes, step }) => ({ ...split, fromRow, toRow, sizeBytes, step }))
    return cut.map(split => ({ scan, split }))
  })
}
