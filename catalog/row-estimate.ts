/** How many rows CSV and JSON files have, guessed from their sizes and the lines at the start of one of them. */

import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'

const SAMPLE_BYTES = 64 * 1024
/** Text that is compressed grows to about so many times its size. */
const COMPRESSION = 5
/** Of a row that was not seen, a column: a number or a short text; JSON repeats its name. */
const COLUMN_BYTES = { csv: 8, json: 24 } as const
const LINE_FEED = 0x0a

/** For each file; at least one row if it has a byte. */
export async function estimateRows(
  storeOf: (bucket: string) => ObjectStore, files: readonly FileKey[], format: 'csv' | 'json', columnCount: number,
): Promise<number[]> {
  const guess = Math.max(1, columnCount) * COLUMN_BYTES[format]
  const plain = files.find(file => file.sizeBytes > 0 && !isCompressed(file.key))
  const bytesPerRow = (plain === undefined ? undefined : await lineBytes(storeOf(plain.bucket), plain)) ?? guess
  return files.map(({ key, sizeBytes }) =>
    Math.ceil(sizeBytes * (isCompressed(key) ? COMPRESSION : 1) / bytesPerRow))
}

export function isCompressed(key: string): boolean {
  return /\.(gz|zst|zstd|bz2|xz)$/i.test(key)
}

/** Undefined if the sample has no whole line. */
async function lineBytes(store: ObjectStore, { key, etag, sizeBytes }: FileKey): Promise<number | undefined> {
  const sample = await store.readRange(key, 0, Math.min(SAMPLE_BYTES, sizeBytes), etag)
  const lines = sample.reduce((count, byte) => byte === LINE_FEED ? count + 1 : count, 0)
  return lines === 0 ? undefined : (sample.lastIndexOf(LINE_FEED) + 1) / lines
}
