/**
 * The small collection between chunks that frees DuckDB's copies of vectors at once; left to itself V8 runs full ones
 * ("external memory pressure").
 */

import v8 from 'node:v8'
import vm from 'node:vm'

v8.setFlagsFromString('--expose-gc')
/**
 * All on the calling thread: little survives, and what dies is DuckDB's copies, which this thread has made. To wake
 * helpers for each collection, and to free on one what the other allocates again, takes 3 to 10 % of encoding's CPU.
 */
v8.setFlagsFromString('--no-parallel-scavenge')
v8.setFlagsFromString('--no-concurrent-array-buffer-sweeping')
/**
 * V8 begins a full collection once what is old and what is external have grown by a tenth of what was left: of 20 MiB,
 * five times for a gigabyte of a result, though the next small one frees all of it. Now when they are four times that.
 */
v8.setFlagsFromString('--heap-growing-percent=300')
const collect = vm.runInNewContext('gc') as (options: { readonly type: 'minor' }) => void

/**
 * A collection takes 0.1 to 0.4 ms, most of it to free what it is for. Of 2 MiB it costs least: after 8 MiB V8 has
 * begun to run full ones, and encoding takes half as much CPU again.
 */
const COLLECT_BYTES = 2 * 1024 * 1024
let leftBytes = 0

/** After batches of `byteCount`: frees what those since the last collection have left. */
export function collectYoung(byteCount: number): void {
  leftBytes += byteCount
  if (leftBytes < COLLECT_BYTES) return
  leftBytes = 0
  collect({ type: 'minor' })
}
