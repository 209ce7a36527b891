/**
 * Column chunks for other executors, out of this one's cache, into which they are brought first if they are not there.
 * What cannot be had is told as a message, so that it is not taken for a failure of the way.
 */

import { open } from 'node:fs/promises'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { PIECE_BYTES, piecesOf } from '../cache/fetch-plan.ts'
import type { FileSource } from '../cache/file-source.ts'
import type { Lent } from '../cache/wanted-file.ts'
import type { Clock } from '../proto/clock.ts'
import { asQueryError, QueryError } from '../proto/errors.ts'
import type { FetchChunksRequest, FetchChunksResponseSchema } from '../proto/gen/cache_pb.js'

/** Files at a time: each has a piece of 1 MiB in memory, and one that would wait here is better asked of the store. */
const LENT_AT_ONCE = 64
/** A few of them fit into what the other waits for (cache/peer-reader.ts). */
const WAITING_NEWS_MS = 500
/** Of one request; a file of 1,000 columns has so many in 100 row groups. */
const MAX_CHUNKS = 100_000

type News = MessageInitShape<typeof FetchChunksResponseSchema>

export class ChunkServer {
  readonly #source: Pick<FileSource, 'lend'>
  readonly #clock: Clock
  #lending = 0

  constructor(source: Pick<FileSource, 'lend'>, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  async *serve(request: FetchChunksRequest, signal: AbortSignal): AsyncGenerator<News> {
    this.#lending++
    try {
      yield* this.#serve(request, signal)
    } catch (error) {
      const { code, message } = asQueryError(error)
      yield { news: { case: 'refused', value: { code, message } } }
    } finally {
      this.#lending--
    }
  }

  async *#serve(request: FetchChunksRequest, signal: AbortSignal): AsyncGenerator<News> {
    const { bucket, key, etag, sizeBytes, parquet, chunks } = request
    if (this.#lending > LENT_AT_ONCE) throw new QueryError('EXECUTOR_FULL', `it sends ${LENT_AT_ONCE} files already`)
    if (new Set(chunks).size < chunks.length || chunks.length > MAX_CHUNKS) {
      throw new QueryError('INVALID_REQUEST', `each chunk once, and ${MAX_CHUNKS} at most`)
    }
    const file = { bucket, key, etag, sizeBytes: Number(sizeBytes) }
    const lending = this.#source.lend(file, parquet, chunks, signal)
    try {
      while (!await this.#isOver(lending)) yield { news: { case: 'waiting', value: {} } }
      yield* pieces(await lending)
    } finally {
      await lending.then(lent => lent.release(), () => undefined)
    }
  }

  /** False: not yet, after a while. */
  async #isOver(work: Promise<unknown>): Promise<boolean> {
    let cancel = (): void => undefined
    const later = new Promise<false>(resolve => {
      cancel = this.#clock.after(WAITING_NEWS_MS, () => resolve(false))
    })
    try {
      return await Promise.race([work.then(() => true), later])
    } finally {
      cancel()
    }
  }
}

/** The bytes of each are valid until the next is asked for. */
async function* pieces({ mirror, chunks, own, extraBytes }: Lent): AsyncGenerator<News> {
  yield { news: { case: 'begin', value: { extraBytes: BigInt(extraBytes) } } }
  const data = await open(mirror.path, 'r')
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  try {
    for (const chunk of chunks) {
      const { number, checksum } = chunk
      if (checksum === null) throw new Error(`chunk ${number} was damaged meanwhile`)
      for (const piece of piecesOf(number, mirror.ready.chunks[number] ?? [])) {
        // what is short is not what was asked for, and the other sees it
        const { bytesRead } = await data.read(buffer, 0, piece.to - piece.from, piece.from)
        const bytes = buffer.subarray(0, bytesRead)
        const value = { chunk: number, checksum, fetched: own.has(chunk), from: BigInt(piece.from), data: bytes }
        yield { news: { case: 'piece', value } }
      }
    }
  } finally {
    await data.close()
  }
}
