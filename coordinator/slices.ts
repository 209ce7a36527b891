/**
 * Partitions of a hash exchange that have far more rows than the others, because many rows have one key: what each
 * task of the writing stage has written of such a partition is read by another task, beside all rows of the partition
 * of the other inputs. The planner says which inputs may be read so (planner/cut/sliced.ts). Decided once for a stage,
 * by who wrote what: what is written again goes where it went. Pure.
 */

import type { FragmentInput } from '../planner/fragment.ts'
import { rangeRows } from './ranges.ts'
import type { Output, OutputFile } from './task-definition.ts'

export interface StageSlices {
  /** Position of the input that is read in slices. */
  readonly input: number
  /** By partition, by writer: the task that reads what it has written of it. */
  readonly readers: ReadonlyMap<number, ReadonlyMap<number, number>>
}

/** A partition is one of too many rows if it has so many times the rows of the one in the middle. */
const SKEW_FACTOR = 2

/** Null: there is nothing to divide. `inputs`: what each of the stage's inputs has been written by. */
export function stageSlices(
  read: readonly FragmentInput[], inputs: readonly (readonly Output[])[], count: number,
): StageSlices | null {
  const rows = read.map(({ kind }, i) => kind === 'hash' ? rangeRows(inputs[i] ?? [], count) : [])
  const total = (partition: number): number => rows.reduce((sum, own) => sum + (own[partition] ?? 0), 0)
  const found = read.flatMap(({ slicedFrom }, input) => {
    const own = rows[input] ?? []
    if (slicedFrom === undefined || own.length < 2) return []
    const middle = own.toSorted((a, b) => a - b)[Math.floor((count - 1) / 2)] ?? 0
    const partitions = [...own.keys()].filter(partition => {
      const large = own[partition] ?? 0
      const copied = total(partition) - large
      const writers = (inputs[input] ?? []).filter(output => writtenOf(output, partition) > 0).length
      return large > 0 && large >= slicedFrom && large > SKEW_FACTOR * middle && copied * (count - 1) <= large
        && writers > 1
    })
    return partitions.length === 0 ? [] : [{ input, partitions, rows: sum(partitions.map(one => own[one] ?? 0)) }]
  })
  const [best] = found.toSorted((a, b) => b.rows - a.rows)
  return best === undefined ? null
    : { input: best.input, readers: dealt(best.partitions, inputs[best.input] ?? [], total, count) }
}

/** The largest piece goes to the task that has the least so far. */
function dealt(
  partitions: readonly number[], outputs: readonly Output[], total: (partition: number) => number, count: number,
): StageSlices['readers'] {
  const loads = Array.from({ length: count }, (_, task) => partitions.includes(task) ? 0 : total(task))
  const pieces = partitions.flatMap(partition => outputs.map((output, writer) =>
    ({ partition, writer, rows: writtenOf(output, partition) })))
  const readers = new Map(partitions.map(partition => [partition, new Map<number, number>()]))
  for (const { partition, writer, rows } of pieces.toSorted((a, b) => b.rows - a.rows)) {
    const task = loads.indexOf(Math.min(...loads))
    loads[task] = (loads[task] ?? 0) + rows
    readers.get(partition)?.set(writer, task)
  }
  return readers
}

/** Whether a task reads a file of what the `writer` of a hashed input has written. */
export function isReadInSlices(
  { input, readers }: StageSlices, position: number, writer: number, file: Pick<OutputFile, 'partition'>, task: number,
): boolean {
  const dealt = readers.get(file.partition)
  if (dealt === undefined) return file.partition === task
  if (position === input) return dealt.get(writer) === task
  return [...dealt.values()].includes(task)
}

function writtenOf({ files }: Output, partition: number): number {
  return sum(files.filter(file => file.partition === partition).map(({ rowCount }) => Number(rowCount)))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
