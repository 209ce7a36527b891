/**
 * Codecs for the buffers of Arrow record batches, by the names of Arrow's format. Zstandard is Node's own, from 22.15
 * and 23.8 on; whoever is asked for it on an older one says so. LZ4 is lz4-frame.ts.
 */

import zlib from 'node:zlib'
import { QueryError } from './errors.ts'
import { Compression as Wire } from './gen/executor_pb.js'
import { lz4Frame } from './lz4-frame.ts'

export const compressions = ['none', 'lz4', 'zstd'] as const
/** Of the buffers of each record batch; dictionaries stay as they are. */
export type Compression = typeof compressions[number]

const wire: Readonly<Record<Compression, Wire>> = {
  none: Wire.NONE, lz4: Wire.LZ4_FRAME, zstd: Wire.ZSTD,
}

const { zstdCompressSync: zstd }: typeof zlib & { readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer } = zlib

/** Of Arrow's format: before the bytes, how many they were; -1: they are as they were. */
const LENGTH_BYTES = 8

/** The codec that `text` names, or undefined. */
export function compressionNamed(text: string): Compression | undefined {
  return compressions.find(name => name === text)
}

/** Throws if this process has not got it. */
export function requireCompression(compression: Compression): void {
  if (compression !== 'zstd' || zstd !== undefined) return
  throw new QueryError('UNSUPPORTED_STATEMENT',
    `compression zstd needs Node 22.15 or newer, this is Node ${process.versions.node}; lz4 works on every one`)
}

/** As it goes to executors. */
export function wireCompression(compression: Compression = 'none'): Wire {
  return wire[compression]
}

/** As an executor was asked. Throws for a codec that it does not know, or has not got. */
export function compressionAsked(asked: Wire): Compression {
  const compression = compressions.find(name => wire[name] === asked)
  if (compression === undefined) throw new QueryError('UNSUPPORTED_STATEMENT', `compression ${asked} is not known here`)
  requireCompression(compression)
  return compression
}

/** A buffer as it lies in a compressed body. */
export function compressed(bytes: Uint8Array, compression: Compression): Uint8Array {
  if (bytes.length === 0 || compression === 'none') return bytes
  const frame = compression === 'zstd' ? zstdFrame(bytes) : lz4Frame(bytes)
  const content = frame ?? bytes
  const out = Buffer.allocUnsafe(LENGTH_BYTES + content.length)
  out.writeBigInt64LE(frame === null ? -1n : BigInt(bytes.length))
  out.set(content, LENGTH_BYTES)
  return out
}

/** null if it would not be smaller. */
function zstdFrame(bytes: Uint8Array): Uint8Array | null {
  requireCompression('zstd')
  const frame = zstd?.(bytes) ?? bytes
  return frame.length < bytes.length ? frame : null
}
