/**
 * One executor process, as this coordinator sees it: its stream of task events, the tasks under way on it, and whether
 * it lives.
 *
 *   connecting ──Hello──▶ alive ──stream broke──▶ doubtful ──Hello──▶ alive
 *                           │                        │
 *                     3 heartbeats missed      refused, or 1 s over
 *                           └───────▶ lost ◀─────────┘      lost ──Hello──▶ alive, as another member
 *
 * The fleet is told of each `alive` and `lost`; what a lost member ran is the queries' to place again. Of each query at
 * most OUTSTANDING_PER_SLOT tasks a slot are under way, the rest waits here, queries taking turns. A query's release is
 * repeated until the executor has confirmed it, or has left the cluster.
 */

import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import type { TaskEvent, TaskStatus } from '../proto/gen/executor_pb.js'
import { asQueryError, QueryError, unreachable } from '../proto/errors.ts'
import type { ExecutorId, QueryId, TaskId } from '../proto/ids.ts'
import type { TaskDefinitionInit } from '../proto/task.ts'
import type { Actor, Address, Context } from './actor/actor.ts'
import type { ExecutorChannel } from './executor-channel.ts'
import type { FleetMessage } from './fleet-actor.ts'
import { memberKey, type MemberKey } from './member.ts'
import { OUTSTANDING_PER_SLOT } from './place.ts'
import { TaskQueue } from './task-queue.ts'

export const HEARTBEAT_MS = 1_000
export const LOST_AFTER_MS = 3 * HEARTBEAT_MS
/** How long a broken stream may take to open again; tasks go on meanwhile. */
const RECONNECT_WITHIN_MS = 1_000
/** Far more queries than end while a launch is on its way from one actor to another. */
const OVER_KEPT = 10_000
/** Between tries to reach a lost executor that is still a member, and to release a query. */
const TRY_AGAIN_MS = 1_000

/** Where news of one task goes. */
export interface TaskOwner {
  readonly stage: Address<TaskNews>
  readonly partition: number
  readonly attempt: number
}

export type TaskNews =
  | { readonly kind: 'task-status'; readonly partition: number; readonly attempt: number; readonly status: TaskStatus }
  | { readonly kind: 'task-refused'; readonly partition: number; readonly attempt: number; readonly cause: QueryError }

export type ExecutorMessage =
  | { readonly kind: 'connect' }
  | { readonly kind: 'changed'; readonly info: ExecutorInfo }
  | { readonly kind: 'event'; readonly stream: number; readonly event: TaskEvent }
  | { readonly kind: 'stream-ended'; readonly stream: number; readonly reason: unknown }
  | { readonly kind: 'reconnect-over'; readonly stream: number }
  | { readonly kind: 'check' }
  | {
    readonly kind: 'launch'; readonly id: TaskId; readonly query: QueryId; readonly task: TaskDefinitionInit
    readonly owner: TaskOwner
  }
  | { readonly kind: 'launched' }
  | { readonly kind: 'refused'; readonly id: TaskId; readonly cause: QueryError }
  | { readonly kind: 'cancel'; readonly id: TaskId }
  | { readonly kind: 'gone'; readonly id: TaskId }
  /** Exchange files that nobody will read; if it fails, they go with the query. */
  | { readonly kind: 'remove-outputs'; readonly query: QueryId; readonly ids: readonly TaskId[] }
  /** No task of it is to come; if it fails, that goes with the query too. */
  | { readonly kind: 'free-memory'; readonly query: QueryId }
  | { readonly kind: 'freed' }
  /** `keep`: tasks whose results stay, as far as they are there. */
  | { readonly kind: 'release'; readonly query: QueryId; readonly keep: readonly TaskId[] }
  | { readonly kind: 'released'; readonly query: QueryId }
  | { readonly kind: 'release-failed'; readonly query: QueryId }
  | { readonly kind: 'release-again'; readonly query: QueryId }
  | { readonly kind: 'leave'; readonly cause: QueryError }

type Life =
  | { readonly state: 'connecting' }
  | { readonly state: 'alive'; readonly key: MemberKey }
  | { readonly state: 'doubtful'; readonly key: MemberKey }
  | { readonly state: 'lost' }

export class ExecutorActor implements Actor<ExecutorMessage> {
  readonly #channel: ExecutorChannel
  readonly #fleet: Address<FleetMessage>
  readonly #tasks: TaskQueue
  /** With the tasks whose results stay. */
  readonly #toRelease = new Map<QueryId, readonly TaskId[]>()
  /** The last queries that are over: a stage may not have heard of it when it launches. */
  readonly #over = new Set<QueryId>()
  #self: Address<ExecutorMessage> | null = null
  #info: ExecutorInfo
  #life: Life = { state: 'connecting' }
  #lives = 0
  #stream = 0
  #endStream: () => void = () => undefined
  #lastHeardMs = 0

  constructor(info: ExecutorInfo, channel: ExecutorChannel, fleet: Address<FleetMessage>) {
    this.#info = info
    this.#channel = channel
    this.#fleet = fleet
    this.#tasks = new TaskQueue(info.slots * OUTSTANDING_PER_SLOT)
  }

  /** Before the first message: where the channel's callbacks go. */
  begin(self: Address<ExecutorMessage>): void {
    this.#self = self
    self.send({ kind: 'connect' })
  }

  receive(message: ExecutorMessage, context: Context<ExecutorMessage>): void {
    switch (message.kind) {
      case 'connect': return this.#connectAgain(context)
      case 'changed': return this.#changed(message.info)
      case 'event': return this.#event(message.stream, message.event, context)
      case 'stream-ended': return this.#streamEnded(message.stream, message.reason, context)
      case 'reconnect-over': return this.#reconnectOver(message.stream, context)
      case 'check': return this.#check(context)
      case 'launch': return this.#launch(message, context)
      case 'launched': return
      case 'refused': return this.#refused(message.id, message.cause, context)
      case 'cancel': return this.#cancel(message.id, context)
      case 'gone': return this.#gone(message.id, context)
      case 'remove-outputs': return this.#free(() => this.#channel.removeOutputs(message.query, message.ids), context)
      case 'free-memory': return this.#free(() => this.#channel.freeMemory(message.query), context)
      case 'freed': return
      case 'release': return this.#release(message.query, message.keep, context)
      case 'released': { this.#toRelease.delete(message.query); return }
      case 'release-failed': { context.schedule(TRY_AGAIN_MS, { kind: 'release-again', query: message.query }); return }
      case 'release-again': return this.#releaseAgain(message.query, context)
      case 'leave': return this.#leave(message.cause, context)
      default: unreachable(message)
    }
  }

  #connectAgain(context: Context<ExecutorMessage>): void {
    if (this.#life.state === 'connecting' || this.#life.state === 'lost') this.#connect(context)
  }

  #connect(context: Context<ExecutorMessage>): void {
    this.#endStream()
    const stream = ++this.#stream
    const self = this.#self
    this.#lastHeardMs = context.nowMs()
    this.#endStream = this.#channel.watch(
      event => { self?.send({ kind: 'event', stream, event }) },
      reason => { self?.send({ kind: 'stream-ended', stream, reason }) })
    if (stream === 1) context.schedule(HEARTBEAT_MS, { kind: 'check' })
  }

  #changed(info: ExecutorInfo): void {
    this.#info = info
  }

  #event(stream: number, { event }: TaskEvent, context: Context<ExecutorMessage>): void {
    if (stream !== this.#stream) return
    this.#lastHeardMs = context.nowMs()
    switch (event.case) {
      case 'hello': return this.#hello(event.value, context)
      case 'heartbeat': return
      case 'status': return this.#status(event.value, context)
      default: return // a newer executor may say more
    }
  }

  #hello(hello: Extract<TaskEvent['event'], { case: 'hello' }>['value'], context: Context<ExecutorMessage>): void {
    const { id, incarnation } = this.#info
    if (hello.executorId !== id || hello.incarnation !== incarnation || hello.source === undefined) {
      return this.#lost(`another process answers at ${this.#channel.address}`, context)
    }
    switch (this.#life.state) {
      case 'alive': return
      case 'doubtful':
        this.#life = { ...this.#life, state: 'alive' }
        return
      case 'connecting': case 'lost': break
      default: unreachable(this.#life)
    }
    const self = this.#self
    if (self === null) return
    const key = memberKey(id as ExecutorId, incarnation, ++this.#lives)
    this.#life = { state: 'alive', key }
    const { source } = hello
    const member = { key, id: id as ExecutorId, info: this.#info, source, actor: self, channel: this.#channel }
    this.#fleet.send({ kind: 'alive', member })
    for (const [query, keep] of this.#toRelease) this.#release(query, keep, context)
  }

  /** A second try is on its way at once: a process that died refuses it, one that lives repeats what it said. */
  #streamEnded(stream: number, reason: unknown, context: Context<ExecutorMessage>): void {
    if (stream !== this.#stream) return
    const cause = asQueryError(reason).message
    switch (this.#life.state) {
      case 'alive':
        this.#life = { ...this.#life, state: 'doubtful' }
        this.#connect(context)
        context.schedule(RECONNECT_WITHIN_MS, { kind: 'reconnect-over', stream: this.#stream })
        return
      case 'doubtful': return this.#lost(`connection lost: ${cause}`, context)
      case 'connecting': case 'lost':
        this.#stream++
        context.schedule(TRY_AGAIN_MS, { kind: 'connect' })
        return
      default: unreachable(this.#life)
    }
  }

  #reconnectOver(stream: number, context: Context<ExecutorMessage>): void {
    if (this.#life.state !== 'doubtful' || stream !== this.#stream) return
    this.#lost(`no answer within ${RECONNECT_WITHIN_MS} ms after the connection broke`, context)
  }

  #check(context: Context<ExecutorMessage>): void {
    context.schedule(HEARTBEAT_MS, { kind: 'check' })
    const silentMs = context.nowMs() - this.#lastHeardMs
    if (silentMs < LOST_AFTER_MS) return
    if (this.#life.state === 'alive' || this.#life.state === 'doubtful') {
      this.#lost(`no heartbeat for ${LOST_AFTER_MS} ms`, context)
    } else {
      this.#connect(context)
    }
  }

  /** Tells the fleet once for each life, and goes on trying for as long as the executor is a member. */
  #lost(why: string, context: Context<ExecutorMessage>): void {
    const life = this.#life
    this.#endStream()
    this.#stream++
    this.#life = { state: 'lost' }
    this.#tasks.clear()
    context.schedule(TRY_AGAIN_MS, { kind: 'connect' })
    if (life.state !== 'alive' && life.state !== 'doubtful') return
    const cause = new QueryError('EXECUTOR_LOST', `executor ${this.#info.id}: ${why}`)
    this.#fleet.send({ kind: 'lost', key: life.key, cause })
  }

  #launch(message: Extract<ExecutorMessage, { kind: 'launch' }>, context: Context<ExecutorMessage>): void {
    const { id, query, task, owner } = message
    if (this.#over.has(query)) {
      const cause = new QueryError('CANCELLED', `query ${query} is over`)
      owner.stage.send({ kind: 'task-refused', partition: owner.partition, attempt: owner.attempt, cause })
      return
    }
    if (this.#life.state !== 'alive' && this.#life.state !== 'doubtful') {
      const cause = new QueryError('EXECUTOR_LOST', `executor ${this.#info.id} is lost`)
      owner.stage.send({ kind: 'task-refused', partition: owner.partition, attempt: owner.attempt, cause })
      return
    }
    this.#tasks.add({ id, query, task, owner })
    this.#startTasks(context)
  }

  #startTasks(context: Context<ExecutorMessage>): void {
    for (const { id, task } of this.#tasks.start()) {
      context.pipe(this.#channel.launch(task), () => ({ kind: 'launched' }),
        reason => ({ kind: 'refused', id, cause: asQueryError(reason) }))
    }
  }

  /** Of a task that is there only the answer to its launch was lost: its rows may be with a client already. */
  #refused(id: TaskId, cause: QueryError, context: Context<ExecutorMessage>): void {
    if (this.#tasks.isThere(id)) return
    const owner = this.#tasks.remove(id)
    owner?.stage.send({ kind: 'task-refused', partition: owner.partition, attempt: owner.attempt, cause })
    this.#startTasks(context)
  }

  #status(status: TaskStatus, context: Context<ExecutorMessage>): void {
    const id = status.taskId as TaskId
    const ended = status.state.case === 'succeeded' || status.state.case === 'failed'
    const owner = ended ? this.#tasks.remove(id) : this.#tasks.heardOf(id)
    owner?.stage.send({ kind: 'task-status', partition: owner.partition, attempt: owner.attempt, status })
    if (ended) this.#startTasks(context)
  }

  /** Its room is free once the executor has confirmed, or could not be reached. */
  #cancel(id: TaskId, context: Context<ExecutorMessage>): void {
    if (!this.#tasks.disown(id)) return
    context.pipe(this.#channel.cancel(id), () => ({ kind: 'gone', id }), () => ({ kind: 'gone', id }))
  }

  #gone(id: TaskId, context: Context<ExecutorMessage>): void {
    this.#tasks.remove(id)
    this.#startTasks(context)
  }

  /** What a release does anyway: not repeated. */
  #free(call: () => Promise<void>, context: Context<ExecutorMessage>): void {
    if (this.#life.state === 'lost') return
    const done = (): ExecutorMessage => ({ kind: 'freed' })
    context.pipe(call(), done, done)
  }

  #release(query: QueryId, keep: readonly TaskId[], context: Context<ExecutorMessage>): void {
    this.#tasks.drop(query)
    this.#toRelease.set(query, keep)
    this.#over.add(query)
    const [oldest] = this.#over
    if (this.#over.size > OVER_KEPT && oldest !== undefined) this.#over.delete(oldest)
    this.#startTasks(context)
    if (this.#life.state === 'lost') return // said again when it is back
    context.pipe(
      this.#channel.release(query, keep), () => ({ kind: 'released', query }),
      () => ({ kind: 'release-failed', query }),
    )
  }

  #releaseAgain(query: QueryId, context: Context<ExecutorMessage>): void {
    const keep = this.#toRelease.get(query)
    if (keep !== undefined) this.#release(query, keep, context)
  }

  #leave(cause: QueryError, context: Context<ExecutorMessage>): void {
    const life = this.#life
    this.#endStream()
    this.#stream++
    if (life.state === 'alive' || life.state === 'doubtful') this.#fleet.send({ kind: 'lost', key: life.key, cause })
    this.#channel.close()
    context.stop()
  }
}
