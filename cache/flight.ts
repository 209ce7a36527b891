/** One fetch of some chunks that many may wait for: it is stopped when nobody wants it any more. */

import { QueryError } from '../proto/errors.ts'
import type { Chunk } from './mirror.ts'

export interface Flown {
  /** That came from the store for it. */
  readonly bytes: number
  /** Chunks that another executor had, or that it brought for somebody else: they cost the store nothing. */
  readonly lent: ReadonlySet<Chunk>
}

export interface Flight {
  readonly controller: AbortController
  readonly done: Promise<Flown>
  /** Another executor is asked first: what waits for that one must not be waited for by one it waits for. */
  readonly asksPeer: boolean
  waiters: number
}

/** Waits for it as long as it is wanted here; the last who goes ends it. */
export async function join(flight: Flight, signal: AbortSignal): Promise<Flown> {
  flight.waiters++
  let leave = (): void => undefined
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(new QueryError('CANCELLED', 'the task was cancelled'))
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([flight.done, left])
  } finally {
    signal.removeEventListener('abort', leave)
    if (--flight.waiters === 0 && signal.aborted) flight.controller.abort()
  }
}
