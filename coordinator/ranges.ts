/**
 * Ranges of a sort: where each begins, from keys that were sampled, and which rows of each are within a LIMIT, from how
 * many rows were written to each. Whoever writes, or writes again, is told the same bounds: the coordinator keeps the
 * sample. Pure.
 */

import type { FragmentInput } from '../planner/fragment.ts'
import type { RowSlice } from '../planner/slice.ts'
import type { Output } from './task-definition.ts'

/** Of all rows that were looked at up to this key, from the one before in the same sample, there are so many. */
export interface SampledKey {
  readonly key: Uint8Array
  readonly rows: bigint
}

/**
 * Bounds of `count` ranges with about as many rows each: one less, in order, or none if there is no key. A key that
 * many rows have is several bounds.
 */
export function rangeBounds(samples: readonly (readonly SampledKey[])[], count: number): readonly Uint8Array[] {
  // one character a byte: texts compare like the bytes, and faster
  const keys = samples.flat().map(({ key, rows }) =>
    ({ key, text: Buffer.from(key).toString('latin1'), rows: Number(rows) }))
  keys.sort((a, b) => a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
  const total = keys.reduce((sum, { rows }) => sum + rows, 0)
  const bounds: Uint8Array[] = []
  let passed = 0
  for (const { key, rows } of keys) {
    passed += rows
    while (bounds.length < count - 1 && passed * count >= total * (bounds.length + 1)) bounds.push(key)
  }
  return bounds
}

/** Rows written to each of `count` ranges by all tasks. */
export function rangeRows(outputs: readonly Output[], count: number): readonly number[] {
  const rows = Array.from({ length: count }, () => 0)
  for (const { files } of outputs) {
    for (const { partition, rowCount } of files) rows[partition] = (rows[partition] ?? 0) + Number(rowCount)
  }
  return rows
}

/** Which rows of each range are within the slice of them all. */
export function rangeSlices(rows: readonly number[], { offset, limit }: RowSlice): readonly PartSlice[] {
  const end = limit === null ? Infinity : offset + limit
  let before = 0
  return rows.map(count => {
    const [from, to] = [offset, end].map(edge => Math.min(count, Math.max(0, edge - before)))
    before += count
    return { offset: from ?? 0, limit: Math.max(0, (to ?? 0) - (from ?? 0)) }
  })
}

export interface PartSlice {
  readonly offset: number
  readonly limit: number
}

/** What the tasks of a stage are told of ranges, each once for all of them. */
export interface StageRanges {
  /** Of what they write. */
  readonly bounds: readonly Uint8Array[]
  /** Of what they read, by partition; null: all rows. */
  readonly slices: readonly PartSlice[] | null
}

export const NO_RANGES: StageRanges = { bounds: [], slices: null }

/** `inputs`: what each of the stage's inputs has been written by. */
export function stageRanges(
  kinds: readonly FragmentInput['kind'][], inputs: readonly (readonly Output[])[], slice: RowSlice | null,
  count: number,
): StageRanges {
  const of = (kind: FragmentInput['kind']): readonly Output[] => inputs.flatMap((outputs, i) =>
    kinds[i] === kind ? outputs : [])
  const samples = of('bounds').map(({ sample }) => sample)
  return {
    bounds: samples.length === 0 ? [] : rangeBounds(samples, count),
    slices: slice === null ? null : rangeSlices(rangeRows(of('range'), count), slice),
  }
}
