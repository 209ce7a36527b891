/** The order of tasks, and what is done for those that wait. */

import t from 'tap'
import { TaskQueue, STARVED_MS, YOUNG_MS } from '../../executor/task-queue.ts'
import type { QueryId } from '../../proto/ids.ts'
import { HandClock } from './hand-clock.ts'

class Tasks {
  readonly clock = new HandClock()
  readonly said: string[] = []
  readonly running = new Map<string, () => void>()
  readonly queue: TaskQueue

  constructor(slots: number) {
    this.queue = new TaskQueue(slots, this.clock)
  }

  /** `name` is query and number; `forMs` 0: until it is told to end. */
  push(name: string, { group = 'default', weight = 1, user = 'ann', forMs = 0 } = {}): () => boolean {
    const [query = ''] = name.split('.')
    return this.queue.push({ group, weight, user, query: query as QueryId }, () => new Promise<void>(resolve => {
      this.said.push(`run ${name}`)
      const end = (): void => {
        this.running.delete(name)
        resolve()
      }
      this.running.set(name, end)
      if (forMs > 0) this.clock.after(forMs, end)
    }), () => { this.said.push(`prepare ${name}`) })
  }

  async settled(): Promise<void> {
    await this.clock.pass(0)
  }
}

t.test('as many as there are slots run, and as many are prepared, each once', async t => {
  const tasks = new Tasks(2)
  const [, , , takeOutD] = ['q.a', 'q.b', 'q.c', 'q.d', 'q.e', 'q.f'].map(name => tasks.push(name))
  await tasks.settled()
  t.strictSame(tasks.said.splice(0), ['run q.a', 'run q.b', 'prepare q.c', 'prepare q.d'])
  t.equal(takeOutD?.(), true)
  tasks.running.get('q.b')?.()
  await tasks.settled()
  t.strictSame(tasks.said.splice(0), ['run q.c', 'prepare q.e', 'prepare q.f'])
  tasks.running.get('q.a')?.()
  tasks.running.get('q.c')?.()
  await tasks.settled()
  t.strictSame(tasks.said.splice(0), ['run q.e', 'run q.f'])
  t.equal(takeOutD?.(), false)
})

t.test('a young query waits for nobody, however long others hold the slots', async t => {
  const tasks = new Tasks(1)
  for (let i = 0; i < 10; i++) tasks.push(`endless.${i}`)
  await tasks.clock.pass(5_000)
  tasks.push('small.0')
  await tasks.settled()
  t.strictSame([...tasks.running.keys()], ['endless.0', 'small.0'])
})

t.test('a query that is young no more gets a slot of its own within a second', async t => {
  const tasks = new Tasks(1)
  tasks.push('endless.0')
  tasks.push('middle.0', { forMs: YOUNG_MS })
  await tasks.clock.pass(2 * YOUNG_MS)
  t.strictSame([...tasks.running.keys()], ['endless.0'])
  tasks.push('middle.1')
  await tasks.clock.pass(STARVED_MS - 100)
  t.strictSame([...tasks.running.keys()], ['endless.0'])
  await tasks.clock.pass(STARVED_MS)
  t.strictSame([...tasks.running.keys()], ['endless.0', 'middle.1'])
})

t.test('what runs above the slots is bounded', async t => {
  const tasks = new Tasks(2)
  for (let i = 0; i < 100; i++) tasks.push(`q${i}.0`)
  await tasks.clock.pass(60_000)
  t.equal(tasks.running.size, 2 + 12)
})

t.test('groups have slots by their weights, users of a group evenly', async t => {
  const tasks = new Tasks(4)
  const used = new Map<string, number>()
  const again = (name: string, options: Parameters<Tasks['push']>[1], forMs: number): void => {
    const query = tasks.queue.push(
      { group: options?.group ?? '', weight: options?.weight ?? 1, user: options?.user ?? '', query: name as QueryId },
      () => new Promise<void>(resolve => {
        tasks.clock.after(forMs, () => {
          used.set(name, (used.get(name) ?? 0) + forMs)
          again(name, options, forMs)
          resolve()
        })
      }))
    void query
  }
  // each with more tasks than there are slots, of other lengths
  for (let i = 0; i < 8; i++) {
    again('bi-ann', { group: 'bi', weight: 3, user: 'ann' }, 130)
    again('bi-bob', { group: 'bi', weight: 3, user: 'bob' }, 700)
    again('etl', { group: 'etl', weight: 1, user: 'eve' }, 410)
  }
  await tasks.clock.pass(600_000)
  const ofGroup = [(used.get('bi-ann') ?? 0) + (used.get('bi-bob') ?? 0), used.get('etl') ?? 0]
  const ratio = (a = 0, b = 1): number => a / b
  t.ok(Math.abs(ratio(...ofGroup) - 3) < 0.15, `groups ${ratio(...ofGroup)}`)
  const users = ratio(used.get('bi-ann'), used.get('bi-bob'))
  t.ok(Math.abs(users - 1) < 0.1, `users ${users}`)
})

t.test('who was idle has saved nothing up, and who was busy owes nothing to who comes later', async t => {
  const tasks = new Tasks(1)
  for (let i = 0; i < 100; i++) tasks.push(`busy.${i}`, { user: 'ann', forMs: 1_000 })
  await tasks.clock.pass(20_500)
  for (let i = 0; i < 100; i++) tasks.push(`late.${i}`, { user: 'bob', forMs: 1_000 })
  tasks.said.length = 0
  await tasks.clock.pass(10_000)
  const runs = (query: string) => tasks.said.filter(text => text.startsWith(`run ${query}.`)).length
  t.ok(Math.abs(runs('busy') - runs('late')) <= 3, `${runs('busy')} and ${runs('late')}`)
})

t.test('a group that always has one running and none waiting saves nothing up either', async t => {
  const tasks = new Tasks(4)
  const used = { few: 0, many: 0 }
  const push = (group: 'few' | 'many', forMs: number): void => {
    const run = (): Promise<void> => new Promise(resolve => {
      tasks.clock.after(forMs, () => {
        used[group] += forMs
        push(group, forMs) // before it leaves: the group is never idle
        resolve()
      })
    })
    tasks.queue.push({ group, weight: 1, user: group, query: group as QueryId }, run)
  }
  for (let i = 0; i < 12; i++) push('many', 300)
  push('few', 300)
  await tasks.clock.pass(120_000)
  t.ok(used.few < used.many / 2, `${used.few} ms and ${used.many} ms: it wanted no more than a slot`)
  for (let i = 0; i < 12; i++) push('few', 300)
  const before = { ...used }
  await tasks.clock.pass(30_000)
  const share = (used.few - before.few) / (used.few - before.few + used.many - before.many)
  t.ok(Math.abs(share - 0.5) < 0.05, `from then on it has ${share.toFixed(2)} of the slots`)
})
