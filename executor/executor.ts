/**
 * What one executor does for its coordinators: keeps a record of every query that it works for, queues its tasks, tells
 * of their lives, keeps its spool, and forgets all of it when the query is released. A query is released by its
 * coordinator, or when that is gone.
 */

import type { DutyKeeper } from '../cluster/duty.ts'
import type { Clock } from '../proto/clock.ts'
import { asQueryError, QueryError } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { TaskDefinition } from '../proto/gen/executor_pb.js'
import type { CoordinatorId, Incarnation, QueryId, TaskId } from '../proto/ids.ts'
import { HeldQuery } from './held-query.ts'
import type { ExchangeFiles } from './exchange-files.ts'
import type { InstanceSet } from './instance-set.ts'
import type { KeptResults } from './kept-results.ts'
import type { Log } from './log.ts'
import type { Reservations } from './reservations.ts'
import type { ResultSpool } from './result-spool.ts'
import type { Task } from './task.ts'
import type { TaskQueue } from './task-queue.ts'
import type { TaskRunner } from './task-runner.ts'
import { taskStatus, type TaskEventInit, type TaskStatusInit } from './task-status.ts'
import { TaskWatch } from './task-watch.ts'
import { Watchers } from './watchers.ts'

/** Ids of released queries that are remembered, so that a late launch of one starts nothing. */
const RELEASED_KEPT = 10_000
/** A task that ends sooner is told of at its end alone: most do, and each event costs both sides a message. */
const RUNNING_NEWS_MS = 50
/** A result of so many bytes goes with the news that it is made: a call to fetch it would cost more than its bytes. */
const RESULT_NEWS_BYTES = 64 * 1024
/** Tasks of one query on one executor; the fan-out of any plan is far below. */
const MAX_TASKS_OF_QUERY = 100_000

/** As often as people look. */
const PROGRESS_EVERY_MS = 1_000

export interface ExecutorOptions {
  readonly clock: Clock
  readonly log: Log
  readonly queue: TaskQueue
  readonly runner: TaskRunner
  readonly reservations: Reservations
  readonly exchangeFiles: ExchangeFiles
  readonly instances: InstanceSet
  /** The rest is as SpoolOptions has it. */
  readonly newSpool: (taskId: TaskId, family: Set<ResultSpool>, onOutgrown: () => void) => ResultSpool
  readonly kept: KeptResults
  /** What else it holds for a coordinator that is gone. */
  readonly onCoordinatorGone: (coordinator: CoordinatorId) => void
  /** Throws UNAVAILABLE when this executor may not take new work. */
  readonly checkMembership: () => void
  readonly duty: DutyKeeper
}

export class Executor {
  readonly #options: ExecutorOptions
  readonly #queries = new Map<QueryId, HeldQuery>()
  readonly #released = new Set<QueryId>()
  readonly #watchers: Watchers
  readonly #watch: TaskWatch
  #progressToldMs = 0

  constructor(options: ExecutorOptions) {
    const { clock, instances, log } = options
    this.#options = options
    this.#watchers = new Watchers(clock, coordinator => this.#coordinatorGone(coordinator))
    this.#watch = new TaskWatch({
      clock, busy: () => instances.busy,
      look: async () => {
        await instances.look()
        this.#tellProgress()
      },
      onFault: reason => log.warn({ reason: asQueryError(reason).message }, 'cannot look at the instances'),
    })
  }

  reserve(queryId: QueryId, coordinator: CoordinatorId, memoryBytes: number): void {
    this.#checkNotReleased(queryId)
    if (!this.#queries.has(queryId)) {
      this.#options.checkMembership()
      this.#options.duty.check()
    }
    this.#options.reservations.book(queryId, memoryBytes)
    this.#query(queryId, coordinator)
  }

  launch(coordinator: CoordinatorId, definition: TaskDefinition): void {
    const queryId = definition.queryId as QueryId
    if (!this.#queries.has(queryId)) this.#options.checkMembership() // what runs goes on
    this.#checkNotReleased(queryId)
    this.#options.exchangeFiles.checkId(queryId)
    const query = this.#query(queryId, coordinator)
    const taskId = definition.taskId as TaskId
    if (query.tasks.has(taskId)) return
    if (query.tasks.size >= MAX_TASKS_OF_QUERY) {
      throw new QueryError('EXECUTOR_FULL', `query ${queryId} has ${MAX_TASKS_OF_QUERY} tasks here`)
    }
    const spool = definition.output.case === 'result'
      ? this.#options.newSpool(taskId, query.spools, () => this.#publish(query, taskId)) : undefined
    const controller = new AbortController()
    const { resourceGroup: group, weight, principal: user } = definition
    const unqueue = this.#options.queue.push(
      { group, weight: Math.max(1, weight), user, query: queryId },
      () => this.#run(query, definition, spool, controller.signal),
      () => this.#options.runner.prefetch(definition, controller.signal))
    if (spool !== undefined) query.addSpool(definition, spool)
    query.add(definition, { state: 'queued', queuedAtMs: this.#options.clock.nowMs() }, reason => {
      const wasQueued = unqueue()
      this.#advance(query, taskId, { kind: 'cancelled', reason })
      if (wasQueued) spool?.fail(new QueryError('CANCELLED', reason))
      controller.abort()
    })
  }

  cancel(taskId: TaskId): void {
    for (const query of this.#queries.values()) query.tasks.get(taskId)?.cancel('the task was cancelled')
  }

  /** The exchange files of these tasks, which have ended. */
  async removeOutputs(queryId: QueryId, taskIds: readonly TaskId[]): Promise<void> {
    const query = this.#queries.get(queryId)
    for (const place of query?.endedOutputs(taskIds) ?? []) await this.#options.exchangeFiles.removeOutput(place)
  }

  /** No task of the query is to come; one that comes all the same gets what it needs again. */
  async freeMemory(queryId: QueryId): Promise<void> {
    if (this.#queries.get(queryId)?.isRunning === true) return // it was made again meanwhile
    this.#options.reservations.free(queryId)
    await this.#options.instances.releaseQuery(queryId)
  }

  /** Resolves when nothing of the query runs or is left here but the results of `keep`. */
  async release(queryId: QueryId, keep: readonly TaskId[] = [], reason = 'the query was released'): Promise<void> {
    const query = this.#queries.get(queryId)
    this.#remember(queryId)
    if (query === undefined) return
    const { exchangeFiles, instances, queue, reservations, kept, log } = this.#options
    const copied = keep.flatMap(task => {
      const spool = query.spoolOf(task)
      return spool === undefined ? [] : [kept.keep(query.coordinator, queryId, task, spool)]
    })
    this.#queries.delete(queryId)
    await Promise.all(copied)
    await query.end(new QueryError('CANCELLED', reason))
    queue.forget(queryId)
    reservations.free(queryId)
    try {
      await instances.releaseQuery(queryId)
      await exchangeFiles.removeQuery(queryId)
    } finally {
      this.#options.duty.held(this.#queries.size) // whatever else: a drain waits for it
    }
    log.debug({ query: queryId }, 'query released')
  }

  /** New queries are refused, or taken again. */
  setDraining(draining: boolean): void {
    if (draining) this.#options.duty.drain()
    else this.#options.duty.undrain()
  }

  /** The frames of the query's result, or of a part of it, as this attempt made it; null: the last one. */
  fetchResult(
    queryId: QueryId, attempt: TaskId | null, fromFrame: number, signal: AbortSignal,
  ): AsyncIterable<RawFlightData> {
    const frames = this.#queries.get(queryId)?.spoolOf(attempt)?.read(fromFrame, signal)
      ?? (attempt === null ? undefined : this.#options.kept.read(queryId, attempt, fromFrame))
    if (frames === undefined) throw new QueryError('NOT_FOUND', `no result of query ${queryId} on this executor`)
    return frames
  }

  watch(coordinator: CoordinatorId, incarnation: Incarnation, signal: AbortSignal): AsyncIterable<TaskEventInit> {
    const statuses = () => this.#queriesOf(coordinator).flatMap(query =>
      [...query.tasks].map(([taskId, { task }]) => statusOf(query, taskId, task)))
    return this.#watchers.open(coordinator, incarnation, statuses, signal)
  }

  /** Nobody counts on this executor any more: cancels and removes what it has, and begins anew. */
  async drop(reason: string): Promise<void> {
    await this.#releaseAll(reason)
    this.#watchers.endStreams()
  }

  /** Cancels and removes everything. */
  async stop(): Promise<void> {
    this.#watchers.close()
    this.#watch.stop()
    await this.#releaseAll('the executor stops')
  }

  async #releaseAll(reason: string): Promise<void> {
    await Promise.all([...this.#queries.keys()].map(id => this.release(id, [], reason)))
    this.#options.kept.forget(null)
  }

  async #run(
    query: HeldQuery, definition: TaskDefinition, spool: ResultSpool | undefined, signal: AbortSignal,
  ): Promise<void> {
    const { clock, log, runner } = this.#options
    const taskId = definition.taskId as TaskId
    query.advance(taskId, { kind: 'started', nowMs: clock.nowMs() })
    const cancelNews = clock.after(RUNNING_NEWS_MS, () => this.#publish(query, taskId))
    this.#watch.wake()
    const running = runner.run(definition, spool, signal)
    query.track(running)
    const outcome = await running
    cancelNews()
    this.#advance(query, taskId, outcome)
    const ids = { query: query.id, task: taskId }
    if (outcome.kind === 'succeeded') log.debug({ ...ids, rows: outcome.stats.rowCount }, 'task succeeded')
    else log.info({ ...ids, code: outcome.cause.code, reason: outcome.cause.message }, 'task failed')
  }

  #tellProgress(): void {
    const { clock, runner } = this.#options
    const nowMs = clock.nowMs()
    if (nowMs - this.#progressToldMs < PROGRESS_EVERY_MS) return
    this.#progressToldMs = nowMs
    for (const query of this.#queries.values()) {
      for (const [taskId, { task }] of query.tasks) {
        if (task.state !== 'running') continue
        this.#advance(query, taskId, { kind: 'progressed', fraction: runner.fractionOf(taskId) })
      }
    }
  }

  #advance(query: HeldQuery, taskId: TaskId, event: Parameters<HeldQuery['advance']>[1]): void {
    if (query.advance(taskId, event)) this.#publish(query, taskId)
  }

  #publish(query: HeldQuery, taskId: TaskId): void {
    const held: { readonly task: Task } | undefined = query.tasks.get(taskId)
    if (held !== undefined) this.#watchers.publish(query.coordinator, statusOf(query, taskId, held.task))
  }

  #query(queryId: QueryId, coordinator: CoordinatorId): HeldQuery {
    this.#watchers.expect(coordinator)
    const known = this.#queries.get(queryId)
    if (known !== undefined) return known
    const query = new HeldQuery(queryId, coordinator)
    this.#queries.set(queryId, query)
    this.#options.duty.held(this.#queries.size)
    return query
  }

  #queriesOf(coordinator: CoordinatorId): HeldQuery[] {
    return [...this.#queries.values()].filter(query => query.coordinator === coordinator)
  }

  #coordinatorGone(coordinator: CoordinatorId): void {
    const { log } = this.#options
    log.warn({ coordinator }, 'coordinator is gone')
    this.#options.kept.forget(coordinator)
    this.#options.onCoordinatorGone(coordinator)
    for (const { id } of this.#queriesOf(coordinator)) {
      this.release(id, [], 'the coordinator of the query is gone').catch((error: unknown) => {
        log.error({ query: id, reason: asQueryError(error).message }, 'release failed')
      })
    }
  }

  #checkNotReleased(queryId: QueryId): void {
    if (this.#released.has(queryId)) throw new QueryError('CANCELLED', `query ${queryId} was released`)
  }

  #remember(queryId: QueryId): void {
    this.#released.add(queryId)
    const [oldest] = this.#released
    if (this.#released.size > RELEASED_KEPT && oldest !== undefined) this.#released.delete(oldest)
  }
}

function statusOf(query: HeldQuery, taskId: TaskId, task: Task): TaskStatusInit {
  const spool = query.spoolOf(taskId)
  return taskStatus(taskId, task, spool?.whole(RESULT_NEWS_BYTES) ?? [], spool?.hasOutgrown ?? false)
}
