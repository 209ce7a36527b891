/**
 * Footers of the files that tables are made of: read a few at a time, kept by bucket, key and etag, the least recently
 * used forgotten first; those of remote buckets on disk too. Files of one writer share one schema in memory.
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

export class FooterCache {
  readonly #footers = new Map<string, Promise<Footer>>()
  readonly #schemas = new Map<string, FooterSchema>()
  readonly #tails = new TailGuess()
  readonly #files: FooterFiles

  constructor(files: FooterFiles) {
    this.#files = files
  }

  /** In the order of `files`; rejects with the first failure. */
  async read(storeOf: (bucket: string) => ObjectStore, files: readonly FileKey[]): Promise<Footer[]> {
    const footers: Footer[] = []
    let next = 0
    const readers = Array.from({ length: Math.min(MAX_PARALLEL_READS, files.length) }, async () => {
      for (let i = next++; i < files.length; i = next++) {
        const file = files[i]
        if (file !== undefined) footers[i] = await this.#one(storeOf(file.bucket), file)
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

  #one(store: ObjectStore, file: FileKey): Promise<Footer> {
    const id = `${file.bucket}\0${file.key}\0${file.etag}`
    const known = this.#footers.get(id)
    this.#footers.delete(id)
    const footer = known ?? this.#load(store, file, id)
    this.#footers.set(id, footer)
    const [oldest] = this.#footers.keys()
    if (this.#footers.size > MAX_FOOTERS && oldest !== undefined) this.#footers.delete(oldest)
    return footer
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
