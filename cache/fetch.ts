/**
 * Brings chunks from their bucket into a mirror: several requests at once, each chunk marked as soon as it is whole, so
 * that what was brought before a failure, or a kill, need not be brought again.
 */

import { crc32 } from 'node:zlib'
import { QueryError } from '../proto/errors.ts'
import { type PlannedRead, piecesOf, planReads } from './fetch-plan.ts'
import type { Mirror, MirrorWriter } from './mirror.ts'
import type { ObjectStore, Waited } from './object-store.ts'
import type { RequestLimit } from './request-limit.ts'

/** Of one file. */
const READS_AT_ONCE = 8

export interface FetchOptions {
  readonly store: ObjectStore
  readonly mirror: Mirror
  readonly chunks: readonly number[]
  readonly signal: AbortSignal
  /** Of all fetches: each read holds its bytes in memory. */
  readonly limit: RequestLimit
  readonly waited: Waited
  /** Told of every chunk that is whole. */
  readonly onWhole: (chunk: number) => void
}

/** Gives the bytes that came from the store. */
export async function fetchChunks(
  { store, mirror, chunks, signal, limit, waited, onWhole }: FetchOptions,
): Promise<number> {
  const { chunks: ranges } = mirror.ready
  const reads = planReads(chunks, chunk => ranges[chunk] ?? [])
  const sums = new Map(chunks.map(chunk =>
    [chunk, piecesOf(chunk, ranges[chunk] ?? []).map((): number | null => null)]))
  let fetchedBytes = 0
  const read = async (writer: MirrorWriter, planned: PlannedRead): Promise<void> => {
    const { from, to, pieces } = planned
    const { key, etag } = mirror.file
    const bytes = await store.readRange(key, from, to, etag, signal, waited)
    fetchedBytes += bytes.length
    await writer.write(planned, bytes)
    for (const piece of pieces) {
      const own = sums.get(piece.chunk) ?? []
      own[piece.index] = crc32(bytes.subarray(piece.from - from, piece.to - from))
      if (own.every(sum => sum !== null)) await whole(writer, piece.chunk, own)
    }
  }
  const whole = async (writer: MirrorWriter, chunk: number, own: readonly number[]): Promise<void> => {
    await writer.complete(chunk, own)
    onWhole(chunk)
  }
  try {
    await mirror.fill(async writer => {
      for (const [chunk, own] of sums) if (own.length === 0) await whole(writer, chunk, [])
      await eachAtOnce(reads, planned => limit.run(() => read(writer, planned)))
    })
  } catch (error) {
    throw diskError(error)
  }
  return fetchedBytes
}

/** Ends when all have ended; after a failure no other is begun. */
async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const turn = async (): Promise<void> => {
    try {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
    } catch (error) {
      queue.length = 0
      throw error
    }
  }
  const turns = await Promise.allSettled(Array.from({ length: Math.min(READS_AT_ONCE, items.length) }, turn))
  for (const outcome of turns) if (outcome.status === 'rejected') throw outcome.reason
}

/** What the disk refuses, in our words. */
export function diskError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof QueryError) return error
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return error
  return new QueryError('DISK_FULL', 'no room for the cache on its disk', { cause: error })
}
