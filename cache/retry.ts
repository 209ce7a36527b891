/**
 * Calls of a store that may fail for a moment: tried again after a pause that grows and is drawn by chance, so that
 * many who failed together do not come back together, until the deadline. Each attempt has a limit of its own: an
 * answer that does not come is a failure of the moment too.
 */

import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'

export interface RetryPolicy {
  /** For all attempts together, with the pauses. */
  readonly deadlineMs: number
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
  what: string, attempt: (signal: AbortSignal) => Promise<T>, policy: RetryPolicy, { clock, random }: RetryPorts,
  signal?: AbortSignal,
): Promise<T> {
  const endMs = clock.nowMs() + policy.deadlineMs
  for (let made = 1; ; made++) {
    const leftMs = Math.min(policy.attemptMs, endMs - clock.nowMs())
    const failure = await limited(attempt, leftMs, clock, signal)
    if (failure.kind === 'done') return failure.value
    if (signal?.aborted === true) throw cancelled(what)
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
  | { readonly kind: 'failed' | 'late'; readonly error: unknown }

async function limited<T>(
  attempt: (signal: AbortSignal) => Promise<T>, limitMs: number, clock: Clock, outer?: AbortSignal,
): Promise<Outcome<T>> {
  const controller = new AbortController()
  let late = false
  const abort = (): void => controller.abort()
  const cancelTimer = clock.after(limitMs, () => {
    late = true
    abort()
  })
  if (outer?.aborted === true) abort()
  else outer?.addEventListener('abort', abort, { once: true })
  try {
    return { kind: 'done', value: await attempt(controller.signal) }
  } catch (error) {
    return { kind: late ? 'late' : 'failed', error }
  } finally {
    cancelTimer()
    outer?.removeEventListener('abort', abort)
  }
}

function cancelled(what: string): QueryError {
  return new QueryError('CANCELLED', `${what} was cancelled`)
}
