/**
 * Where work goes: splits to executors and then to tasks, and waiting partitions to free room. Pure.
 *
 * A split goes to the executor that its file ranks first (rendezvous), unless that would load it with more than its
 * bound; then to the second owner, then on down the ranking: consistent hashing with bounded loads (Mirrokni,
 * Thorup and Zadimoghaddam, 2018). Splits of one executor are then packed into its tasks. While a stage runs, an
 * executor takes its own tasks first and those of others only to fill a slot that would stand idle.
 */

import { owners, Ranking } from '../cache/affinity.ts'
import type { FileKey } from '../cache/key.ts'
import type { ExecutorId } from '../proto/ids.ts'
import type { TaskRestriction } from './key-ranges.ts'
import type { MemberKey } from './member.ts'
import type { Split } from './splits.ts'

/** How far above the mean an executor may be loaded for the sake of its cache. */
const LOAD_BOUND = 1.25
/** Tasks of a stage under way on an executor, in slots: the next ones fetch their bytes while these run. */
export const OUTSTANDING_PER_SLOT = 2

export interface Room {
  readonly id: ExecutorId
  readonly slots: number
}

export interface ScanSplit {
  /** Position k of the view scan<k>. */
  readonly scan: number
  readonly split: Split
}

export interface PlacedTask {
  /** Who should run it; null: nobody in particular. */
  readonly owner: ExecutorId | null
  readonly splits: readonly ScanSplit[]
  readonly sizeBytes: number
  /** What it needs of what all tasks read; absent: everything. */
  readonly restrictions?: readonly TaskRestriction[]
}

/**
 * At least one task, at most about `targetTasks` and one an executor more. The splits of a group are read by one task;
 * their owner is that of the largest. A table has groups by the hundred thousand: what is decided of one is a number at
 * its place in `groups`, so that none is looked up twice and nothing is sorted back into the order of files and rows.
 */
export function placeSplits(
  groups: readonly (readonly ScanSplit[])[], rooms: readonly Room[], targetTasks: number,
): PlacedTask[] {
  const slots = rooms.reduce((total, room) => total + room.slots, 0)
  const sizes = Float64Array.from(groups, bytes)
  // so that the small ones even out
  const largestFirst = Uint32Array.from(groups.keys()).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0))
  const takers = owned(groups, sizes, largestFirst, rooms)
  const bins = rooms.map(({ id, slots: own }) => Array.from(
    { length: Math.max(1, Math.round(targetTasks * own / Math.max(1, slots))) },
    () => ({ owner: id, splits: [] as ScanSplit[], sizeBytes: 0 }),
  ))
  const chosen = new Uint32Array(groups.length)
  for (const at of largestFirst) {
    const own = bins[takers[at] ?? 0] ?? []
    const least = leastLoaded(own)
    chosen[at] = least
    const bin = own[least]
    if (bin !== undefined) bin.sizeBytes += sizes[at] ?? 0
  }
  groups.forEach((items, at) => {
    const bin = bins[takers[at] ?? 0]?.[chosen[at] ?? 0]
    for (const item of items) bin?.splits.push(item)
  })
  const tasks = bins.flat().filter(({ splits }) => splits.length > 0)
  return tasks.length > 0 ? tasks : [{ owner: null, splits: groups.flat(), sizeBytes: bytes(groups.flat()) }]
}

/** The position among `rooms` of each group's owner. */
function owned(
  groups: readonly (readonly ScanSplit[])[], sizes: Float64Array, largestFirst: Uint32Array, rooms: readonly Room[],
): Uint32Array {
  const ids = rooms.map(({ id }) => id)
  const position = new Map(ids.map((id, i) => [id, i]))
  const ranking = new Ranking(ids)
  const hashes = Int32Array.from(groups, items => {
    const file = largest(items)
    return file === null ? 0 : ranking.hash(file)
  })
  const slots = rooms.reduce((total, room) => total + room.slots, 0)
  const perSlotBytes = sizes.reduce((total, size) => total + size, 0) / Math.max(1, slots)
  const loads = rooms.map(() => 0)
  let sizeBytes = 0
  const fits = (id: ExecutorId): boolean => {
    const i = position.get(id) ?? 0
    return (loads[i] ?? 0) + sizeBytes <= LOAD_BOUND * perSlotBytes * (rooms[i]?.slots ?? 0)
  }
  const hasLeast = (id: ExecutorId): boolean => loads[position.get(id) ?? 0] === Math.min(...loads)
  const takers = new Uint32Array(groups.length)
  for (const at of largestFirst) {
    sizeBytes = sizes[at] ?? 0
    const hash = hashes[at] ?? 0
    const id = ranking.first(hash, fits) ?? ranking.first(hash, hasLeast)
    const taker = id === null ? 0 : position.get(id) ?? 0
    takers[at] = taker
    loads[taker] = (loads[taker] ?? 0) + sizeBytes
  }
  return takers
}

/** The file of the largest split. */
function largest(items: readonly ScanSplit[]): FileKey | null {
  let most: Split | null = null
  for (const { split } of items) if (most === null || split.sizeBytes > most.sizeBytes) most = split
  return most?.file ?? null
}

/** The position of the first that has least. */
function leastLoaded(bins: readonly { readonly sizeBytes: number }[]): number {
  let least = 0
  bins.forEach(({ sizeBytes }, i) => { if (sizeBytes < (bins[least]?.sizeBytes ?? 0)) least = i })
  return least
}

/** The executor with most of `bytesAt`, by rank of its id if none has any; null: no executor. */
export function mostBytes(bytesAt: ReadonlyMap<ExecutorId, number>, rooms: readonly Room[]): ExecutorId | null {
  const weight = (id: ExecutorId): number => bytesAt.get(id) ?? 0
  return rooms.map(room => room.id).reduce<ExecutorId | null>(
    (best, id) => best === null || weight(id) > weight(best) ? id : best, null)
}

/** Partitions over executors in turns, by slots: partition p's owner. */
export function ownerOfPartition(partition: number, rooms: readonly Room[]): ExecutorId | null {
  const turns = rooms.flatMap(
    room => Array.from({ length: Math.max(1, room.slots) }, (_, i) => ({ id: room.id, turn: i })),
  )
    .sort((a, b) => a.turn - b.turn || compare(a.id, b.id))
  return turns[partition % Math.max(1, turns.length)]?.id ?? null
}

export interface Waiting {
  readonly partition: number
  readonly owner: ExecutorId | null
  readonly avoid: ReadonlySet<MemberKey>
}

export interface Loaded {
  readonly key: MemberKey
  readonly id: ExecutorId
  readonly slots: number
  /** Tasks of the stage under way there. */
  readonly outstanding: number
}

/** Which waiting partitions start now, and where. An executor that is avoided is used only if there is no other. */
export function choose(
  waiting: readonly Waiting[], members: readonly Loaded[],
): { partition: number; member: MemberKey }[] {
  const load = new Map(members.map(member => [member.key, member.outstanding]))
  const chosen: { partition: number; member: MemberKey }[] = []
  const left = new Map(waiting.map(item => [item.partition, item]))
  const take = (item: Waiting, member: Loaded): void => {
    chosen.push({ partition: item.partition, member: member.key })
    load.set(member.key, (load.get(member.key) ?? 0) + 1)
    left.delete(item.partition)
  }
  const room = (member: Loaded, perSlot: number): number => member.slots * perSlot - (load.get(member.key) ?? 0)
  const allowed = (item: Waiting, member: Loaded): boolean =>
    !item.avoid.has(member.key) || members.every(other => item.avoid.has(other.key))
  for (const item of waiting) {
    const member = members.find(({ id }) => id === item.owner)
    if (member !== undefined && allowed(item, member) && room(member, OUTSTANDING_PER_SLOT) > 0) take(item, member)
  }
  // what its owner has no room for fills slots that would stand idle, most room first
  for (const item of [...left.values()].reverse()) {
    const free = members.filter(member => allowed(item, member) && room(member, 1) > 0)
    const best = free.sort((a, b) => room(b, 1) / b.slots - room(a, 1) / a.slots || compare(a.key, b.key))[0]
    if (best !== undefined) take(item, best)
  }
  return chosen
}

/**
 * Whether a file that `reader` reads for a task of `owner` (null: of nobody in particular) stays out of its cache: a
 * task that was taken to fill an idle slot would else drive out what belongs there, and double what its owner has. Who
 * is one of the two owners of the file may keep it.
 */
export function isPassing(
  file: Pick<FileKey, 'bucket' | 'key'>, owner: ExecutorId | null, reader: ExecutorId, all: readonly ExecutorId[],
): boolean {
  return owner !== null && reader !== owner && !owners(file, all).includes(reader)
}

function bytes(splits: readonly ScanSplit[]): number {
  let total = 0
  for (const { split } of splits) total += split.sizeBytes
  return total
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
