/**
 * The moment at which the other side of a stream is gone, to be waited for beside one thing after another. Promise.race
 * would keep every one of those things until that moment comes: a result of 1 GB was held that way, frame by frame.
 */

export const GONE = Symbol('gone')

export class Departure {
  #isGone = false
  #tell = (): void => undefined

  leave(): void {
    this.#isGone = true
    this.#tell()
  }

  /** What `promise` gives, or GONE if that comes first. One call at a time. */
  or<T>(promise: Promise<T>): Promise<T | typeof GONE> {
    if (this.#isGone) {
      promise.catch(() => undefined) // nobody is left to be told
      return Promise.resolve(GONE)
    }
    return new Promise((resolve, reject) => {
      this.#tell = () => resolve(GONE)
      promise.then(resolve, reject)
    })
  }
}
