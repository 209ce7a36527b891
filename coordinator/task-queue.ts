/** The tasks of one executor: a bounded number under way, the others waiting, queries taking turns. */

import type { QueryId, TaskId } from '../proto/ids.ts'
import type { TaskDefinitionInit } from '../proto/task.ts'
import type { TaskOwner } from './executor-actor.ts'

export interface QueuedTask {
  readonly id: TaskId
  readonly query: QueryId
  readonly task: TaskDefinitionInit
  readonly owner: TaskOwner
}

export class TaskQueue {
  readonly #limit: number
  /** By query, in the order of their turns. */
  readonly #waiting = new Map<QueryId, QueuedTask[]>()
  /** Launched and not ended; null: nobody wants to hear of it any more, but it still takes room. */
  readonly #underWay = new Map<TaskId, { readonly query: QueryId; owner: TaskOwner | null }>()

  constructor(limit: number) {
    this.#limit = Math.max(1, limit)
  }

  add(task: QueuedTask): void {
    const own = this.#waiting.get(task.query)
    if (own === undefined) this.#waiting.set(task.query, [task])
    else own.push(task)
  }

  /** Those that are to be launched now; they count as under way from here on. */
  start(): QueuedTask[] {
    const started: QueuedTask[] = []
    while (this.#underWay.size < this.#limit) {
      const [query, own] = this.#waiting.entries().next().value ?? []
      const task = own?.shift()
      if (query === undefined || own === undefined || task === undefined) break
      this.#waiting.delete(query)
      if (own.length > 0) this.#waiting.set(query, own)
      this.#underWay.set(task.id, { query, owner: task.owner })
      started.push(task)
    }
    return started
  }

  ownerOf(id: TaskId): TaskOwner | null {
    return this.#underWay.get(id)?.owner ?? null
  }

  /** It has ended; answers who wants to know. */
  remove(id: TaskId): TaskOwner | null {
    const owner = this.ownerOf(id)
    this.#underWay.delete(id)
    return owner
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
    for (const [id, entry] of this.#underWay) if (entry.query === query) this.#underWay.delete(id)
  }

  clear(): void {
    this.#waiting.clear()
    this.#underWay.clear()
  }
}
