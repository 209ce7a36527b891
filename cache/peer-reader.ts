/**
 * Chunks from the cache of another executor, which brings them from the store if it has to: what many executors read
 * leaves the store once. An executor that is asked asks no other. What does not come, whatever the reason, is left to
 * be asked of the store, but for one: when the other has found that the store does not answer, that is the answer.
 *
 *   silence       the other tells every half a second that it is at it; one that does not is left, and left alone for
 *                 a while, as one that cannot be reached. What was waited comes off the time that the store has
 *   trust         each piece has the place and length that are asked for, and each chunk the checksum that the other
 *                 has for it
 */

import { crc32 } from 'node:zlib'
import { asQueryError, QueryError, unreachable } from '../proto/errors.ts'
import { type Piece, piecesOf } from './fetch-plan.ts'
import { checksumOf, type Mirror, type MirrorWriter } from './mirror.ts'
import type { FileKey } from './key.ts'
import { RequestLimit } from './request-limit.ts'
import { retry, type RetryPolicy, type RetryPorts } from './retry.ts'

/** Files that are asked of others at a time; each has a window of 8 MiB at most under way, the others wait. */
const PEER_READS_AT_ONCE = 16
/** Without a sign of life from an executor: several of those that it promises (WAITING_NEWS_MS), on a busy machine. */
const QUIET_MS = 2_000
/** An executor that was silent, or gone, is not asked for so long. */
const REST_MS = 10_000
/** Then all may be asked again. */
const MAX_RESTING = 1_000

const ONCE: RetryPolicy = { deadlineMs: QUIET_MS, attemptMs: QUIET_MS, pauseMs: 0, maxPauseMs: 0 }

export interface PeerAsk {
  readonly address: string
  readonly file: FileKey
  readonly isParquet: boolean
  /** Numbers in the file's layout, in the order in which they are to come. */
  readonly chunks: readonly number[]
}

export type PeerNews =
  /** It is at it. */
  | { readonly kind: 'waiting' }
  /** What it has taken from the store for this besides chunks. */
  | { readonly kind: 'begin'; readonly extraBytes: number }
  /** `checksum`: of the whole chunk. `fetched`: it was brought from the store for this. */
  | {
    readonly kind: 'piece'
    readonly chunk: number
    readonly checksum: number
    readonly fetched: boolean
    readonly from: number
    readonly data: Uint8Array
  }
  /** `code`: of an error there. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

export type AskPeer = (ask: PeerAsk, signal: AbortSignal) => AsyncIterable<PeerNews>

export interface PeerFetch extends Omit<PeerAsk, 'file'> {
  readonly mirror: Mirror
  readonly signal: AbortSignal
  /** Told of every chunk that is whole; `fetched`: it left the store for this. */
  readonly onWhole: (chunk: number, fetched: boolean) => void
}

/** It has not sent what was asked; the rest is up to the store. */
class PeerFailed extends Error {
  /** It is not worth asking again soon. */
  readonly isGone: boolean

  constructor(isGone: boolean, message: string) {
    super(message)
    this.isGone = isGone
  }
}

/** The store has not answered it. */
class StoreFailed extends Error {}

export interface PeerFetched {
  /** That left the store for this besides whole chunks. */
  readonly extraBytes: number
  /** Since the last byte came. */
  readonly waitedMs: number
}

/** Of one file that is asked for. */
interface Progress {
  extraBytes: number
  /** When its last byte came, or it was wanted. */
  dataMs: number
}

export class PeerReader {
  readonly #ask: AskPeer
  readonly #ports: RetryPorts
  readonly #limit = new RequestLimit(PEER_READS_AT_ONCE)
  /** By address, since when. */
  readonly #resting = new Map<string, number>()
  /** By bucket: when an executor last told that its store does not answer. */
  readonly #storesFailed = new Map<string, { readonly atMs: number; readonly message: string }>()

  constructor(ask: AskPeer, ports: RetryPorts) {
    this.#ask = ask
    this.#ports = ports
  }

  /** Brings what comes of them. UNAVAILABLE: the store does not answer the other executor either. */
  bring(wanted: PeerFetch): Promise<PeerFetched> {
    const { clock } = this.#ports
    const askedMs = clock.nowMs()
    return this.#limit.run(async () => {
      // who has stood in line all the while has waited with those before
      const failed = this.#storesFailed.get(wanted.mirror.file.bucket)
      if (failed !== undefined && failed.atMs >= askedMs) throw unavailable(failed.message)
      const progress: Progress = { extraBytes: 0, dataMs: askedMs }
      if (!this.#rests(wanted.address)) await wanted.mirror.fill(writer => this.#bring(wanted, writer, progress))
      return { extraBytes: progress.extraBytes, waitedMs: clock.nowMs() - progress.dataMs }
    })
  }

  /** Ends without all of them when the other does not send them; what has come is there. */
  async #bring(wanted: PeerFetch, writer: MirrorWriter, progress: Progress): Promise<void> {
    const { address, signal } = wanted
    let taking: Promise<void> = Promise.resolve()
    try {
      await retry(`executor at ${address}`, (late, heard) => {
        taking = this.#take(wanted, writer, progress, AbortSignal.any([signal, late]), heard)
        return taking
      }, ONCE, this.#ports, signal)
    } catch (error) {
      if (signal.aborted) throw error
      if (error instanceof StoreFailed) {
        const { message } = error
        this.#storesFailed.set(wanted.mirror.file.bucket, { atMs: this.#ports.clock.nowMs(), message })
        throw unavailable(error.message)
      }
      const isLate = error instanceof QueryError
      if (!isLate && !(error instanceof PeerFailed)) throw error // it could not be written here
      if (isLate || error.isGone) this.#letRest(address)
    } finally {
      await taking.catch(() => undefined) // it may be writing yet
    }
  }

  async #take(
    { address, mirror, isParquet, chunks, onWhole }: PeerFetch, writer: MirrorWriter, progress: Progress,
    signal: AbortSignal, heard: () => void,
  ): Promise<void> {
    const pieces = chunks.flatMap(chunk => piecesOf(chunk, mirror.ready.chunks[chunk] ?? []))
    let [at, sums]: [number, number[]] = [0, []]
    for await (const news of this.#news({ address, file: mirror.file, isParquet, chunks }, signal)) {
      if (signal.aborted) return
      heard()
      switch (news.kind) {
        case 'waiting': break
        case 'begin': progress.extraBytes = news.extraBytes; break
        case 'refused':
          if (news.code === 'UNAVAILABLE') throw new StoreFailed(news.message)
          throw new PeerFailed(false, news.message)
        case 'piece': {
          const piece = pieces[at++]
          if (piece === undefined || !isWhatWasAsked(news, piece)) throw new PeerFailed(true, 'another piece')
          progress.dataMs = this.#ports.clock.nowMs()
          await writer.write({ from: piece.from, to: piece.to, pieces: [piece] }, news.data)
          sums.push(crc32(news.data))
          if (pieces[at]?.chunk === piece.chunk) break
          if (checksumOf(sums) !== news.checksum) throw new PeerFailed(false, 'bytes that are not what they were')
          await writer.complete(piece.chunk, sums)
          onWhole(piece.chunk, news.fetched)
          sums = []
          break
        }
        default: unreachable(news)
      }
    }
    if (at < pieces.length) throw new PeerFailed(true, `${at} of ${pieces.length} pieces`)
  }

  async *#news(ask: PeerAsk, signal: AbortSignal): AsyncGenerator<PeerNews> {
    try {
      yield* this.#ask(ask, signal)
    } catch (error) {
      throw new PeerFailed(true, asQueryError(error).message)
    }
  }

  #rests(address: string): boolean {
    const sinceMs = this.#resting.get(address)
    return sinceMs !== undefined && this.#ports.clock.nowMs() - sinceMs < REST_MS
  }

  #letRest(address: string): void {
    if (this.#resting.size >= MAX_RESTING) this.#resting.clear()
    this.#resting.set(address, this.#ports.clock.nowMs())
  }
}

function isWhatWasAsked({ chunk, from, data }: PeerNews & { readonly kind: 'piece' }, piece: Piece): boolean {
  return chunk === piece.chunk && from === piece.from && data.length === piece.to - piece.from
}

function unavailable(message: string): QueryError {
  return new QueryError('UNAVAILABLE', message)
}
