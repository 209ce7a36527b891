/** What leaves the cache first. */

import t from 'tap'
import { Eviction } from '../../cache/eviction.ts'

const anyone = (): boolean => true

/** Adds `key` to a cache of `limit` bytes. */
function put(cache: Eviction<string>, key: string, limit: number, bytes = 1): void {
  cache.add(key, bytes)
  while (cache.bytes > limit) cache.next(anyone)
}

/** Everything that is in it, by taking it out. */
function contents(cache: Eviction<string>): string[] {
  return Array.from({ length: 1000 }, () => cache.next(anyone)).flatMap(key => key ?? []).sort()
}

t.test('a scan that touches everything once leaves what is in use', async t => {
  const cache = new Eviction<string>()
  for (let i = 0; i < 80; i++) {
    put(cache, `hot${i}`, 100)
    cache.used(`hot${i}`)
  }
  for (let i = 0; i < 10_000; i++) put(cache, `scan${i}`, 100)
  t.equal(contents(cache).filter(key => key.startsWith('hot')).length, 80)
})

t.test('what comes back soon after it left goes where it stays', async t => {
  const cache = new Eviction<string>()
  for (let i = 0; i < 20; i++) put(cache, `a${i}`, 10)
  t.notOk(contents(cache).includes('a5'))
  put(cache, 'a5', 10)
  for (let i = 0; i < 9; i++) put(cache, `b${i}`, 10)
  for (let i = 0; i < 1000; i++) put(cache, `scan${i}`, 10)
  t.ok(contents(cache).includes('a5'))
})

t.test('what was in use once and is no more goes in time', async t => {
  const cache = new Eviction<string>()
  put(cache, 'old', 10)
  for (let i = 0; i < 5; i++) cache.used('old')
  for (let i = 0; i < 200; i++) {
    put(cache, `new${i}`, 10)
    cache.used(`new${i}`)
  }
  t.notOk(contents(cache).includes('old'))
})

t.test('what may not go stays, and nothing goes if nothing may', async t => {
  const cache = new Eviction<string>()
  for (const key of ['a', 'b', 'c']) cache.add(key, 5)
  t.equal(cache.next(key => key === 'b'), 'b')
  t.equal(cache.next(() => false), undefined)
  t.strictSame([cache.bytes, contents(cache)], [10, ['a', 'c']])
})

t.test('bytes are those of what is in it', async t => {
  const cache = new Eviction<string>()
  cache.add('a', 5)
  cache.add('a', 7)
  cache.add('b', 1, true)
  t.equal(cache.bytes, 8)
  cache.remove('a')
  cache.remove('none')
  t.equal(cache.bytes, 1)
})
