/** Presence records: what is read back is what was written, or less. */

import t from 'tap'
import { decodePresence, encodeHead, encodeRecord, type MirrorHead } from '../../cache/presence.ts'

const head: MirrorHead = {
  file: { bucket: 'lake', key: 'a/é.parquet', etag: '"x"', sizeBytes: 2 ** 41 }, footerBytes: 12, footerChecksum: 34,
}
const records = [
  { chunk: 0, bytes: 5, checksum: 6 }, { chunk: 7, bytes: 2 ** 40 + 3, checksum: 2 ** 32 - 1 },
  { chunk: 0, bytes: 5, checksum: 9 },
]
const whole = Buffer.concat([encodeHead(head), ...records.map(record => encodeRecord(record, head))])

t.test('the last record of a chunk counts', async t => {
  const presence = decodePresence(whole)
  t.strictSame(presence?.head, head)
  t.strictSame([...presence?.records.values() ?? []], [records[2], records[1]])
  t.equal(presence?.soundBytes, whole.length)
})

t.test('a record cut short, or damaged, ends the list', async t => {
  for (let length = 0; length < whole.length; length++) {
    const presence = decodePresence(whole.subarray(0, length))
    const headBytes = encodeHead(head).length
    if (length < headBytes ? presence !== undefined : presence?.soundBytes !== length - (length - headBytes) % 20) {
      t.fail(`cut at ${length}`)
    }
  }
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole)
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
    const presence = decodePresence(damaged)
    const found = [...presence?.records.values() ?? []]
    if (presence !== undefined && (presence.head.file.key !== head.file.key || found.length > 2 ||
      found.some(one => !records.some(({ chunk, checksum }) => chunk === one.chunk && checksum === one.checksum)))) {
      t.fail(`damaged at ${at}`)
    }
  }
  t.pass('every place')
})

t.test('a record of another file is none', async t => {
  const other = { ...head, file: { ...head.file, etag: '"y"' } }
  const mixed = Buffer.concat([encodeHead(head), encodeRecord({ chunk: 1, bytes: 1, checksum: 1 }, other)])
  t.equal(decodePresence(mixed)?.records.size, 0)
})
