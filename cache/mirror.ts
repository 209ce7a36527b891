/**
 * A remote file as a sparse local one: of the same length, with the footer, which knows of no Bloom filters, and those
 * chunks that were brought, each at its own place; the rest is a hole. DuckDB reads it as any file. Beside it lies its
 * presence record.
 *
 * A hole inside a chunk may be a wrong answer without an error, so a chunk counts only when all its bytes are written,
 * and it is checked against its checksum before its first use after a start, whenever someone else has touched the
 * file, now and then besides, and when DuckDB stumbles over the file. A path is never used twice.
 */

import { type FileHandle, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { type FileLayout, blockLayout, chunkBytes, parquetLayout } from './column-chunks.ts'
import { PIECE_BYTES, type PlannedRead, piecesOf } from './fetch-plan.ts'
import { MAGIC, TRAILER_BYTES } from './footer-tail.ts'
import type { FileKey } from './key.ts'
import { type MirrorHead, decodePresence, encodeHead, encodeRecord } from './presence.ts'

/** A chunk that is here, or that somebody wants. */
export interface Chunk {
  readonly mirror: Mirror
  readonly number: number
  readonly bytes: number
  /** Null: it is not here. */
  checksum: number | null
  /** False: its checksum is to be compared before it is used. */
  trusted: boolean
  /** Tasks that read it: it stays. */
  pins: number
  /** True: it was brought before its task began, and that task counts it as fetched. */
  unclaimed: boolean
}

/** In the names of what DuckDB reads. */
export const DATA_MARK = '.data'
export const PRESENCE_SUFFIX = '.idx'

export class Mirror {
  readonly head: MirrorHead
  /** Without a suffix. */
  #base: string
  readonly #chunks = new Map<number, Chunk>()
  #layout: FileLayout | undefined
  /** Tasks that read it, and openings under way: it stays. */
  pins = 0
  /** Fetched besides chunks before a task began: of the footer, and between chunks. */
  unclaimedBytes = 0
  /** True: it serves one task and goes with it. */
  passing = false
  #packing: Promise<void> | undefined
  /** Chunks that were given up but still take room on disk, with their bytes. */
  readonly #dead = new Map<number, number>()
  #writers = 0
  /** How the file was after our last write; undefined: not known. */
  #stamp: string | undefined

  private constructor(base: string, head: MirrorHead, layout: FileLayout | undefined) {
    this.#base = base
    this.head = head
    this.#layout = layout
  }

  get file(): FileKey {
    return this.head.file
  }

  /** What DuckDB reads: with the ending of the key, which tells how text is compressed. */
  get path(): string {
    const [ending = ''] = /(\.[A-Za-z0-9]{1,8}){0,2}$/.exec(this.file.key) ?? []
    return `${this.#base}${DATA_MARK}${ending}`
  }

  get presencePath(): string {
    return this.#base + PRESENCE_SUFFIX
  }

  /** Of the layout that `layout` has made ready. */
  get ready(): FileLayout {
    if (this.#layout === undefined) throw new Error(`${this.path} has no layout yet`)
    return this.#layout
  }

  /** A new one at `base`, which no file has had before. `metadata`: of a Parquet footer; null: a file of blocks. */
  static async create(base: string, file: FileKey, metadata: Buffer | null): Promise<Mirror> {
    const layout = metadata === null ? blockLayout(file) : parquetLayout(metadata, file)
    const footer = metadata === null ? Buffer.alloc(0) : withTrailer(metadata)
    const head = { file, footerBytes: footer.length, footerChecksum: crc32(footer) }
    const mirror = new Mirror(base, head, layout)
    try {
      await mirror.#write(footer, encodeHead(head))
    } catch (error) {
      await mirror.remove()
      throw error
    }
    return mirror
  }

  async #write(footer: Uint8Array, head: Uint8Array): Promise<void> {
    const data = await open(this.path, 'wx', 0o600)
    try {
      await data.truncate(this.file.sizeBytes)
      if (footer.length > 0) {
        await data.write(MAGIC, 0, 'latin1')
        await writeAll(data, footer, this.ready.footerFrom)
      }
    } finally {
      await data.close()
    }
    await writeFile(this.presencePath, head, { flag: 'wx', mode: 0o600 })
    await this.#remember()
  }

  /** What an earlier start left at `base`; undefined if it is of no use. Nothing of it is trusted yet. */
  static async load(base: string): Promise<Mirror | undefined> {
    const bytes = await readFile(base + PRESENCE_SUFFIX).catch(() => undefined)
    const presence = bytes === undefined ? undefined : decodePresence(bytes)
    if (presence === undefined) return undefined
    if (bytes !== undefined && bytes.length > presence.soundBytes) {
      await truncate(base + PRESENCE_SUFFIX, presence.soundBytes)
    }
    const mirror = new Mirror(base, presence.head, undefined)
    for (const { chunk, bytes, checksum } of presence.records.values()) {
      mirror.#chunks.set(chunk, { mirror, number: chunk, bytes, checksum, trusted: false, pins: 0, unclaimed: false })
    }
    return mirror
  }

  /** Bytes on disk that are of no use. */
  get deadBytes(): number {
    let bytes = 0
    for (const dead of this.#dead.values()) bytes += dead
    return bytes
  }

  /** Chunks that are here. */
  present(): Chunk[] {
    return [...this.#chunks.values()].filter(({ checksum }) => checksum !== null)
  }

  /** Columns of the chunks that are here. */
  presentColumns(): string[] {
    const { columns } = this.ready
    return [...new Set(this.present().map(({ number }) => columns[number % columns.length] ?? ''))]
  }

  chunk(number: number): Chunk {
    const known = this.#chunks.get(number)
    if (known !== undefined) return known
    const bytes = chunkBytes(this.ready.chunks[number] ?? [])
    const chunk: Chunk = { mirror: this, number, bytes, checksum: null, trusted: true, pins: 0, unclaimed: false }
    this.#chunks.set(number, chunk)
    return chunk
  }

  /** It is not here any more; its bytes are until the file goes. */
  drop(chunk: Chunk): void {
    if (chunk.checksum === null) return
    chunk.checksum = null
    this.#dead.set(chunk.number, chunk.bytes)
  }

  /** Its bytes did not come, or not all. */
  abandon({ number, bytes }: Chunk): void {
    this.#dead.set(number, bytes)
  }

  /**
   * Makes its layout ready and looks whether the file is as we left it. False: it is of no use any more, and a new one
   * has to be made. When somebody has written to it, nothing of it is trusted.
   */
  async usable(): Promise<boolean> {
    await this.#packing?.catch(() => undefined) // whoever packs it throws it away then
    if (this.#writers > 0 && this.#layout !== undefined) return true
    const now = await stampOf(this.path)
    if (now === undefined) return false
    const touched = this.#writers === 0 && now !== this.#stamp
    if (!touched && this.#layout !== undefined) return true
    if (touched) for (const chunk of this.#chunks.values()) chunk.trusted = false
    return this.#readFooter()
  }

  /** Nobody reads it: what is not here need not be known. */
  rest(): void {
    for (const [number, { checksum }] of this.#chunks) if (checksum === null) this.#chunks.delete(number)
  }

  forgetLayout(): void {
    if (this.pins === 0) this.#layout = undefined
  }

  /** Nobody may read it. What is found damaged on the way is left behind. */
  async pack(base: string): Promise<void> {
    this.#packing = this.#pack(base)
    try {
      await this.#packing
    } finally {
      this.#packing = undefined
    }
  }

  async #pack(base: string): Promise<void> {
    if (!await this.#readFooter()) throw new Error(`${this.path} has lost its footer`)
    const copy = await this.#copy(base)
    const old = new Mirror(this.#base, this.head, undefined)
    this.#base = base
    this.#dead.clear()
    for (const [number, chunk] of this.#chunks) {
      const { checksum } = copy.chunk(number)
      chunk.checksum = checksum
      chunk.trusted = true
    }
    await this.#remember()
    await old.remove()
  }

  /** With what is whole of it. */
  async #copy(base: string): Promise<Mirror> {
    const from = await open(this.path, 'r')
    try {
      const metadata = this.head.footerBytes === 0 ? null
        : (await readAll(from, this.ready.footerFrom, this.head.footerBytes)).subarray(0, -TRAILER_BYTES)
      const copy = await Mirror.create(base, this.file, metadata)
      try {
        await copy.fill(writer => this.#copyTo(writer, from))
      } catch (error) {
        await copy.remove()
        throw error
      }
      return copy
    } finally {
      await from.close()
    }
  }

  async #copyTo(writer: MirrorWriter, from: FileHandle): Promise<void> {
    for (const chunk of this.present()) {
      const pieces = piecesOf(chunk.number, this.ready.chunks[chunk.number] ?? [])
      const sums: number[] = []
      for (const piece of pieces) {
        const bytes = await readAll(from, piece.from, piece.to - piece.from)
        sums.push(crc32(bytes))
        await writer.write({ ...piece, pieces: [piece] }, bytes)
      }
      if (checksumOf(sums) === chunk.checksum) await writer.complete(chunk.number, sums)
    }
  }

  async #readFooter(): Promise<boolean> {
    const { file, footerBytes, footerChecksum } = this.head
    const data = await open(this.path, 'r+').catch(() => undefined)
    if (data === undefined) return false
    try {
      if ((await data.stat()).size !== file.sizeBytes) await data.truncate(file.sizeBytes)
      const footer = await readAll(data, file.sizeBytes - footerBytes, footerBytes)
      if (crc32(footer) !== footerChecksum) return false
      const metadata = footer.subarray(0, Math.max(0, footer.length - TRAILER_BYTES))
      this.#layout = footerBytes === 0 ? blockLayout(file) : parquetLayout(metadata, file)
    } finally {
      await data.close()
    }
    await this.#remember()
    return true
  }

  /** Compares `chunks` with their checksums: those that are not whole are dropped, and given back. */
  async verify(chunks: readonly Chunk[]): Promise<Chunk[]> {
    if (chunks.length === 0) return []
    const data = await open(this.path, 'r')
    const damaged: Chunk[] = []
    try {
      for (const chunk of chunks) {
        const expected = chunk.checksum
        if (expected === null) continue
        const whole = await this.#checksumOnDisk(data, chunk) === expected
        if (chunk.checksum !== expected) continue // dropped or brought anew meanwhile
        chunk.trusted = whole
        if (!whole) damaged.push(chunk)
      }
    } finally {
      await data.close()
    }
    for (const chunk of damaged) this.drop(chunk)
    return damaged
  }

  async #checksumOnDisk(data: FileHandle, chunk: Chunk): Promise<number | undefined> {
    const ranges = this.ready.chunks[chunk.number] ?? []
    if (chunkBytes(ranges) !== chunk.bytes) return undefined
    const sums: number[] = []
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Math.max(1, chunk.bytes)))
    for (const { from, to } of piecesOf(chunk.number, ranges)) {
      const piece = buffer.subarray(0, to - from)
      const { bytesRead } = await data.read(piece, 0, piece.length, from)
      sums.push(bytesRead === piece.length ? crc32(piece) : -1)
    }
    return sums.includes(-1) ? undefined : checksumOf(sums)
  }

  /** Opens it for `work`, which writes what was fetched and then says which chunks are whole. */
  async fill(work: (writer: MirrorWriter) => Promise<void>): Promise<void> {
    const data = await open(this.path, 'r+')
    const presence = await open(this.presencePath, 'a').catch(async (error: unknown) => {
      await data.close()
      throw error
    })
    this.#writers++
    try {
      await work({
        write: (read, bytes) => writePieces(data, read, bytes),
        complete: async (number, sums) => {
          const chunk = this.chunk(number)
          const checksum = checksumOf(sums)
          await presence.write(encodeRecord({ chunk: number, bytes: chunk.bytes, checksum }, this.head))
          chunk.checksum = checksum
          chunk.trusted = true
          this.#dead.delete(number)
        },
      })
    } finally {
      await Promise.all([data.close(), presence.close()])
      this.#writers--
      await this.#remember()
    }
  }

  async remove(): Promise<void> {
    await rm(this.presencePath, { force: true })
    await rm(this.path, { force: true })
  }

  async #remember(): Promise<void> {
    const stamp = await stampOf(this.path)
    if (this.#writers === 0) this.#stamp = stamp
  }
}

export interface MirrorWriter {
  /** The pieces of `read`, out of its bytes. */
  write(read: PlannedRead, bytes: Uint8Array): Promise<void>
  /** All pieces of the chunk are written; `checksums` are theirs, in order. */
  complete(chunk: number, checksums: readonly number[]): Promise<void>
}

/** Of a chunk, from those of its pieces. */
export function checksumOf(pieces: readonly number[]): number {
  const bytes = Buffer.alloc(4 * pieces.length)
  pieces.forEach((checksum, i) => bytes.writeUInt32LE(checksum, 4 * i))
  return crc32(bytes)
}

async function writePieces(data: FileHandle, read: PlannedRead, bytes: Uint8Array): Promise<void> {
  let from = read.from
  let to = read.from
  const write = async (): Promise<void> => {
    if (to > from) await writeAll(data, bytes.subarray(from - read.from, to - read.from), from)
  }
  for (const piece of read.pieces) {
    if (piece.from > to) {
      await write()
      from = piece.from
    }
    to = Math.max(to, piece.to)
  }
  await write()
}

async function writeAll(data: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += (await data.write(bytes, at, bytes.length - at, position + at)).bytesWritten
  }
}

/** Fewer bytes if the file is shorter. */
async function readAll(data: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await data.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

function withTrailer(metadata: Buffer): Buffer {
  const trailer = Buffer.alloc(TRAILER_BYTES)
  trailer.writeUInt32LE(metadata.length, 0)
  trailer.write(MAGIC, 4, 'latin1')
  return Buffer.concat([metadata, trailer])
}

/** Changes with every write by whomsoever. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return `${size} ${mtimeNs} ${ctimeNs}`
  } catch {
    return undefined // gone
  }
}
