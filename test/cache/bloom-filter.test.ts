/** Bloom filters of Parquet, by themselves. */

import t from 'tap'
import { BloomFilter, valueHashes, xxHash64 } from '../../cache/bloom-filter.ts'

t.test('xxHash64 gives the published values', async t => {
  const of = (text: string): string => xxHash64(Buffer.from(text)).toString(16).padStart(16, '0')
  t.equal(of(''), 'ef46db3751d8e999')
  t.equal(of('a'), 'd24ec4f1a98c6e5b')
  t.equal(of('abc'), '44bc2cf5ad770999')
  t.equal(of('Nobody inspects the spammish repetition'), 'fbcea83c8a378bf1')
})

t.test('a value is known by its plain encoding, or not at all', async t => {
  const four = { kind: 'integer', bytes: 4, signed: true, unit: 1n } as const
  const count = (value: Parameters<typeof valueHashes>[0], as: Parameters<typeof valueHashes>[1]) =>
    valueHashes(value, as)?.length ?? null
  t.strictSame(valueHashes(1n, four), [xxHash64(Uint8Array.of(1, 0, 0, 0))])
  t.equal(count(2n ** 40n, four), null, 'it does not fit')
  t.equal(count(1500n, { ...four, bytes: 8, unit: 1000n }), null, 'no whole milliseconds')
  t.equal(count(1, four), null)
  t.equal(count(0, { kind: 'float', bytes: 8 }), 2)
  t.equal(count(0.1, { kind: 'float', bytes: 4 }), null, 'no FLOAT is equal to it')
  t.equal(count(1n, { kind: 'decimal', bytes: null }), null)
  t.equal(count(true, { kind: 'boolean' }), null)
})

t.test('what is no filter of the known kind is none', async t => {
  // size 32, then three unions of which field 1 is an empty struct
  const header = [0x15, 0x40, 0x1c, 0x1c, 0x00, 0x00, 0x1c, 0x1c, 0x00, 0x00, 0x1c, 0x1c, 0x00, 0x00, 0x00]
  const parse = (...bytes: number[]) => BloomFilter.parse(Uint8Array.from(bytes))
  const bits = Array.from({ length: 32 }, () => 0)
  t.equal(parse(...header, ...bits)?.mayHold(5n), false)
  t.equal(parse(...header, ...bits.fill(255))?.mayHold(5n), true)
  t.equal(parse(...header, ...bits.slice(1)), null, 'too short')
  t.equal(parse(...header, ...bits, 0), null, 'too long')
  t.equal(parse(...header.with(3, 0x2c), ...bits), null, 'another algorithm')
  t.equal(parse(), null)
  t.equal(parse(0xff, 0xff, 0xff), null)
})
