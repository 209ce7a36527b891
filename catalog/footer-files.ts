/**
 * Footers on the coordinator's disk, by bucket, key and etag: what was once fetched from a remote bucket is not fetched
 * again after a restart. One file a footer, written beside and renamed, with a checksum in front: what is not whole is
 * as if it were not there. Nothing depends on them: a disk that is full or fails only costs a request.
 */

import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { FileKey } from '../cache/key.ts'

/** Of a folder; there are 256, so about 100,000 footers, mostly of some 10 KB. */
const MAX_FILES = 400
/** How many go at once when a folder is full: the oldest. */
const REMOVED_AT_ONCE = 40
/** A larger one costs more to keep than to fetch. */
const MAX_BYTES = 16 * 1024 * 1024
const CHECKSUM_BYTES = 4

export class FooterFiles {
  readonly #folder: string
  /** Files in each folder that was written to, about. */
  readonly #counts = new Map<string, number>()
  #written = 0

  /** Absolute; made when it is needed, and this process's alone. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** The metadata of the footer, or undefined. */
  async get(file: FileKey): Promise<Buffer | undefined> {
    const { folder, name } = this.#place(file)
    const bytes = await readFile(join(folder, name)).catch(() => undefined)
    if (bytes === undefined || bytes.length < CHECKSUM_BYTES) return undefined
    const metadata = bytes.subarray(CHECKSUM_BYTES)
    return bytes.readUInt32LE(0) === crc32(metadata) ? metadata : undefined
  }

  async put(file: FileKey, metadata: Uint8Array): Promise<void> {
    if (metadata.length > MAX_BYTES) return
    const { folder, name } = this.#place(file)
    const unfinished = join(folder, `${name}.${this.#written++}`)
    const checksum = Buffer.alloc(CHECKSUM_BYTES)
    checksum.writeUInt32LE(crc32(metadata))
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await this.#makeRoom(folder)
      await writeFile(unfinished, Buffer.concat([checksum, metadata]))
      await rename(unfinished, join(folder, name))
    } catch {
      await rm(unfinished, { force: true }).catch(() => undefined) // as above: it only costs a request
    }
  }

  async #makeRoom(folder: string): Promise<void> {
    const count = this.#counts.get(folder) ?? (await readdir(folder)).length
    this.#counts.set(folder, count + 1)
    if (count < MAX_FILES) return
    const names = await readdir(folder)
    const aged = await Promise.all(names.map(async name => {
      const path = join(folder, name)
      return { path, mtimeMs: await stat(path).then(stats => stats.mtimeMs, () => 0) }
    }))
    aged.sort((a, b) => a.mtimeMs - b.mtimeMs)
    const gone = aged.slice(0, Math.max(0, names.length - MAX_FILES + REMOVED_AT_ONCE))
    await Promise.all(gone.map(({ path }) => rm(path, { force: true })))
    this.#counts.set(folder, names.length - gone.length + 1)
  }

  #place({ bucket, key, etag }: FileKey): { readonly folder: string; readonly name: string } {
    const hash = createHash('sha256').update([bucket, key, etag].join('\0')).digest('hex')
    return { folder: join(this.#folder, hash.slice(0, 2)), name: hash }
  }
}
