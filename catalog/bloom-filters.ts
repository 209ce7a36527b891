/**
 * Bloom filters of the files of tables, as far as they are worth reading: in memory by bucket, key, etag and place, the
 * least recently used forgotten first, and those of remote buckets on disk. Reading is given up after a moment: a
 * filter that is not at hand only costs the reading of what it would have left out.
 */

import { BloomFilter } from '../cache/bloom-filter.ts'
import type { FileKey } from '../cache/key.ts'
import { LocalStore } from '../cache/local-store.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import type { Clock } from '../proto/clock.ts'
import { type FilterRead, filterReads } from './filter-reads.ts'
import type { FooterFiles } from './footer-files.ts'
import { type FiltersAtHand, type PrunedFile, type PruneFilter, pruneFiles } from './prune.ts'
import type { Table } from './table.ts'

/** Of all filters in memory. */
const MAX_BYTES = 64 * 1024 * 1024
/** A query is not to wait longer for what may help it. */
const WITHIN_MS = 1_000

export interface BloomFilterPorts {
  /** By the names of their buckets. */
  readonly stores: ReadonlyMap<string, ObjectStore>
  readonly files: FooterFiles
  readonly clock: Clock
}

export class BloomFilters {
  readonly #ports: BloomFilterPorts
  /** Null: not one of a known kind. The least recently used first. */
  readonly #known = new Map<string, BloomFilter | null>()
  #bytes = 0

  constructor(ports: BloomFilterPorts) {
    this.#ports = ports
  }

  /** What is left of `kept`, which the statistics have left, of the very same table, filters and columns. */
  prune(
    table: Table, filters: readonly PruneFilter[], columns: readonly number[], kept: readonly PrunedFile[],
  ): readonly PrunedFile[] | Promise<readonly PrunedFile[]> {
    const reads = filterReads(table, filters, kept)
    if (reads.length === 0) return kept
    const found = new Map<string, BloomFilter>()
    const atHand: FiltersAtHand = (group, column) => found.get(`${group} ${column}`)
    return this.#readAll(reads, found).then(() => pruneFiles(table, filters, columns, atHand))
  }

  async #readAll(reads: readonly FilterRead[], found: Map<string, BloomFilter>): Promise<void> {
    const missing = reads.filter(read => !this.#take(read, found))
    if (missing.length === 0) return
    const late = new AbortController()
    const cancel = this.#ports.clock.after(WITHIN_MS, () => late.abort())
    const gone = new Promise<void>(resolve => {
      late.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const all = missing.map(async read => {
      await this.#read(read, late.signal)
      this.#take(read, found)
    })
    await Promise.race([Promise.allSettled(all), gone])
    cancel()
  }

  /** False: some of them are not in memory. */
  #take({ file, filters }: FilterRead, found: Map<string, BloomFilter>): boolean {
    let isWhole = true
    for (const { group, column, from } of filters) {
      const key = keyOf(file, from)
      const known = this.#known.get(key)
      if (known === undefined) isWhole = false
      else {
        this.#known.delete(key)
        this.#known.set(key, known)
        if (known !== null) found.set(`${group} ${column}`, known)
      }
    }
    return isWhole
  }

  async #read({ file, from, to, filters }: FilterRead, signal: AbortSignal): Promise<void> {
    const bytes = await this.#bytesOf(file, from, to, signal)
    // each on its own: one that stays must not keep the others
    for (const { from: at, length } of filters) {
      this.#keep(keyOf(file, at), BloomFilter.parse(bytes.slice(at - from, at - from + length)))
    }
  }

  async #bytesOf(file: FileKey, from: number, to: number, signal: AbortSignal): Promise<Uint8Array> {
    const { stores, files } = this.#ports
    const store = stores.get(file.bucket)
    if (store === undefined) throw new Error(`no bucket ${file.bucket}`)
    const { key, etag } = file
    if (store instanceof LocalStore) return store.readRange(key, from, to, etag)
    const part = { ...file, key: `${key}\0${from}-${to}` }
    const kept = await files.get(part)
    if (kept?.length === to - from) return kept
    const bytes = await store.readRange(key, from, to, etag, signal)
    await files.put(part, bytes)
    return bytes
  }

  #keep(key: string, filter: BloomFilter | null): void {
    if (this.#known.has(key)) return
    this.#known.set(key, filter)
    this.#bytes += costOf(filter)
    for (const [oldest, one] of this.#known) {
      if (this.#bytes <= MAX_BYTES) return
      this.#known.delete(oldest)
      this.#bytes -= costOf(one)
    }
  }
}

/** With what the entry itself takes. */
function costOf(filter: BloomFilter | null): number {
  return 256 + (filter?.sizeBytes ?? 0)
}

function keyOf({ bucket, key, etag }: FileKey, from: number): string {
  return `${bucket}\0${key}\0${etag}\0${from}`
}
