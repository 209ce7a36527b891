/**
 * Which waiting task runs next. As many run at once as there are slots, in the order of fair shares; the tasks of one
 * query in the order in which they came. Tasks cannot be interrupted for others, so a few run above the slots, where
 * the system shares the processors between them:
 *
 *   a young query (it has used less than a second here) with none running runs one at once;
 *   any query with none running that has waited for a second runs one.
 *
 * So a small query waits for nobody, and one that never ends takes a slot from nobody for longer than a second. Those
 * that come next are prepared. Bounded.
 */

import type { Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'
import { compareClocks, FairShare, pathOf, type Path, type Share } from './fair-share.ts'

const NOW = Promise.resolve()
/** Far above what one coordinator sends ahead; a task definition is a few kilobytes. */
const MAX_WAITING = 10_000
/** Slot time on this executor up to which a query is young. */
export const YOUNG_MS = 1_000
/** How long a query with nothing running waits for a slot before it gets one besides. */
export const STARVED_MS = 1_000
/** Of young queries above the slots, and of starved ones: each takes a thread and what memory it has booked. */
const EXTRA = 4
/** Young ones that grew old meanwhile count too. */
export const MOST_ABOVE_SLOTS = 3 * EXTRA

interface Entry {
  readonly query: QueryQueue
  readonly run: () => Promise<void>
  /** Null: it has been called, or there is nothing to prepare. */
  prepare: (() => void) | null
}

interface QueryQueue {
  readonly id: QueryId
  readonly path: Path
  readonly waiting: Set<Entry>
  /** When each running one began. */
  readonly startsMs: Set<{ readonly atMs: number }>
  /** Since when it waits with nothing running; null: it does not. */
  idleSinceMs: number | null
  usedMs: number
  isOver: boolean
}

export class TaskQueue {
  readonly #slots: number
  readonly #clock: Clock
  readonly #fair = new FairShare()
  readonly #queries = new Map<QueryId, QueryQueue>()
  #waiting = 0
  /** Of those that wait, the ones that have something to prepare yet. */
  #unprepared = 0
  #running = 0
  #cancelLook: (() => void) | null = null

  constructor(slots: number, clock: Clock) {
    this.#slots = slots
    this.#clock = clock
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting
  }

  /**
   * `run` must not reject. `prepare` is called at most once, if it has to wait. The returned function takes it out if
   * it has not begun; false: it has.
   */
  push(share: Share, run: () => Promise<void>, prepare: (() => void) | null = null): () => boolean {
    if (this.#waiting >= MAX_WAITING) throw new QueryError('EXECUTOR_FULL', `${MAX_WAITING} tasks are waiting`)
    const nowMs = this.#clock.nowMs()
    const query = this.#query(share)
    const entry: Entry = { query, run, prepare }
    if (query.startsMs.size === 0) query.idleSinceMs ??= nowMs
    query.waiting.add(entry)
    this.#waiting++
    if (prepare !== null) this.#unprepared++
    this.#fair.arrived(query.path, nowMs)
    void NOW.then(() => this.#fill())
    return () => this.#takeOut(entry)
  }

  /** The query is over: what it has used is forgotten. */
  forget(id: QueryId): void {
    const query = this.#queries.get(id)
    if (query === undefined) return
    query.isOver = true
    this.#forgetIfDone(query)
  }

  #forgetIfDone({ isOver, waiting, startsMs, id }: QueryQueue): void {
    if (isOver && waiting.size === 0 && startsMs.size === 0) this.#queries.delete(id)
  }

  #query(share: Share): QueryQueue {
    const known = this.#queries.get(share.query)
    if (known !== undefined) return known
    const query: QueryQueue = {
      id: share.query, path: pathOf(share), waiting: new Set(), startsMs: new Set(), idleSinceMs: null, usedMs: 0,
      isOver: false,
    }
    this.#queries.set(share.query, query)
    return query
  }

  #takeOut(entry: Entry): boolean {
    const { query } = entry
    if (!query.waiting.delete(entry)) return false
    this.#noLongerWaits(entry)
    if (query.waiting.size === 0) query.idleSinceMs = null
    this.#fair.left(query.path, null, this.#clock.nowMs())
    return true
  }

  #noLongerWaits({ prepare }: Entry): void {
    this.#waiting--
    if (prepare !== null) this.#unprepared--
  }

  #fill(): void {
    for (let next = this.#next(); next !== null; next = this.#next()) this.#start(next)
    this.#prepareNext()
    this.#lookLater()
  }

  #start(query: QueryQueue): void {
    const [entry] = query.waiting
    if (entry === undefined) return
    const start = { atMs: this.#clock.nowMs() }
    query.waiting.delete(entry)
    query.startsMs.add(start)
    query.idleSinceMs = null
    this.#noLongerWaits(entry)
    this.#running++
    this.#fair.began(query.path, start.atMs)
    void entry.run().finally(() => {
      const nowMs = this.#clock.nowMs()
      query.startsMs.delete(start)
      query.usedMs += nowMs - start.atMs
      if (query.startsMs.size === 0 && query.waiting.size > 0) query.idleSinceMs = nowMs
      this.#running--
      this.#fair.left(query.path, start.atMs, nowMs)
      this.#forgetIfDone(query)
      this.#fill()
    })
  }

  #next(): QueryQueue | null {
    const nowMs = this.#clock.nowMs()
    if (this.#waiting === 0 || this.#running >= this.#slots + MOST_ABOVE_SLOTS) return null
    if (this.#running < this.#slots) return this.#first(nowMs, () => true)
    const young = this.#runningYoung(nowMs)
    const mayYoung = young < EXTRA
    const mayStarved = this.#running - young < this.#slots + EXTRA
    return this.#first(nowMs, query => query.startsMs.size === 0
      && ((mayYoung && isYoung(query, nowMs)) || (mayStarved && isStarved(query, nowMs))))
  }

  /** Whose turn it is of those that wait and `may` run; null: there is none. */
  #first(nowMs: number, may: (query: QueryQueue) => boolean): QueryQueue | null {
    let first: QueryQueue | null = null
    let least: readonly number[] | null = null
    for (const query of this.#queries.values()) {
      if (query.waiting.size === 0 || !may(query)) continue
      if (first === null) {
        first = query
        continue
      }
      least ??= this.#fair.clocks(first.path, nowMs)
      const clocks = this.#fair.clocks(query.path, nowMs)
      if (compareClocks(clocks, least) < 0) [first, least] = [query, clocks]
    }
    return first
  }

  /** Queries that wait, whose turn it is first; of equals the earlier one. */
  #inOrder(nowMs: number): QueryQueue[] {
    return [...this.#queries.values()].filter(({ waiting }) => waiting.size > 0)
      .map(query => ({ query, clocks: this.#fair.clocks(query.path, nowMs) }))
      .sort((a, b) => compareClocks(a.clocks, b.clocks)).map(({ query }) => query)
  }

  #runningYoung(nowMs: number): number {
    let young = 0
    for (const query of this.#queries.values()) {
      if (query.startsMs.size > 0 && isYoung(query, nowMs)) young += query.startsMs.size
    }
    return young
  }

  #prepareNext(): void {
    if (this.#unprepared === 0) return
    let next = 0
    for (const { waiting } of this.#inOrder(this.#clock.nowMs())) {
      for (const entry of waiting) {
        if (next++ >= this.#slots) return
        const { prepare } = entry
        if (prepare === null) continue
        entry.prepare = null
        this.#unprepared--
        prepare()
      }
    }
  }

  /** What starves is nobody's news. */
  #lookLater(): void {
    if (this.#waiting === 0 || this.#cancelLook !== null) return
    this.#cancelLook = this.#clock.after(STARVED_MS / 4, () => {
      this.#cancelLook = null
      this.#fill()
    })
  }
}

function isYoung({ usedMs, startsMs }: QueryQueue, nowMs: number): boolean {
  let used = usedMs
  for (const { atMs } of startsMs) used += nowMs - atMs
  return used < YOUNG_MS
}

function isStarved({ idleSinceMs }: QueryQueue, nowMs: number): boolean {
  return idleSinceMs !== null && nowMs - idleSinceMs >= STARVED_MS
}
