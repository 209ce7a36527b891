/**
 * From the chunks that are missing to the requests that bring them. Pure.
 *
 * Chunks are cut into pieces of at most 1 MiB, counted from the start of each of their ranges: the unit that checksums
 * are made of, so that parts may come in any order. Neighbouring pieces are read by one request of at most 8 MiB, and
 * so are pieces with a small gap between them, as long as the gaps add little: a request costs more than some bytes.
 */

import type { ByteRange } from './column-chunks.ts'

export interface Piece extends ByteRange {
  readonly chunk: number
  /** Of its chunk, counted over all its ranges. */
  readonly index: number
}

export interface PlannedRead extends ByteRange {
  /** In the order of the file; between them may be bytes that nobody asked for. */
  readonly pieces: readonly Piece[]
}

export const PIECE_BYTES = 1024 * 1024
/** Of one request: its fixed cost is small against it, and losing one costs little. */
const MAX_READ_BYTES = 8 * 1024 * 1024
/** About what a store sends in the time that another request costs. */
const MAX_GAP_BYTES = 256 * 1024
/** All gaps together, of the bytes asked for. */
const MAX_GAP_SHARE = 0.05

/** The pieces of one chunk, in order. */
export function piecesOf(chunk: number, ranges: readonly ByteRange[]): Piece[] {
  const pieces: Piece[] = []
  for (const { from, to } of ranges) {
    for (let at = from; at < to; at += PIECE_BYTES) {
      pieces.push({ chunk, index: pieces.length, from: at, to: Math.min(to, at + PIECE_BYTES) })
    }
  }
  return pieces
}

/** `ranges` of a chunk by its number. In the order of the file. */
export function planReads(chunks: readonly number[], ranges: (chunk: number) => readonly ByteRange[]): PlannedRead[] {
  const pieces = chunks.flatMap(chunk => piecesOf(chunk, ranges(chunk))).sort((a, b) => a.from - b.from || a.to - b.to)
  const widest = widestGap(pieces)
  const reads: { from: number; to: number; pieces: Piece[] }[] = []
  for (const piece of pieces) {
    const last = reads.at(-1)
    const joins = last !== undefined && piece.from - last.to <= widest && piece.to - last.from <= MAX_READ_BYTES
    if (!joins) {
      reads.push({ from: piece.from, to: piece.to, pieces: [piece] })
    } else {
      last.pieces.push(piece)
      last.to = Math.max(last.to, piece.to)
    }
  }
  return reads
}

/** The widest gap such that all that are not wider add no more than their share; 0: only what touches is joined. */
function widestGap(pieces: readonly Piece[]): number {
  let left = MAX_GAP_SHARE * pieces.reduce((sum, { from, to }) => sum + to - from, 0)
  let end = pieces[0]?.to ?? 0
  const gaps: number[] = []
  for (const { from, to } of pieces) {
    if (from > end) gaps.push(from - end)
    end = Math.max(end, to)
  }
  const ascending = gaps.filter(gap => gap <= MAX_GAP_BYTES).sort((a, b) => a - b)
  const tooMuch = ascending.find(gap => (left -= gap) < 0) ?? Infinity
  return ascending.findLast(gap => gap < tooMuch) ?? 0
}
