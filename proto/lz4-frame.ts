/**
 * Compression in the LZ4 frame format (lz4_Frame_format.md and lz4_Block_format.md of the LZ4 project), as Arrow puts
 * it around the buffers of a record batch. One block a frame, greedy matches by a table of the last place of each hash
 * (LZ4, Yann Collet, 2011); no checksums but the header's, which is always the same.
 */

/** Magic number, version 1 with independent blocks, blocks of 4 MiB at most, and the checksum of these two bytes. */
const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73)
const BLOCK_BYTES = 4 * 1024 * 1024
const FRAME_BYTES = HEADER.length + 8
/** A match is this long at least, … */
const MIN_MATCH = 4
/** … begins so far before the block's end, and leaves its last bytes alone: the format's rules. */
const LAST_MATCH = 12
const LAST_LITERALS = 5
const MAX_DISTANCE = 65_535
const HASH_BITS = 14
/** After so many misses in a row places are skipped: what does not compress costs little. */
const SKIP_SHIFT = 6

const places = new Int32Array(1 << HASH_BITS)

/** The frame; null if it would not be smaller than the bytes, or if they are more than a block. */
export function lz4Frame(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length > BLOCK_BYTES || bytes.length <= FRAME_BYTES) return null
  const out = Buffer.allocUnsafe(bytes.length)
  const blockBytes = compressBlock(bytes, out, HEADER.length + 4, bytes.length - 4)
  if (blockBytes === null) return null
  out.set(HEADER)
  out.writeUInt32LE(blockBytes, HEADER.length)
  out.writeUInt32LE(0, HEADER.length + 4 + blockBytes)
  return out.subarray(0, FRAME_BYTES + blockBytes)
}

/** Bytes of the block at `from` in `out`; null if it would go beyond `to`. */
function compressBlock(input: Uint8Array, out: Uint8Array, from: number, to: number): number | null {
  places.fill(-1)
  const lastStart = input.length - LAST_MATCH
  const matchEnd = input.length - LAST_LITERALS
  let [at, anchor, place, misses] = [0, 0, from, 0]
  while (at <= lastStart) {
    const word = wordAt(input, at)
    const hash = Math.imul(word, 2_654_435_761) >>> (32 - HASH_BITS)
    const candidate = places[hash] ?? -1
    places[hash] = at
    if (candidate < 0 || at - candidate > MAX_DISTANCE || wordAt(input, candidate) !== word) {
      at += 1 + (misses++ >> SKIP_SHIFT)
      continue
    }
    let length = MIN_MATCH
    while (at + length < matchEnd && input[candidate + length] === input[at + length]) length++
    const next = sequence(input, anchor, at, at - candidate, length, out, place, to)
    if (next === null) return null
    place = next
    at += length
    anchor = at
    misses = 0
  }
  const end = sequence(input, anchor, input.length, 0, 0, out, place, to)
  return end === null ? null : end - from
}

/** Literals from `anchor` to `at`, then a match; without one at the end. Answers the next free place. */
function sequence(
  input: Uint8Array, anchor: number, at: number, distance: number, length: number, out: Uint8Array, start: number,
  to: number,
): number | null {
  const literals = at - anchor
  const more = Math.max(0, length - MIN_MATCH)
  if (start + literals + literals / 255 + more / 255 + 5 > to) return null
  let place = start + 1
  out[start] = (Math.min(literals, 15) << 4) | Math.min(more, 15)
  if (literals >= 15) place = extended(out, place, literals - 15)
  out.set(input.subarray(anchor, at), place)
  place += literals
  if (length === 0) return place
  out[place++] = distance & 0xff
  out[place++] = distance >> 8
  return more >= 15 ? extended(out, place, more - 15) : place
}

function extended(out: Uint8Array, start: number, value: number): number {
  let [place, rest] = [start, value]
  for (; rest >= 255; rest -= 255) out[place++] = 255
  out[place++] = rest
  return place
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}
