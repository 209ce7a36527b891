/**
 * Which chunks of a mirror are whole, on disk: one line that says what the mirror is of, then a record for each chunk,
 * appended after all bytes of the chunk are written. Every record has a check of its own, so what a crash left half
 * written ends the list. A record that is lost costs a fetch; a chunk whose bytes are not what its record says is found
 * by its checksum before it is read for the first time after a start.
 *
 * Records and bytes are not synced to the disk: a process that is killed loses nothing that was written, and what a
 * machine loses with its power is found by the checksums.
 */

import { crc32 } from 'node:zlib'
import type { FileKey } from './key.ts'

/** What a mirror is of. */
export interface MirrorHead {
  readonly file: FileKey
  /** 0: it has no footer, and is mirrored in blocks. */
  readonly footerBytes: number
  /** Of those bytes. */
  readonly footerChecksum: number
}

export interface ChunkRecord {
  readonly chunk: number
  readonly bytes: number
  readonly checksum: number
}

/** A change makes old mirrors unreadable: they are then removed. */
const FORMAT = 2
/** Chunk, bytes in two halves, checksum, check. */
const RECORD_BYTES = 20
/** Bucket, key and etag of any store fit in; what is longer is no head of ours. */
const MAX_HEAD_BYTES = 16 * 1024

export function encodeHead(head: MirrorHead): Buffer {
  const text = JSON.stringify({ format: FORMAT, ...head })
  return Buffer.from(`${crc32(text).toString(16).padStart(8, '0')} ${text}\n`)
}

export function encodeRecord({ chunk, bytes, checksum }: ChunkRecord, head: MirrorHead): Buffer {
  const record = Buffer.alloc(RECORD_BYTES)
  record.writeUInt32LE(chunk, 0)
  record.writeUInt32LE(bytes % 2 ** 32, 4)
  record.writeUInt32LE(Math.floor(bytes / 2 ** 32), 8)
  record.writeUInt32LE(checksum, 12)
  record.writeUInt32LE(checkOf(record, head), 16)
  return record
}

export interface Presence {
  readonly head: MirrorHead
  /** By chunk; of several records the last counts. */
  readonly records: ReadonlyMap<number, ChunkRecord>
  /** Up to here the file is sound. */
  readonly soundBytes: number
}

/** Undefined if it does not even say what it is of. */
export function decodePresence(bytes: Buffer): Presence | undefined {
  const end = bytes.subarray(0, MAX_HEAD_BYTES).indexOf('\n')
  const head = end === -1 ? undefined : decodeHead(bytes.toString('utf8', 0, end))
  if (head === undefined) return undefined
  const records = new Map<number, ChunkRecord>()
  let at = end + 1
  for (; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    const record = bytes.subarray(at, at + RECORD_BYTES)
    if (record.readUInt32LE(16) !== checkOf(record, head)) break
    const chunk = record.readUInt32LE(0)
    const size = record.readUInt32LE(4) + record.readUInt32LE(8) * 2 ** 32
    records.set(chunk, { chunk, bytes: size, checksum: record.readUInt32LE(12) })
  }
  return { head, records, soundBytes: at }
}

/** A record of another mirror is none. */
function checkOf(record: Buffer, { file }: MirrorHead): number {
  return crc32(record.subarray(0, 16), crc32(`${file.key}\0${file.etag}`))
}

function decodeHead(line: string): MirrorHead | undefined {
  const text = line.slice(9)
  if (Number.parseInt(line.slice(0, 8), 16) !== crc32(text)) return undefined
  const head = JSON.parse(text) as MirrorHead & { readonly format: number } // its check says that we wrote it
  const { format, file, footerBytes, footerChecksum } = head
  return format === FORMAT ? { file, footerBytes, footerChecksum } : undefined
}
