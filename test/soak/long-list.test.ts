/**
 * A folder of a million keys over the S3 protocol: what a list of it takes of the heap. The keys that no table wants
 * cost nothing; those of a table are kept, up to the limit on its files, and one more is refused.
 */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { listFiles } from '../../catalog/listing.ts'
import { Listings } from '../../catalog/listings.ts'
import { defaultOptions } from '../../catalog/reader-options.ts'
import { systemClock } from '../../proto/clock.ts'
import { openRemoteBucket } from '../cache/remote-bucket.ts'

const KEYS = 1_000_001
const WANTED = KEYS - 1
/** Collecting garbage between: what is left is held. */
const LOOK_EVERY = 200_000
const MIB = 1024 * 1024
/** A page and what its parser makes of it, whatever the number of pages; measured were 2 MiB. */
const PASSING_BYTES = 16 * MIB
/** Of a key that is kept: its text of some 30 characters, its etag, their object; measured were 252. */
const BYTES_A_KEY = 400

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const held = (): number => {
  collect()
  return process.memoryUsage().heapUsed
}

t.test(`a folder of ${KEYS} keys`, async t => {
  const { server, store } = await openRemoteBucket(t)
  const body = Buffer.from('x')
  for (let i = 0; i < KEYS; i++) {
    const kind = i === WANTED ? 'txt' : 'parquet'
    server.objects.put('lake', `events/part-${String(i).padStart(7, '0')}.${kind}`, body, '"0123456789abcdef"')
  }
  for await (const _ of store.list('events/')) break // sorts the keys of the server
  const list = (glob: string) => listFiles(() => store, new Listings(systemClock), {
    name: { catalog: 'lake', schema: 'main', table: 'events' }, label: 'table events',
    sources: [{ bucket: 'lake', glob }], format: 'parquet', options: defaultOptions, prefixes: {},
    assumeImmutable: false, listingTtlMs: 0,
  }, { ttlMs: 0, after: 0 })

  await t.test('is passed over in little memory', async t => {
    const before = held()
    let [seen, most] = [0, 0]
    const wants = (key: string): boolean => {
      if (++seen % LOOK_EVERY === 0) most = Math.max(most, held() - before)
      return key.endsWith('77777.parquet')
    }
    let count = 0
    for await (const _ of store.list('events/', { wants })) count++
    t.equal(seen, KEYS)
    t.equal(count, 10)
    t.comment(`${(most / MIB).toFixed(1)} MiB held at most`)
    t.ok(most < PASSING_BYTES, `${most} bytes`)
  })

  await t.test('costs a table that wants a million of them so much a file', async t => {
    const before = held()
    const { files } = await list('events/*.parquet')
    t.equal(files.length, WANTED)
    const bytes = held() - before
    t.comment(`${(bytes / WANTED).toFixed(0)} bytes a file, ${(bytes / MIB).toFixed(0)} MiB`)
    t.ok(bytes < BYTES_A_KEY * WANTED, `${bytes} bytes`)
    t.equal(files.length, WANTED) // they are held until here
  })

  await t.test('is refused to a table that wants more than that', async t => {
    await t.rejects(list('events/*'), { code: 'INVALID_REQUEST', message: /more than 1000000 files/ })
  })
})
