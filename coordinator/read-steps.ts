/**
 * The order in which a task reads where it may soon have rows enough, as for a LIMIT behind a filter or a join: the
 * beginning of the splits of streamed scans first, and if that was too little some times as much. What else it reads
 * belongs to the first step. Pure.
 */

import type { Streamed } from '../planner/enough-rows.ts'
import type { FragmentScan } from '../planner/fragment.ts'
import type { ScanSplit } from './place.ts'
import type { PrunedFile } from './query-ports.ts'
import { rowGroupsIn, type Range, type Split } from './splits.ts'

/** Of the first step: some requests of a store, which take little longer than one. */
const FIRST_STEP_BYTES = 4 * 1024 * 1024
/** Of a step to the one before: all that was read to see whether it is enough is about a third of the last. */
const STEP_FACTOR = 4
/** Of the first step to what is read beside it, which is read again with every step: it costs about as much a byte. */
const BESIDE_FACTOR = 2

export interface SteppedStage {
  readonly streamed: Streamed<number>
  readonly scans: readonly FragmentScan[]
  /** By scan: what pruning has left. */
  readonly files: ReadonlyMap<number, readonly PrunedFile[]>
  /** Bytes that each task reads of other stages. */
  readonly exchangeBytes: number
}

/** The splits of a task in the same order, cut at row groups where a step ends. */
export function inSteps(stage: SteppedStage): (items: readonly ScanSplit[]) => readonly ScanSplit[] {
  const scans = new Map(stage.scans.map(scan => [scan.id, new SteppedScan(scan, stage.files.get(scan.id) ?? [])]))
  return items => {
    const sizeOf = (scan: number): number => scans.get(scan)?.isOpen === true
      ? bytesOf(items.filter(item => item.scan === scan)) : 0
    const stepped = most(stage.streamed, sizeOf)
    const besideBytes = stage.exchangeBytes + bytesOf(items) - stepped.sizeBytes
    const firstBytes = Math.max(FIRST_STEP_BYTES, BESIDE_FACTOR * besideBytes)
    if (stepped.sizeBytes <= firstBytes) return items
    const steps = new Map(stepped.scans.map(scan => [scan, new Steps(firstBytes / stepped.scans.length)]))
    return items.flatMap(item => {
      const own = steps.get(item.scan)
      return own === undefined ? [item] : scans.get(item.scan)?.cut(item, own) ?? [item]
    })
  }
}

function bytesOf(items: readonly ScanSplit[]): number {
  return items.reduce((sum, { split }) => sum + split.sizeBytes, 0)
}

/** Scans that are read in steps, and their bytes. */
interface Stepped {
  readonly scans: readonly number[]
  readonly sizeBytes: number
}

/** As much as may be, for what is left is read whole. */
function most(streamed: Streamed<number>, sizeOf: (scan: number) => number): Stepped {
  if (streamed.kind === 'scan') {
    const sizeBytes = sizeOf(streamed.scan)
    return { scans: sizeBytes === 0 ? [] : [streamed.scan], sizeBytes }
  }
  const all = streamed.of.map(one => most(one, sizeOf))
  if (streamed.kind === 'either') return all.reduce((a, b) => b.sizeBytes > a.sizeBytes ? b : a)
  return { scans: all.flatMap(({ scans }) => scans), sizeBytes: all.reduce((sum, one) => sum + one.sizeBytes, 0) }
}

/** Of one scan. */
class Steps {
  readonly #firstBytes: number
  #step = 0
  #leftBytes: number

  constructor(firstBytes: number) {
    this.#firstBytes = firstBytes
    this.#leftBytes = firstBytes
  }

  /** The one that so many more bytes belong to. */
  of({ sizeBytes }: Range): number {
    if (this.#leftBytes <= 0) {
      this.#step++
      this.#leftBytes = this.#firstBytes * STEP_FACTOR ** this.#step
    }
    this.#leftBytes -= sizeBytes
    return this.#step
  }
}

class SteppedScan {
  /** False if it is known beforehand how many rows are enough, and no more are read anyway. */
  readonly isOpen: boolean
  readonly #columns: readonly number[]
  readonly #files: ReadonlyMap<string, PrunedFile>

  constructor({ columns, firstRows }: FragmentScan, files: readonly PrunedFile[]) {
    this.isOpen = firstRows === undefined || files.some(({ rowGroups }) => rowGroups.length === 0)
    this.#columns = columns
    this.#files = new Map(files.map(pruned => [pruned.file.file.key, pruned]))
  }

  cut({ scan, split }: ScanSplit, steps: Steps): ScanSplit[] {
    const pruned = this.#files.get(split.file.key)
    const groups = pruned === undefined ? [] : rowGroupsIn(split, pruned, this.#columns)
    const parts: (Range & { step: number })[] = []
    for (const range of groups.length === 0 ? [split] : groups) {
      const step = steps.of(range)
      const last = parts.at(-1)
      if (last?.step !== step) parts.push({ ...range, step })
      else parts[parts.length - 1] = { ...last, toRow: range.toRow, ...sumOf(last, range) }
    }
    const [first] = parts
    const cut: Split[] = parts.length === 1 ? [{ ...split, step: first?.step ?? 0 }]
      : parts.map(part => ({ ...split, ...part }))
    return cut.map(split => ({ scan, split }))
  }
}

function sumOf(one: Range, other: Range): Pick<Range, 'sizeBytes' | 'rowCount'> {
  return { sizeBytes: one.sizeBytes + other.sizeBytes, rowCount: one.rowCount + other.rowCount }
}
