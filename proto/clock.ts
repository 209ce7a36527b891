/** The only way any folder reads the time or waits for it. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  nowMs(): number
  /** Calls back once after `delayMs`; the returned function cancels. */
  after(delayMs: number, callback: () => void): () => void
  /** The calendar's time, for logs and expiry dates; may jump. Milliseconds since 1970. */
  wallMs(): number
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  wallMs: () => Date.now(),
}

/** Resolves after `delayMs` of `clock`'s time. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => { clock.after(delayMs, resolve) })
}
