/**
 * What leaves the cache first: S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, 2023). What comes in waits in a small queue
 * that has a tenth of the bytes; only what is asked for again while it waits goes on to the main queue. A scan that
 * touches everything once therefore passes through the tenth and leaves the rest as it was, which a list ordered by the
 * last use does not withstand. What left the small queue is remembered for a while: if it comes again it goes to the
 * main queue at once. A hit only counts; nothing is moved in a list, so thousands of hits a query cost little.
 *
 * Pure of everything but its own queues: it holds keys and sizes, no files.
 */

/** Of the bytes of all entries. */
const SMALL_SHARE = 0.1
/** Asks that count: more do not make an entry stay longer. */
const MAX_USES = 3
/** Keys of entries that left the small queue. */
const MAX_REMEMBERED = 100_000

interface Entry {
  readonly bytes: number
  uses: number
}

export class Eviction<Key> {
  readonly #small = new Map<Key, Entry>()
  readonly #main = new Map<Key, Entry>()
  readonly #remembered = new Set<Key>()
  #smallBytes = 0
  #mainBytes = 0

  get bytes(): number {
    return this.#smallBytes + this.#mainBytes
  }

  /** A new entry, or one of another size. `proven`: it has been of use before, so it need not wait. */
  add(key: Key, bytes: number, proven = false): void {
    this.remove(key)
    if (this.#remembered.delete(key) || proven) this.#toMain(key, { bytes, uses: 0 })
    else this.#toSmall(key, { bytes, uses: 0 })
  }

  used(key: Key): void {
    const entry = this.#small.get(key) ?? this.#main.get(key)
    if (entry !== undefined) entry.uses = Math.min(MAX_USES, entry.uses + 1)
  }

  remove(key: Key): void {
    const small = this.#small.get(key)
    const main = this.#main.get(key)
    if (small !== undefined) this.#smallBytes -= small.bytes
    if (main !== undefined) this.#mainBytes -= main.bytes
    this.#small.delete(key)
    this.#main.delete(key)
  }

  /** Takes out the next to go, which `mayGo`; undefined if none may. */
  next(mayGo: (key: Key) => boolean): Key | undefined {
    const first = this.#smallBytes > SMALL_SHARE * this.bytes ? this.#fromSmall(mayGo) : this.#fromMain(mayGo)
    return first ?? this.#fromSmall(mayGo) ?? this.#fromMain(mayGo)
  }

  #fromSmall(mayGo: (key: Key) => boolean): Key | undefined {
    for (const [key, entry] of this.#small) {
      if (!mayGo(key)) continue
      this.remove(key)
      if (entry.uses > 0) {
        this.#toMain(key, { bytes: entry.bytes, uses: 0 })
        continue
      }
      this.#remember(key)
      return key
    }
    return undefined
  }

  /** What goes to the end of the queue is met again by the same walk, with a use less. */
  #fromMain(mayGo: (key: Key) => boolean): Key | undefined {
    for (const [key, entry] of this.#main) {
      if (!mayGo(key)) continue
      this.remove(key)
      if (entry.uses === 0) return key
      this.#toMain(key, { bytes: entry.bytes, uses: entry.uses - 1 })
    }
    return undefined
  }

  #toSmall(key: Key, entry: Entry): void {
    this.#small.set(key, entry)
    this.#smallBytes += entry.bytes
  }

  #toMain(key: Key, entry: Entry): void {
    this.#main.set(key, entry)
    this.#mainBytes += entry.bytes
  }

  #remember(key: Key): void {
    this.#remembered.add(key)
    const [oldest] = this.#remembered
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
  }
}
