/** Bounds of column chunks: bytes, values, order. */

import t from 'tap'
import { type StatKind, type StatValue, compareStats, decodeStat, encodeStat } from '../../cache/statistics.ts'

const int32: StatKind = { kind: 'integer', bytes: 4, signed: true, unit: 1n }
const uint64: StatKind = { kind: 'integer', bytes: 8, signed: false, unit: 1n }
const millis: StatKind = { kind: 'integer', bytes: 8, signed: true, unit: 1000n }

t.test('values are written as they are read', async t => {
  const values: [StatKind, StatValue][] = [
    [int32, -1n], [int32, 2n ** 31n - 1n], [uint64, 2n ** 64n - 1n], [millis, -5000n], [{ kind: 'boolean' }, true],
    [{ kind: 'decimal', bytes: 16 }, -(10n ** 38n) + 1n], [{ kind: 'decimal', bytes: 5 }, 7n],
    [{ kind: 'float', bytes: 8 }, -0.1], [{ kind: 'float', bytes: 4 }, 1.5], [{ kind: 'text' }, 'naïve 𝒳'],
    [{ kind: 'text' }, ''],
  ]
  for (const [as, value] of values) {
    const bytes = encodeStat(value, as)
    t.strictSame(bytes === null ? null : decodeStat(bytes, as), value, `${as.kind} ${value}`)
  }
})

t.test('bytes that are not certainly a value are null', async t => {
  const nothing: [StatKind, Uint8Array][] = [
    [int32, new Uint8Array(8)], [{ kind: 'float', bytes: 8 }, new Uint8Array(new Float64Array([NaN]).buffer)],
    [{ kind: 'float', bytes: 4 }, new Uint8Array(new Float32Array([Infinity]).buffer)],
    [{ kind: 'text' }, Uint8Array.of(0xc3)],
    [{ kind: 'decimal', bytes: 4 }, new Uint8Array(3)], [{ kind: 'decimal', bytes: null }, new Uint8Array(0)],
  ]
  t.strictSame(nothing.map(([as, bytes]) => decodeStat(bytes, as)), nothing.map(() => null))
  t.strictSame([encodeStat('x', int32), encodeStat(1n, { kind: 'text' }), encodeStat(1n, millis)], [null, null, null])
})

t.test('values compare in the order of their type, texts as DuckDB does', async t => {
  const texts = ['', 'B', 'a', 'a\0', 'aa', 'é', '\uffff', '𝒳']
  t.strictSame([...texts].reverse().sort((a, b) => compareStats(a, b) ?? 0), texts)
  t.ok((compareStats(10n, 9n) ?? 0) > 0)
  t.equal(compareStats(0, -0), 0)
  t.equal(compareStats(1n, '1'), undefined)
  t.equal(compareStats(NaN, 1), undefined)
})
