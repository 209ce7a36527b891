/** Splits to executors and tasks, and tasks to free room. */

import t from 'tap'
import { owners, rank } from '../../cache/affinity.ts'
import type { MemberKey } from '../../coordinator/member.ts'
import {
  choose, isPassing, mostBytes, ownerOfPartition, placeSplits, type Loaded, type ScanSplit, type Waiting,
} from '../../coordinator/place.ts'
import type { ExecutorId } from '../../proto/ids.ts'
import { mulberry32 } from '../random.ts'

const rooms = ['e1', 'e2', 'e3'].map(id => ({ id: id as ExecutorId, slots: 2 }))
const ids = rooms.map(({ id }) => id)
const split = (key: string, sizeBytes = 100): ScanSplit =>
  ({ scan: 0, split: {
    file: { bucket: 'lake', key, etag: '1', sizeBytes }, shape: 0, fromRow: 0, toRow: 0, sizeBytes, rowCount: 1,
  } })
const alone = (splits: readonly ScanSplit[]): readonly (readonly ScanSplit[])[] => splits.map(item => [item])

t.test('every split is in one task, most with an owner, and no executor has more than its bound', async t => {
  const splits = Array.from({ length: 60 }, (_, i) => split(`f${i}`))
  const tasks = placeSplits(alone(splits), rooms, 12)
  const keys = (items: readonly ScanSplit[]): string[] => items.map(item => item.split.file.key).sort()
  t.strictSame(keys(tasks.flatMap(task => task.splits)), keys(splits))
  t.equal(tasks.length, 12)
  const misplaced = tasks.flatMap(
    task => task.splits.filter(item => !owners(item.split.file, ids).some(owner => owner === task.owner)),
  )
  t.ok(misplaced.length <= 6, `${misplaced.length} of 60 are not with an owner`)
  const load = ids.map(id => tasks.filter(task => task.owner === id).reduce((sum, task) => sum + task.sizeBytes, 0))
  t.ok(Math.max(...load) <= 1.25 * 2000, `loads ${load.join()}`)
})

t.test('the same files go to the same executors when one leaves', async t => {
  const splits = Array.from({ length: 60 }, (_, i) => split(`f${i}`))
  const ownerOf = (with3: typeof rooms) => new Map(placeSplits(alone(splits), with3, 12)
    .flatMap(task => task.splits.map(item => [item.split.file.key, task.owner] as const)))
  const [before, after] = [ownerOf(rooms), ownerOf(rooms.slice(0, 2))]
  const moved = [...before].filter(([key, owner]) => owner !== 'e3' && after.get(key) !== owner)
  t.ok(moved.length <= 15, `${moved.length} moved without need`)
})

t.test('no splits make one task, and one large file one for whoever is least loaded', async t => {
  t.strictSame(placeSplits([], rooms, 6), [{ owner: null, splits: [], sizeBytes: 0 }])
  t.equal(placeSplits([[split('f', 1e9)]], rooms, 6).length, 1)
})

t.test('partitions go round by slots, a single task to where most of its input is', async t => {
  const uneven = [{ id: 'e1' as ExecutorId, slots: 1 }, { id: 'e2' as ExecutorId, slots: 2 }]
  t.strictSame([0, 1, 2, 3].map(partition => ownerOfPartition(partition, uneven)), ['e1', 'e2', 'e2', 'e1'])
  t.equal(mostBytes(new Map([['e2' as ExecutorId, 5], ['e3' as ExecutorId, 7]]), rooms), 'e3')
  t.equal(mostBytes(new Map(), []), null)
})

const member = (id: string, outstanding: number): Loaded =>
  ({ key: `${id}/a/1` as MemberKey, id: id as ExecutorId, slots: 1, outstanding })
const waits = (partition: number, owner: string | null, ...avoid: string[]): Waiting =>
  ({ partition, owner: owner as ExecutorId | null, avoid: new Set(avoid.map(id => `${id}/a/1` as MemberKey)) })
const chosen = (waiting: readonly Waiting[], members: readonly Loaded[]): string[] =>
  choose(waiting, members).map(({ partition, member }) => `${partition} ${member.slice(0, 2)}`)

t.test('owners take theirs, two a slot; others only what keeps a slot busy', async t => {
  const five = [0, 1, 2, 3, 4].map(partition => waits(partition, 'e1'))
  t.strictSame(chosen(five, [member('e1', 0), member('e2', 0)]), ['0 e1', '1 e1', '4 e2'])
  t.strictSame(chosen([waits(0, 'e1')], [member('e1', 2), member('e2', 1)]), [], 'all are busy')
  t.strictSame(chosen([waits(0, null)], [member('e1', 1), member('e2', 0)]), ['0 e2'])
})

t.test('where an attempt failed is avoided, unless there is nobody else', async t => {
  t.strictSame(chosen([waits(0, 'e1', 'e1')], [member('e1', 0), member('e2', 0)]), ['0 e2'])
  t.strictSame(chosen([waits(0, 'e1', 'e1')], [member('e1', 0), member('e2', 5)]), [], 'waits for e2')
  t.strictSame(chosen([waits(0, 'e1', 'e1')], [member('e1', 0)]), ['0 e1'])
})

t.test('what is read for another stays out of the cache, unless the reader is an owner too', async t => {
  const all = ['e1', 'e2', 'e3', 'e4'].map(id => id as ExecutorId)
  const file = { bucket: 'lake', key: 'f7' }
  const ranked = rank(file, all)
  const [first = null] = ranked
  t.strictSame(ranked.map(reader => isPassing(file, first, reader, all)), [false, false, true, true])
  const own = ranked.map(reader => isPassing(file, reader, reader, all))
  t.strictSame(own, [false, false, false, false], 'placed there for the sake of the load, and so the next time')
  t.notOk(ranked.some(reader => isPassing(file, null, reader, all)), 'a task of nobody in particular')
})

t.test('a change of membership moves at most 1.2/N of the bytes', async t => {
  const random = mulberry32(3)
  const splits = Array.from({ length: 4000 }, (_, i) => split(`part-${i}`, 1 + Math.floor(random() ** 2 * 1e6)))
  const total = splits.reduce((sum, { split: { sizeBytes } }) => sum + sizeBytes, 0)
  const crew = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `e${i}` as ExecutorId, slots: 4 }))
  const places = (members: ReturnType<typeof crew>) => new Map(placeSplits(alone(splits), members, 400)
    .flatMap(task => task.splits.map(item => [item.split.file.key, task.owner] as const)))
  const movedShare = (before: Map<string, unknown>, after: Map<string, unknown>): number => splits
    .filter(({ split: { file: { key } } }) => before.get(key) !== after.get(key))
    .reduce((sum, { split: { sizeBytes } }) => sum + sizeBytes, 0) / total
  for (const count of [2, 3, 4, 8, 16]) {
    const [without, full] = [places(crew(count - 1)), places(crew(count))]
    const joined = movedShare(without, full)
    t.ok(joined <= 1.2 / count, `${joined.toFixed(3)} of the bytes for 1 of ${count}`)
    t.equal(movedShare(full, places(crew(count))), 0, 'who comes back gets what it had')
  }
})
