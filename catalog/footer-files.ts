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

/** Of a folder; there are 256, so about as many footers as a table may have files. */
const MAX_FILES = 4_000
/** Of a folder, 8 GiB in all: a footer has mostly some 10 KB. */
const MAX_FOLDER_BYTES = 32 * 1024 * 1024
/** Of what a full folder may hold: then the oldest go. */
const KEPT_SHARE = 0.9
/** A larger one costs more to keep than to fetch. */
const MAX_BYTES = 16 * 1024 * 1024
const CHECKSUM_BYTES = 4

interface FolderUse {
  readonly files: number
  readonly bytes: number
}

export class FooterFiles {
  readonly #folder: string
  readonly #limit: FolderUse
  /** Of each folder that was written to, about. */
  readonly #uses = new Map<string, FolderUse>()
  #written = 0

  /** Absolute; made when it is needed, and this process's alone. `limit`: of each of its 256 folders. */
  constructor(folder: string, limit: FolderUse = { files: MAX_FILES, bytes: MAX_FOLDER_BYTES }) {
    this.#folder = folder
    this.#limit = limit
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
      await this.#makeRoom(folder, metadata.length + CHECKSUM_BYTES)
      await writeFile(unfinished, Buffer.concat([checksum, metadata]))
      await rename(unfinished, join(folder, name))
    } catch {
      await rm(unfinished, { force: true }).catch(() => undefined) // as above: it only costs a request
    }
  }

  async #makeRoom(folder: string, bytes: number): Promise<void> {
    const known = this.#uses.get(folder)
    const use = known ?? useOf(await aged(folder))
    this.#uses.set(folder, { files: use.files + 1, bytes: use.bytes + bytes })
    if (use.files < this.#limit.files && use.bytes + bytes <= this.#limit.bytes) return
    const left = await aged(folder)
    const gone: AgedFile[] = []
    const isFull = ({ files, bytes: now }: FolderUse): boolean =>
      files >= this.#limit.files * KEPT_SHARE || now + bytes > this.#limit.bytes * KEPT_SHARE
    while (left.length > 0 && isFull(useOf(left))) gone.push(...left.splice(0, Math.ceil(left.length / 16)))
    await Promise.all(gone.map(({ path }) => rm(path, { force: true })))
    const after = useOf(left)
    this.#uses.set(folder, { files: after.files + 1, bytes: after.bytes + bytes })
  }

  #place({ bucket, key, etag }: FileKey): { readonly folder: string; readonly name: string } {
    const hash = createHash('sha256').update([bucket, key, etag].join('\0')).digest('hex')
    return { folder: join(this.#folder, hash.slice(0, 2)), name: hash }
  }
}

interface AgedFile {
  readonly path: string
  readonly mtimeMs: number
  readonly bytes: number
}

/** The oldest first. */
async function aged(folder: string): Promise<AgedFile[]> {
  const files = await Promise.all((await readdir(folder)).map(async name => {
    const path = join(folder, name)
    const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }))
    return { path, mtimeMs, bytes: size }
  }))
  return files.sort((a, b) => a.mtimeMs - b.mtimeMs)
}

function useOf(files: readonly AgedFile[]): FolderUse {
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }
}
