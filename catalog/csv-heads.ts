/**
 * The first lines of CSV files, by which files with the same header are told from others without asking DuckDB of each:
 * a file that has other columns than the first must not be read by position.
 */

import { createHash } from 'node:crypto'
import { constants, gunzipSync } from 'node:zlib'
import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { isCompressed } from './row-estimate.ts'

/** A header that is longer is not compared: its file is looked at by itself. */
const HEAD_BYTES = 64 * 1024
/** More requests do not make one store faster. */
const MAX_PARALLEL_READS = 16
/** Then all are forgotten; each takes some 200 bytes. */
const MAX_HEADS = 100_000
const LINE_FEED = 0x0a

export interface HeadRequest {
  /** Lines that are not read, before the header. */
  readonly skip: number
  /** As the reader is told; undefined: by the ending of the name. */
  readonly compression: 'none' | 'gzip' | 'zstd' | undefined
}

export class CsvHeads {
  readonly #heads = new Map<string, string | null>()

  /** Equal for files whose lines down to the header are equal; null for a file that cannot be compared. */
  async of(
    storeOf: (bucket: string) => ObjectStore, files: readonly FileKey[], request: HeadRequest,
  ): Promise<(string | null)[]> {
    const heads: (string | null)[] = []
    let next = 0
    await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL_READS, files.length) }, async () => {
      for (let i = next++; i < files.length; i = next++) {
        const file = files[i]
        if (file !== undefined) heads[i] = await this.#one(storeOf(file.bucket), file, request)
      }
    }))
    return heads
  }

  async #one(store: ObjectStore, file: FileKey, request: HeadRequest): Promise<string | null> {
    const { bucket, key, etag, sizeBytes } = file
    const id = JSON.stringify([bucket, key, etag, request.skip, request.compression])
    const known = this.#heads.get(id)
    if (known !== undefined) return known
    const start = await store.readRange(key, 0, Math.min(sizeBytes, HEAD_BYTES), etag)
    const lines = headLines(plainText(start, key, request), request.skip + 1, sizeBytes <= HEAD_BYTES)
    const head = lines === undefined ? null : createHash('sha256').update(lines).digest('base64')
    if (this.#heads.size >= MAX_HEADS) this.#heads.clear()
    this.#heads.set(id, head)
    return head
  }
}

/** Undefined: it cannot be read here. */
function plainText(start: Uint8Array, key: string, { compression }: HeadRequest): Uint8Array | undefined {
  const gzip = compression === undefined ? key.toLowerCase().endsWith('.gz') : compression === 'gzip'
  if (!gzip) return compression === 'none' || (compression === undefined && !isCompressed(key)) ? start : undefined
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * HEAD_BYTES })
  } catch {
    return undefined // DuckDB will say what is wrong with it
  }
}

/** Undefined if they do not end within `bytes`, or inside of quotes. */
function headLines(bytes: Uint8Array | undefined, count: number, isWhole: boolean): Uint8Array | undefined {
  if (bytes === undefined) return undefined
  let end = 0
  for (let i = 0; i < count; i++) {
    const at = bytes.indexOf(LINE_FEED, end)
    if (at === -1 && !isWhole) return undefined
    if (at === -1) return bytes
    end = at + 1
  }
  const lines = bytes.subarray(0, end)
  const quotes = lines.reduce((sum, byte) => byte === 0x22 || byte === 0x27 ? sum + 1 : sum, 0)
  return quotes % 2 === 0 ? lines : undefined
}
