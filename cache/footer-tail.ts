/**
 * The end of a Parquet file: its metadata, found by the length and the magic behind it. One read if the guess of how
 * long it is was good, two if not. The file is foreign input: magic and lengths are checked before they are used.
 */

import { QueryError } from '../proto/errors.ts'
import type { FileKey } from './key.ts'
import type { ObjectStore, Waited } from './object-store.ts'

export interface FooterTail {
  /** The thrift of the metadata alone. */
  readonly metadata: Buffer
  /** The metadata with length field and magic. */
  readonly footerBytes: number
  /** That came from the store. */
  readonly bytesRead: number
}

/** One read of this gives the whole footer of nearly every file. */
export const FIRST_READ_BYTES = 64 * 1024
/** About 500,000 column chunks; what claims more is not a table for one coordinator. */
const MAX_FOOTER_BYTES = 128 * 1024 * 1024
export const MAGIC = 'PAR1'
const MAGIC_ENCRYPTED = 'PARE'
/** Length and magic after the metadata. */
export const TRAILER_BYTES = 8

/** `guess`: how much of the end is read first. */
export async function readTail(
  store: ObjectStore, file: FileKey, guess = FIRST_READ_BYTES, waited?: Waited,
): Promise<FooterTail> {
  const { key, etag, sizeBytes } = file
  if (sizeBytes < MAGIC.length + TRAILER_BYTES) throw corrupt(file, `has ${sizeBytes} bytes, too few for Parquet`)
  const tailFrom = Math.max(0, sizeBytes - Math.max(TRAILER_BYTES, guess))
  const tail = Buffer.from(await store.readRange(key, tailFrom, sizeBytes, etag, undefined, waited))
  const magic = tail.toString('latin1', tail.length - MAGIC.length)
  if (magic === MAGIC_ENCRYPTED) throw corrupt(file, 'is encrypted, which is not supported')
  if (magic !== MAGIC) throw corrupt(file, 'is not a Parquet file: it does not end in PAR1')
  const length = tail.readUInt32LE(tail.length - TRAILER_BYTES)
  const footerBytes = length + TRAILER_BYTES
  if (footerBytes > sizeBytes - MAGIC.length) {
    throw corrupt(file, `has ${sizeBytes} bytes but claims a footer of ${length}`)
  }
  if (footerBytes > MAX_FOOTER_BYTES) throw corrupt(file, `has a footer of ${length} bytes, over ${MAX_FOOTER_BYTES}`)
  if (footerBytes <= tail.length) {
    const metadata = tail.subarray(tail.length - footerBytes, tail.length - TRAILER_BYTES)
    return { metadata, footerBytes, bytesRead: tail.length }
  }
  const head = Buffer.from(await store.readRange(key, sizeBytes - footerBytes, tailFrom, etag))
  const metadata = Buffer.concat([head, tail.subarray(0, tail.length - TRAILER_BYTES)])
  return { metadata, footerBytes, bytesRead: tail.length + head.length }
}

export function corrupt(file: FileKey, what: string, cause?: unknown): QueryError {
  return new QueryError('FILE_CORRUPT', `'${file.key}' in bucket ${file.bucket} ${what}`, { cause })
}

/** Footers of neighbours are alike; a little more is read, for those that are longer. */
const GUESS_FACTOR = 1.25
/** Below, a request costs the same. */
const MIN_GUESS_BYTES = 16 * 1024
/** A second read is cheaper than this for nothing. */
const MAX_GUESS_BYTES = 4 * 1024 * 1024
/** Then all are forgotten: it costs a few bytes too many. */
const MAX_FOLDERS = 10_000

/** How long the footer of a file will be, by those of the files beside it. */
export class TailGuess {
  readonly #longest = new Map<string, number>()

  of(file: FileKey): number {
    const known = this.#longest.get(folderOf(file))
    if (known === undefined) return FIRST_READ_BYTES
    return Math.min(MAX_GUESS_BYTES, Math.max(MIN_GUESS_BYTES, Math.ceil(known * GUESS_FACTOR)))
  }

  learn(file: FileKey, footerBytes: number): void {
    const folder = folderOf(file)
    if (!this.#longest.has(folder) && this.#longest.size >= MAX_FOLDERS) this.#longest.clear()
    this.#longest.set(folder, Math.max(footerBytes, this.#longest.get(folder) ?? 0))
  }
}

function folderOf({ bucket, key }: FileKey): string {
  return `${bucket}/${key.slice(0, key.lastIndexOf('/') + 1)}`
}
