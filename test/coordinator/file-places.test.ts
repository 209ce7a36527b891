/** Who brings a file that every task of a stage reads. */

import t from 'tap'
import { create } from '@bufbuild/protobuf'
import { rank } from '../../cache/affinity.ts'
import { filePlaces } from '../../coordinator/file-places.ts'
import { ExchangeSourceSchema } from '../../proto/gen/executor_pb.js'
import type { ExecutorId } from '../../proto/ids.ts'

const ids = ['e1', 'e2', 'e3'].map(id => id as ExecutorId)
const members = ids.map(id => ({ id, source: create(ExchangeSourceSchema, { address: `${id}:1` }) }))
const files = Array.from({ length: 20 }, (_, i) => ({ bucket: 'lake', key: `f${i}`, etag: 'e', sizeBytes: 9 }))

t.test('its first owner, whoever asks and for whose task; the owner asks nobody', async t => {
  for (const file of files) {
    const [first, ...others] = rank(file, ids)
    const peers = others.flatMap(reader => [null, ...ids].map(owner =>
      filePlaces(members, owner, reader, 0).peerOf(file)))
    t.strictSame(new Set(peers), new Set([`${first ?? ''}:1`]), file.key)
    t.equal(filePlaces(members, null, first ?? ids[0] as ExecutorId, 0).peerOf(file), '')
  }
})

t.test('a second attempt asks the store', async t => {
  const again = ids.flatMap(reader => files.map(file => filePlaces(members, null, reader, 1).peerOf(file)))
  t.strictSame(new Set(again), new Set(['']))
})
