/** What an executor holds of one query: the lives of its tasks, what still runs, and the spools of its result. */

import { QueryError } from '../proto/errors.ts'
import type { TaskDefinition } from '../proto/gen/executor_pb.js'
import type { CoordinatorId, QueryId, TaskId } from '../proto/ids.ts'
import type { TaskPlace } from './exchange-files.ts'
import type { ResultSpool } from './result-spool.ts'
import { advance, isFinal, type Task, type TaskEvent } from './task.ts'

interface HeldTask {
  task: Task
  readonly place: TaskPlace
  /** May be called at any time, and more than once. */
  readonly cancel: (reason: string) => void
}

export class HeldQuery {
  readonly id: QueryId
  readonly coordinator: CoordinatorId
  readonly #tasks = new Map<TaskId, HeldTask>()
  readonly #running = new Set<Promise<unknown>>()
  /** Of every attempt at a part of the result; of each part the last one counts. */
  readonly #spools = new Map<TaskId, ResultSpool>()

  /** All that are not removed. */
  readonly spools = new Set<ResultSpool>()

  constructor(id: QueryId, coordinator: CoordinatorId) {
    this.id = id
    this.coordinator = coordinator
  }

  get tasks(): ReadonlyMap<TaskId, Readonly<HeldTask>> {
    return this.#tasks
  }

  get isRunning(): boolean {
    return [...this.#tasks.values()].some(({ task }) => !isFinal(task))
  }

  /** null: of the last attempt. */
  spoolOf(attempt: TaskId | null): ResultSpool | undefined {
    return attempt === null ? [...this.#spools.values()].at(-1) : this.#spools.get(attempt)
  }

  add(definition: TaskDefinition, task: Task, cancel: (reason: string) => void): void {
    const { stage, partition, attempt } = definition
    const place = { queryId: this.id, stage, partition, attempt }
    this.#tasks.set(definition.taskId as TaskId, { task, place, cancel })
  }

  /** Where those of these tasks that have ended have written. */
  endedOutputs(taskIds: readonly TaskId[]): TaskPlace[] {
    return taskIds.flatMap(taskId => {
      const held = this.#tasks.get(taskId)
      return held !== undefined && isFinal(held.task) ? [held.place] : []
    })
  }

  /** A new attempt: readers of an earlier one at the same part end. Before `add`. */
  addSpool({ taskId, partition }: TaskDefinition, spool: ResultSpool): void {
    for (const [attempt, earlier] of this.#spools) {
      if (this.#tasks.get(attempt)?.place.partition !== partition) continue
      earlier.fail(new QueryError('CANCELLED', 'the result is made again'))
    }
    this.#spools.set(taskId as TaskId, spool)
  }

  /** True if the task's life went on by it. */
  advance(taskId: TaskId, event: TaskEvent): boolean {
    const held = this.#tasks.get(taskId)
    if (held === undefined || isFinal(held.task)) return false
    const next = advance(held.task, event)
    if (next === held.task) return false
    held.task = next
    return true
  }

  track(running: Promise<unknown>): void {
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
  }

  /** Cancels what runs, waits for it, and frees the spools. */
  async end(cause: QueryError): Promise<void> {
    for (const { task, cancel } of this.#tasks.values()) if (!isFinal(task)) cancel(cause.message)
    for (const spool of this.#spools.values()) spool.fail(cause)
    await Promise.all(this.#running)
    for (const spool of this.#spools.values()) await spool.remove()
  }
}
