/**
 * Calls of a store that may fail for a moment: tried again after a pause that grows and is drawn by chance, so that
 * many who failed together do not come back together, until the deadline. Each attempt has a limit of its own: an
 * answer that does not come, or that stops, is a failure of the moment too. Nothing depends on what an attempt does
 * when it is told to end: it is not waited for any more.
 */

import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'

export interface RetryPolicy {
  /** From the first attempt: none begins after it, and by then the last must have been heard of. */
  readonly deadlineMs: number
  /** Of one attempt, without a sign of life. */
  readonly attemptMs: number
  /** Before the second attempt at most so long, doubled each time. */
  readonly pauseMs: number
  readonly maxPauseMs: number
}

export interface RetryPorts {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Of an attempt that does give signs of life: 8 MiB at 0.14 MB/s. */
const LONGEST_ATTEMPT_MS = 60_000

/** `heard`: to be called at each sign of life. */
export type Attempt<T> = (signal: AbortSignal, heard: () => void) => Promise<T>

/** Thrown by an attempt that may be made again; what it wraps is thrown when there is no time left. */
export class Again extends Error {
  readonly error: QueryError
  /** When so many have ended like this one it is final: it hardly passes by itself. */
  readonly attempts: number

  constructor(error: QueryError, attempts = Infinity) {
    super(error.message, { cause: error })
    this.error = error
    this.attempts = attempts
  }
}

/** `what` names it in messages. An attempt gets a signal that ends it; UNAVAILABLE when the deadline has passed. */
export async function retry<T>(
  what: string, attempt: Attempt<T>, policy: RetryPolicy, { clock, random }: RetryPorts,
  signal?: AbortSignal,
): Promise<T> {
  const endMs = clock.nowMs() + policy.deadlineMs
  for (let made = 1; ; made++) {
    const leftMs = Math.min(policy.attemptMs, endMs - clock.nowMs())
    if (signal?.aborted === true) throw cancelled(what)
    const failure = await limited(attempt, leftMs, clock, signal)
    if (failure.kind === 'done') return failure.value
    if (failure.kind === 'unwanted') throw cancelled(what)
    const again = failure.kind === 'late'
      ? new Again(new QueryError('UNAVAILABLE', `${what}: no answer within ${Math.round(leftMs)} ms`)) : failure.error
    if (!(again instanceof Again)) throw again
    const pauseMs = random() * Math.min(policy.maxPauseMs, policy.pauseMs * 2 ** (made - 1))
    if (made >= again.attempts || clock.nowMs() + pauseMs >= endMs) {
      const { code, message } = again.error
      throw new QueryError(code, made === 1 ? message : `${message} (${made} attempts)`, { cause: again.error })
    }
    await delay(clock, pauseMs)
  }
}

type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nothing was heard for too long. */
  | { readonly kind: 'late' }
  | { readonly kind: 'unwanted' }

/** Ends with the attempt, when nothing was heard for `quietMs`, or when it is not wanted any more. */
async function limited<T>(
  attempt: Attempt<T>, quietMs: number, clock: Clock, outer?: AbortSignal,
): Promise<Outcome<T>> {
  const controller = new AbortController()
  const beganMs = clock.nowMs()
  let heardMs = beganMs
  let cancelTimer = (): void => undefined
  let leave = (): void => undefined
  const outcome = new Promise<Outcome<T>>(resolve => {
    leave = () => resolve({ kind: 'unwanted' })
    const look = (isSure: boolean): void => {
      const leftMs = Math.min(heardMs + quietMs, beganMs + LONGEST_ATTEMPT_MS) - clock.nowMs()
      if (leftMs > 0) cancelTimer = clock.after(leftMs, () => look(false))
      else if (isSure) resolve({ kind: 'late' })
      // a process that was held up hears first of the time, and then of what came meanwhile
      else cancelTimer = clock.after(0, () => look(true))
    }
    look(false)
    attempt(controller.signal, () => { heardMs = clock.nowMs() })
      .then(value => resolve({ kind: 'done', value }), (error: unknown) => resolve({ kind: 'failed', error }))
  })
  outer?.addEventListener('abort', leave, { once: true })
  const ended = await outcome
  cancelTimer()
  outer?.removeEventListener('abort', leave)
  // what has ended by itself leaves a connection that is good for the next
  if (ended.kind === 'late' || ended.kind === 'unwanted') controller.abort()
  return ended
}

function cancelled(what: string): QueryError {
  return new QueryError('CANCELLED', `${what} was cancelled`)
}
