/** What is said together is read together, and what is not urgent waits for company. */

import t from 'tap'
import { Batcher } from '../../proto/batcher.ts'
import type { Clock } from '../../proto/clock.ts'

/** Time passes when it is told to. */
class Timers {
  readonly #waiting = new Set<() => void>()

  readonly clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    after: (_, callback) => {
      this.#waiting.add(callback)
      return () => { this.#waiting.delete(callback) }
    },
  }

  get count(): number {
    return this.#waiting.size
  }

  pass(): void {
    const due = [...this.#waiting]
    this.#waiting.clear()
    for (const callback of due) callback()
  }
}

function batcher(most = 10, bytes?: { readonly most: number; readonly of: (value: number) => number }) {
  const timers = new Timers()
  const said = new Batcher<number>(timers.clock, { patienceMs: 1, most, ...(bytes === undefined ? {} : { bytes }) })
  const read: (readonly number[])[] = []
  const ended = (async () => { for await (const batch of said) read.push(batch) })()
  /** Lets the reader take what there is. */
  const settle = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })
  return { timers, said, read, ended, settle }
}

t.test('what is not urgent is read with the next that is', async t => {
  const { timers, said, read, settle } = batcher()
  said.say(1, false)
  said.say(2, false)
  await settle()
  t.strictSame(read, [])
  t.equal(timers.count, 1, 'one timer for both')
  said.say(3, true)
  await settle()
  t.strictSame(read, [[1, 2, 3]])
  t.equal(timers.count, 0, 'the timer is not needed any more')
})

t.test('or after a moment, and the next of its kind waits again', async t => {
  const { timers, said, read, settle } = batcher()
  said.say(1, false)
  timers.pass()
  await settle()
  said.say(2, false)
  await settle()
  t.strictSame(read, [[1]])
  timers.pass()
  await settle()
  t.strictSame(read, [[1], [2]])
})

t.test('no batch is larger than the most', async t => {
  const { said, read, settle } = batcher(2)
  for (let i = 0; i < 5; i++) said.say(i, false)
  await settle()
  t.strictSame(read, [[0, 1], [2, 3], [4]])
})

t.test('nor heavier than that, unless one value alone is', async t => {
  const { said, read, settle } = batcher(3, { most: 10, of: value => value })
  for (const value of [4, 5, 2, 1, 1, 1, 30, 1]) said.say(value, false)
  said.say(9, true)
  await settle()
  t.strictSame(read, [[4, 5], [2, 1, 1], [1], [30], [1, 9]])
})

t.test('what was said before the end is read, what comes after it is not', async t => {
  const { said, read, ended } = batcher()
  said.say(1, false)
  said.end()
  said.say(2, true)
  await ended
  t.strictSame(read, [[1]])
})
