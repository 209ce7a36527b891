/**
 * Which tasks of a stage are begun a second time while their first attempt runs: the first that ends counts, the other
 * is cancelled. Pure. By the stage's other tasks alone, as they tell what a task of it takes: it must pay, and only
 * idle slots are used for it. Speculative execution as in MapReduce (Dean and Ghemawat, 2004), with progress as in LATE
 * (Zaharia and others, 2008).
 */

/** Between looks at a stage whose end is near. */
export const LOOK_MS = 500
/** Of a stage's tasks, before the time that one takes is known. */
const MIN_DONE = 2
const MIN_DONE_SHARE = 0.5
/** A task is slow beyond so many times the median of those that have ended… */
const SLOW_FACTOR = 3
/** … and not before: launching, fetching and a busy machine take as long now and then. */
const SLOW_AFTER_MS = 1_500
/** Of a stage's tasks, those with a second attempt at a time: more of them is a load, and no straggler. */
const MAX_SHARE = 0.25

/** From its launch to now, or to its end: what a coordinator waits for, queues of executors included. */
export interface Attempt {
  readonly partition: number
  readonly elapsedMs: number
  /** What is done of it, 0 to 1, as far as its executor knows; 0: it does not. */
  readonly fraction: number
}

/**
 * Partitions to be begun again, the slowest first. `doneMs`: what those took that have ended; `running`: those with
 * one attempt; `twice`: how many have two; `count`: all of the stage's tasks.
 */
export function stragglers(
  doneMs: readonly number[], running: readonly Attempt[], twice: number, count: number,
): readonly number[] {
  if (doneMs.length < Math.max(MIN_DONE, MIN_DONE_SHARE * count)) return []
  const usualMs = median(doneMs)
  const room = Math.max(1, Math.floor(MAX_SHARE * count)) - twice
  return running
    .filter(attempt => attempt.elapsedMs > Math.max(SLOW_AFTER_MS, SLOW_FACTOR * usualMs) && leftMs(attempt) > usualMs)
    .sort((a, b) => b.elapsedMs - a.elapsedMs)
    .slice(0, Math.max(0, room))
    .map(({ partition }) => partition)
}

/** As slowly as until now. */
function leftMs({ elapsedMs, fraction }: Attempt): number {
  return fraction > 0 ? elapsedMs * (1 - fraction) / fraction : Infinity
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
