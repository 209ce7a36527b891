/**
 * Arrow's Message around a record batch, written as the one flatbuffer that it always is: only counts and places
 * differ. A builder of flatbuffers makes objects for every node and buffer, and what they leave to V8's collector: for
 * 100 columns it cost a fifth of the encoder's CPU. Little-endian machines only, as DuckDB's builds for Node are.
 */

export interface BatchNode {
  readonly rowCount: number
  readonly nullCount: number
}

/** Of Arrow's CompressionType. */
const codecs = { lz4: 0, zstd: 1 } as const

/** Of Arrow's MetadataVersion and MessageHeader. */
const VERSION_5 = 4
const RECORD_BATCH = 3
/** Of a 64-bit number the high word counts these. */
const WORD = 4294967296

/**
 * What stands at which byte, in words of 32 bits; `[n]` is a field's place in its table, and every offset counts from
 * where it stands (a table's to its vtable backwards).
 *
 *     0  offset of the message        56  batch: to its vtable, [4] offset of the nodes, [8] row count,
 *     4  vtable of the message            [16] offset of the buffers, [20] offset of the compression or 0
 *    16  message: to its vtable,      84  count of nodes, then each: row count, null count
 *        [4] offset of the batch,         padding, count of buffers, then each: place in the body, bytes
 *        [8] bytes of the body,           vtable of the compression, compression: to its vtable, [4] codec,
 *        [16] version, [18] kind              [5] method (0: each buffer by itself)
 *    40  vtable of the batch
 */
const HEAD_WORDS = 22

/** `offsets`: where each buffer starts in the body; `bufferBytes`: its bytes, padding apart. */
export function batchMessage(
  rowCount: number, nodes: readonly BatchNode[], offsets: readonly number[], bufferBytes: readonly number[],
  bodyBytes: number, compression: 'none' | keyof typeof codecs,
): Uint8Array {
  const isCompressed = compression !== 'none'
  const buffersAt = HEAD_WORDS + nodes.length * 4 + 2
  const end = buffersAt + bufferBytes.length * 4
  const words = new Uint32Array(end + (isCompressed ? 4 : 0))
  words.set([
    16, pair(12, 24), pair(16, 18), pair(4, 8),
    12, 36, 0, 0, pair(VERSION_5, RECORD_BATCH), 0,
    pair(12, 24), pair(8, 4), pair(16, isCompressed ? 20 : 0), 0,
    16, 24, 0, 0, (buffersAt - 1 - 18) * 4, isCompressed ? (end + 2 - 19) * 4 : 0,
    0, nodes.length,
  ])
  putLong(words, 6, bodyBytes)
  putLong(words, 16, rowCount)
  for (let i = 0, at = HEAD_WORDS; i < nodes.length; i++, at += 4) {
    putLong(words, at, nodes[i]?.rowCount ?? 0)
    putLong(words, at + 2, nodes[i]?.nullCount ?? 0)
  }
  words[buffersAt - 1] = bufferBytes.length
  for (let i = 0, at = buffersAt; i < bufferBytes.length; i++, at += 4) {
    putLong(words, at, offsets[i] ?? 0)
    putLong(words, at + 2, bufferBytes[i] ?? 0)
  }
  if (isCompressed) words.set([pair(8, 8), pair(4, 5), 8, codecs[compression]], end)
  return new Uint8Array(words.buffer)
}

/** Two numbers of 16 bits. */
function pair(low: number, high: number): number {
  return low | high << 16
}

function putLong(words: Uint32Array, at: number, value: number): void {
  words[at] = value
  words[at + 1] = value / WORD
}
