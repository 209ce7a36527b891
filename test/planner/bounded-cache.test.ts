/** A cache that stays within its bounds. */

import t from 'tap'
import { BoundedCache } from '../../planner/bounded-cache.ts'

t.test('the least recently used leave when there are too many', async t => {
  const cache = new BoundedCache<number>({ maxEntries: 2, maxBytes: 1e6 })
  cache.put('a', 1, 1)
  cache.put('b', 2, 1)
  t.equal(cache.get('a'), 1)
  cache.put('c', 3, 1)
  t.strictSame([cache.get('a'), cache.get('b'), cache.get('c')], [1, undefined, 3])
})

t.test('bytes are bounded, and what is too large alone is not kept', async t => {
  const cache = new BoundedCache<string>({ maxEntries: 100, maxBytes: 100 })
  cache.put('a', 'x', 20)
  cache.put('b', 'y', 20)
  t.equal(cache.sizeBytes, 84)
  cache.put('c', 'z', 20)
  t.strictSame([cache.get('a'), cache.get('b'), cache.sizeBytes], [undefined, 'y', 84])
  cache.put('d', 'large', 1000)
  t.equal(cache.get('d'), undefined)
  cache.put('b', 'y2', 5)
  t.strictSame([cache.get('b'), cache.sizeBytes], ['y2', 54])
})
