/** LZ4 frames, read back by the rules of the format as it is written down. pyarrow reads them in test/interop. */

import t from 'tap'
import { lz4Frame } from '../../proto/lz4-frame.ts'
import { mulberry32 } from '../random.ts'
import { lz4Decoded } from './lz4-decoder.ts'

const random = mulberry32(7)
const bytes = (count: number, of: (i: number) => number) => Uint8Array.from({ length: count }, (_, i) => of(i))

const compressible: [string, Uint8Array][] = [
  ['one byte again and again', bytes(100_000, () => 7)],
  ['small integers', new Uint8Array(Int32Array.from({ length: 50_000 }, (_, i) => i % 1_000).buffer)],
  ['text', Buffer.from(Array.from({ length: 5_000 }, (_, i) => `customer ${i % 97} of region ${i % 5}`).join('; '))],
  ['a match beyond the farthest distance', Buffer.concat([bytes(70_000, i => i % 251), bytes(70_000, i => i % 251)])],
  ['literals of 15, 270 and more', Buffer.concat([15, 16, 269, 270, 271, 1_000].map(count =>
    Buffer.concat([bytes(count, () => Math.floor(random() * 256)), Buffer.alloc(600, 1)])))],
  ['4 MiB', bytes(4 * 1024 * 1024, i => (i >> 4) & 0xff)],
]

t.test('what can be made smaller is, and reads back as it was', async t => {
  for (const [name, input] of compressible) {
    const frame = lz4Frame(input)
    t.ok(frame !== null && frame.length < input.length, name)
    t.ok(Buffer.from(input).equals(lz4Decoded(frame ?? new Uint8Array(0), input.length)), name)
  }
})

t.test('lengths around the rules of the format', async t => {
  const wrong = Array.from({ length: 300 }, (_, i) => i).filter(count => {
    const input = bytes(count, i => i < count / 2 ? 3 : Math.floor(random() * 3))
    const frame = lz4Frame(input)
    return frame !== null && !Buffer.from(input).equals(lz4Decoded(frame, count))
  })
  t.strictSame(wrong, [])
})

t.test('what cannot is left as it is', async t => {
  t.equal(lz4Frame(bytes(100_000, () => Math.floor(random() * 256))), null)
  t.equal(lz4Frame(new Uint8Array(0)), null)
  t.equal(lz4Frame(Uint8Array.of(1, 1, 1)), null)
  t.equal(lz4Frame(new Uint8Array(4 * 1024 * 1024 + 1)), null, 'more than a block')
})
