/**
 * The tasks of one executor: of each query a bounded number under way, the others waiting, queries taking turns. Which
 * of those under way has a slot, the executor decides, for it hears of all coordinators' tasks: so every query has some
 * there, however many another one has.
 */

import type { QueryId, TaskId } from '../proto/ids.ts'
import type { TaskDefinitionInit } from '../proto/task.ts'
import type { TaskOwner } from './executor-actor.ts'

export interface QueuedTask {
  readonly id: TaskId
  readonly query: QueryId
  readonly task: TaskDefinitionInit
  readonly owner: TaskOwner
}

/** Of all queries; each is a few kilobytes on the executor. */
const MAX_UNDER_WAY = 2_000

export class TaskQueue {
  readonly #limitOfOne: number
  /** By query, in the order of their turns. */
  readonly #waiting = new Map<QueryId, QueuedTask[]>()
  /** Launched and not ended; null: nobody wants to hear of it any more, but it still takes room. */
  readonly #underWay = new Map<TaskId, { readonly query: QueryId; owner: TaskOwner | null; isThere: boolean }>()
  readonly #countOf = new Map<QueryId, number>()

  constructor(limitOfOne: number) {
    this.#limitOfOne = Math.max(1, limitOfOne)
  }

  add(task: QueuedTask): void {
    const own = this.#waiting.get(task.query)
    if (own === undefined) this.#waiting.set(task.query, [task])
    else own.push(task)
  }

  /** Those that are to be launched now; they count as under way from here on. */
  start(): QueuedTask[] {
    const started: QueuedTask[] = []
    for (let next = this.#next(); next !== null; next = this.#next()) {
      this.#underWay.set(next.id, { query: next.query, owner: next.owner, isThere: false })
      this.#count(next.query, 1)
      started.push(next)
    }
    return started
  }

  /** Of the first query in turn that may have another one under way; its next turn is the last. */
  #next(): QueuedTask | null {
    if (this.#underWay.size >= MAX_UNDER_WAY) return null
    for (const [query, own] of this.#waiting) {
      if ((this.#countOf.get(query) ?? 0) >= this.#limitOfOne) continue
      const task = own.shift()
      this.#waiting.delete(query)
      if (own.length > 0) this.#waiting.set(query, own)
      if (task !== undefined) return task
    }
    return null
  }

  #count(query: QueryId, change: 1 | -1): void {
    const count = (this.#countOf.get(query) ?? 0) + change
    if (count > 0) this.#countOf.set(query, count)
    else this.#countOf.delete(query)
  }

  /** Its executor has told of it. Answers who wants to know. */
  heardOf(id: TaskId): TaskOwner | null {
    const entry = this.#underWay.get(id)
    if (entry !== undefined) entry.isThere = true
    return entry?.owner ?? null
  }

  /** Its launch has arrived, whatever became of the answer. */
  isThere(id: TaskId): boolean {
    return this.#underWay.get(id)?.isThere === true
  }

  /** It has ended; answers who wants to know. */
  remove(id: TaskId): TaskOwner | null {
    const entry = this.#underWay.get(id)
    if (entry === undefined) return null
    this.#underWay.delete(id)
    this.#count(entry.query, -1)
    return entry.owner
  }

  /** Nobody wants it any more. True if it is under way and has to be cancelled. */
  disown(id: TaskId): boolean {
    const entry = this.#underWay.get(id)
    if (entry !== undefined) entry.owner = null
    for (const [query, own] of this.#waiting) {
      const left = own.filter(task => task.id !== id)
      if (left.length === 0) this.#waiting.delete(query)
      else if (left.length < own.length) this.#waiting.set(query, left)
    }
    return entry !== undefined
  }

  drop(query: QueryId): void {
    this.#waiting.delete(query)
    this.#countOf.delete(query)
    for (const [id, entry] of this.#underWay) if (entry.query === query) this.#underWay.delete(id)
  }

  clear(): void {
    this.#waiting.clear()
    this.#underWay.clear()
    this.#countOf.clear()
  }
}
