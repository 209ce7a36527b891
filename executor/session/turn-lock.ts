/** Many readers or one writer, in the order in which they came; none waits for ever. */

import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'

export type Turn = 'read' | 'write'

interface Waiting {
  readonly turn: Turn
  readonly start: () => void
}

export class TurnLock {
  readonly #name: string
  readonly #clock: Clock
  #waiting: Waiting[] = []
  #readers = 0
  #isWritten = false

  /** `name`: what messages say is busy. */
  constructor(name: string, clock: Clock) {
    this.#name = name
    this.#clock = clock
  }

  get isFree(): boolean {
    return this.#readers === 0 && !this.#isWritten && this.#waiting.length === 0
  }

  /** What gives it back. Throws CATALOG_BUSY after `waitMs`, CANCELLED when nobody waits any more. */
  take(turn: Turn, waitMs: number, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancelTimer()
        signal.removeEventListener('abort', leave)
      }
      const giveUp = (error: QueryError): void => {
        this.#waiting = this.#waiting.filter(one => one !== waiting)
        end()
        reject(error)
        this.#next()
      }
      const leave = (): void => giveUp(new QueryError('CANCELLED', 'the statement was cancelled'))
      const waiting: Waiting = { turn, start: () => {
        end()
        resolve(this.#release(turn))
      } }
      const cancelTimer = this.#clock.after(waitMs, () => giveUp(
        new QueryError('CATALOG_BUSY', `${this.#name} was in use by others for ${waitMs / 1000} s`)))
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiting)
      if (signal.aborted) leave()
      else this.#next()
    })
  }

  #release(turn: Turn): () => void {
    if (turn === 'read') this.#readers++
    else this.#isWritten = true
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      if (turn === 'read') this.#readers--
      else this.#isWritten = false
      this.#next()
    }
  }

  #next(): void {
    for (;;) {
      const [first] = this.#waiting
      if (first === undefined || this.#isWritten || (first.turn === 'write' && this.#readers > 0)) return
      this.#waiting.shift()
      first.start()
    }
  }
}
