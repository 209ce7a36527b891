/** What a draining executor has in its cache goes to its next owners. */

import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { rank } from '../../cache/affinity.ts'
import { moveCache } from '../../coordinator/move-cache.ts'
import { CachedFileSchema, WarmCacheResponseSchema } from '../../proto/gen/cache_pb.js'
import type { ExecutorId } from '../../proto/ids.ts'
import { HandClock } from '../executor/hand-clock.ts'

const ids = ['e1', 'e2', 'e3'] as ExecutorId[]
const files = Array.from({ length: 40 }, (_, i) => create(CachedFileSchema, {
  bucket: 'prod', key: `f${i}`, etag: 'x', sizeBytes: 100n, columns: i % 2 === 0 ? ['id'] : [''],
}))

function open(fails: (executor: string) => boolean = () => false) {
  const warmed: string[] = []
  return {
    warmed,
    caches: {
      files: async () => files,
      warm: async (executor: string, wanted: readonly { file: { key: string }; isParquet: boolean }[]) => {
        if (fails(executor)) throw new Error('full')
        warmed.push(...wanted.map(({ file, isParquet }) => `${executor} ${file.key} ${isParquet}`))
        return create(WarmCacheResponseSchema, {})
      },
    },
  }
}

t.test('each file goes to who owns it once the executor is gone', async t => {
  const { warmed, caches } = open()
  t.equal(await moveCache('e1', ids, caches, new HandClock()), 40)
  const next = ['e2', 'e3'] as ExecutorId[]
  const expected = files.map(({ bucket, key }, i) => `${rank({ bucket, key }, next)[0]} ${key} ${i % 2 === 0}`)
  t.strictSame([...warmed].sort(), [...expected].sort())
})

t.test('an executor without room stops nothing else', async t => {
  const { warmed, caches } = open(executor => executor === 'e2')
  t.equal(await moveCache('e1', ids, caches, new HandClock()), warmed.length)
  t.ok(warmed.length > 0 && warmed.every(text => text.startsWith('e3')))
})

t.test('nothing moves from one that drains already, or to nobody', async t => {
  const { warmed, caches } = open()
  t.equal(await moveCache('e1', ['e2' as ExecutorId], caches, new HandClock()), 0)
  t.equal(await moveCache('e1', ['e1' as ExecutorId], caches, new HandClock()), 0)
  t.strictSame(warmed, [])
})
