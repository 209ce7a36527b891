/** Requests to object stores of one process: so many at once, the others wait in the order of their coming. */

export class RequestLimit {
  readonly #limit: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  async run<T>(request: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    else this.#running++
    try {
      return await request()
    } finally {
      const next = this.#waiting.shift() // it takes over this one's place
      if (next === undefined) this.#running--
      else next()
    }
  }
}
