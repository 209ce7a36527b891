/**
 * What one side says, for one reader that takes it as it can: `say` never waits, iteration ends after `end`. Whoever
 * says must bound what is unread by the answers it waits for.
 */

export class Outbox<T> implements AsyncIterable<T> {
  readonly #said: T[] = []
  #ended = false
  #wake: () => void = () => undefined

  /** Said but not taken. */
  get size(): number {
    return this.#said.length
  }

  /** Nothing is said after the end. */
  say(value: T): void {
    if (this.#ended) return
    this.#said.push(value)
    this.#wake()
  }

  /** What was said before is still read. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        for (const value of this.#said.splice(0)) yield value
        if (this.#said.length > 0) continue
        if (this.#ended) return
        await new Promise<void>(resolve => { this.#wake = resolve })
      }
    } finally {
      this.end() // its reader has left
    }
  }
}
