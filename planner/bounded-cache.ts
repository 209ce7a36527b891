/** Values by text, bounded by count and by bytes; the least recently used leave first. */

export interface CacheLimits {
  readonly maxEntries: number
  readonly maxBytes: number
}

interface Entry<Value> {
  readonly value: Value
  readonly sizeBytes: number
}

/** Of a text in memory: V8 keeps most as one byte a character, but not all. */
const BYTES_PER_CHARACTER = 2

export class BoundedCache<Value> {
  readonly #limits: CacheLimits
  /** In order of last use. */
  readonly #entries = new Map<string, Entry<Value>>()
  #sizeBytes = 0

  constructor(limits: CacheLimits) {
    this.#limits = limits
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** `characters`: what the value takes, counted as text. What alone is over the limit is not kept. */
  put(key: string, value: Value, characters: number): void {
    const sizeBytes = BYTES_PER_CHARACTER * (key.length + characters)
    if (sizeBytes > this.#limits.maxBytes) return
    this.#remove(key)
    this.#entries.set(key, { value, sizeBytes })
    this.#sizeBytes += sizeBytes
    for (const oldest of this.#entries.keys()) {
      if (this.#sizeBytes <= this.#limits.maxBytes && this.#entries.size <= this.#limits.maxEntries) break
      this.#remove(oldest)
    }
  }

  #remove(key: string): void {
    this.#sizeBytes -= this.#entries.get(key)?.sizeBytes ?? 0
    this.#entries.delete(key)
  }
}
