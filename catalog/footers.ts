/**
 * Footers of the files that tables are made of: read a few at a time, kept by bucket, key and etag, the least recently
 * used forgotten first; those of remote buckets on disk too. Of a table with more files than are kept, as many stay
 * from one reading to the next as there is room for: its files come in the same order each time, so the least recently
 * used would always be the next one. Files of one writer share one schema in memory.
 */

import { type Footer, type FooterSchema, parseFooter } from '../cache/footer.ts'
import { TailGuess, readTail } from '../cache/footer-tail.ts'
import type { FileKey } from '../cache/key.ts'
import { LocalStore } from '../cache/local-store.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import type { FooterFiles } from './footer-files.ts'

/** A footer of 20 columns and 10 row groups takes about 30 KB. */
const MAX_FOOTERS = 50_000
/** More requests do not make one store faster. */
const MAX_PARALLEL_READS = 16
/** Then all are forgotten: it only costs memory. */
const MAX_SCHEMAS = 10_000

interface Kept {
  readonly footer: Promise<Footer>
  /** The last call that asked for it. */
  readonly call: number
}

export class FooterCache {
  readonly #footers = new Map<string, Kept>()
  readonly #maxFooters: number
  #calls = 0
  readonly #schemas = new Map<string, FooterSchema>()
  readonly #tails = new TailGuess()
  readonly #files: FooterFiles

  constructor(files: FooterFiles, maxFooters = MAX_FOOTERS) {
    this.#files = files
    this.#maxFooters = maxFooters
  }

  /** In the order of `files`; rejects with the first failure. */
  async read(storeOf: (bucket: string) => ObjectStore, files: readonly FileKey[]): Promise<Footer[]> {
    const footers: Footer[] = []
    let next = 0
    const call = ++this.#calls
    const readers = Array.from({ length: Math.min(MAX_PARALLEL_READS, files.length) }, async () => {
      for (let i = next++; i < files.length; i = next++) {
        const file = files[i]
        if (file !== undefined) footers[i] = await this.#one(storeOf(file.bucket), file, call)
      }
    })
    try {
      await Promise.all(readers)
    } catch (error) {
      next = files.length
      throw error
    }
    return footers
  }

  #one(store: ObjectStore, file: FileKey, call: number): Promise<Footer> {
    const id = `${file.bucket}\0${file.key}\0${file.etag}`
    const known = this.#footers.get(id)
    if (known === undefined && !this.#makeRoom(call)) return this.#load(store, file, id)
    this.#footers.delete(id)
    const footer = known?.footer ?? this.#load(store, file, id)
    this.#footers.set(id, { footer, call })
    return footer
  }

  /** For one more; false: all that are kept are of the same call. */
  #makeRoom(call: number): boolean {
    if (this.#footers.size < this.#maxFooters) return true
    const [oldest] = this.#footers
    if (oldest === undefined || oldest[1].call === call) return false
    this.#footers.delete(oldest[0])
    return true
  }

  /** A failure is not kept. */
  async #load(store: ObjectStore, file: FileKey, id: string): Promise<Footer> {
    try {
      const footer = parseFooter(await this.#metadata(store, file), file)
      return { ...footer, schema: this.#shared(footer.schema) }
    } catch (error) {
      this.#footers.delete(id)
      throw error
    }
  }

  async #metadata(store: ObjectStore, file: FileKey): Promise<Buffer> {
    if (store instanceof LocalStore) return (await readTail(store, file)).metadata
    const kept = await this.#files.get(file)
    if (kept !== undefined) return kept
    const { metadata, footerBytes } = await readTail(store, file, this.#tails.of(file))
    this.#tails.learn(file, footerBytes)
    await this.#files.put(file, metadata)
    return metadata
  }

  #shared(schema: FooterSchema): FooterSchema {
    const known = this.#schemas.get(schema.fingerprint)
    if (known !== undefined) return known
    if (this.#schemas.size >= MAX_SCHEMAS) this.#schemas.clear()
    this.#schemas.set(schema.fingerprint, schema)
    return schema
  }
}
