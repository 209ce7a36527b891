/**
 * Which partitions have to be made again when outputs are lost. Pure; the query actor sends what it answers.
 *
 * - A lost output is made again only if a task that reads it has still to run.
 * - A fragment that is not order-sensitive gives the same rows again: its other readers stay as they are.
 * - An order-sensitive one may give other rows. Everything that has read any part of it is made again too, and what
 *   has read that, and so on: an answer never mixes two attempts (mixing gave 9 rows for 7). A reader that still runs
 *   may have read the old rows, so it counts as one that has read them.
 *
 * Every task of a stage reads from every partition of its input, `keep` excepted: that a file is absent is read too.
 * That an output is being made again does not undo that it was read: as long as its rows are to be the same, what read
 * them counts. If they turn out to change while it is being made, what read the old ones is made again all the same.
 */

import type { FragmentInput } from '../planner/fragment.ts'

export interface StageView {
  readonly inputs: readonly FragmentInput[]
  readonly orderSensitive: boolean
  /** A task of it may have been launched. */
  readonly started: boolean
  /** By partition: has it an output that counts, and is that lost? */
  readonly outputs: readonly OutputView[]
}

/** gone: there is none any more, but what has read it counts. */
export type OutputView = 'none' | 'gone' | 'kept' | 'lost'

/** By stage. */
export interface Recovery {
  /** Partitions to be made again. */
  readonly again: readonly ReadonlySet<number>[]
  /** Those of them whose new output may differ from one that was read: nothing that has read it counts any more. */
  readonly changed: readonly ReadonlySet<number>[]
}

/** Stages in execution order, inputs by position. */
export function recover(stages: readonly StageView[]): Recovery {
  const again = stages.map(() => new Set<number>())
  const changed = stages.map(() => new Set<number>())
  let before = -1
  for (let size = 0; size !== before; size = sum(again) + sum(changed)) {
    before = size
    for (let reader = stages.length - 1; reader >= 0; reader--) needInputs(stages, again, reader)
    for (let reader = 0; reader < stages.length; reader++) passChanges(stages, again, changed, reader)
  }
  return { again, changed }
}

type Sets = readonly Set<number>[]

/** Lost outputs that `reader`'s unfinished tasks read are made again. */
function needInputs(stages: readonly StageView[], again: Sets, reader: number): void {
  const last = stages.length - 1
  const view = stages[reader]
  if (view === undefined) return
  view.outputs.forEach((output, partition) => {
    // the result is always needed
    if (reader === last && output === 'lost') again[reader]?.add(partition)
    const isThere = output === 'kept' || output === 'lost'
    if (isThere && again[reader]?.has(partition) !== true) return
    for (const input of view.inputs) {
      stages[input.fragment]?.outputs.forEach((made, from) => {
        if (made === 'lost' && reads(input, partition, from)) again[input.fragment]?.add(from)
      })
    }
  })
}

/** Tasks of `reader` that may have read an output that changes are made again, and their own outputs change. */
function passChanges(stages: readonly StageView[], again: Sets, changed: Sets, reader: number): void {
  const view = stages[reader]
  if (view === undefined) return
  if (view.orderSensitive) {
    for (const partition of again[reader] ?? []) if (view.outputs[partition] !== 'none') changed[reader]?.add(partition)
  }
  if (!view.started) return
  for (const input of view.inputs) {
    for (const from of changed[input.fragment] ?? []) {
      view.outputs.forEach((output, partition) => {
        if (!reads(input, partition, from)) return
        again[reader]?.add(partition)
        if (output !== 'none') changed[reader]?.add(partition)
      })
    }
  }
}

function reads(input: FragmentInput, partition: number, from: number): boolean {
  return input.kind !== 'keep' || partition === from
}

function sum(sets: Sets): number {
  return sets.reduce((total, set) => total + set.size, 0)
}
