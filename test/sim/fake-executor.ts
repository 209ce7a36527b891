/**
 * One executor process of the simulation: keeps the promises of executor.proto, computes what program.ts says, and may
 * die at any moment with all that it holds. Time is the simulation's.
 */

import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { Clock } from '../../proto/clock.ts'
import { QueryError, type ErrorCode } from '../../proto/errors.ts'
import { executorInfo } from '../../proto/cluster-values.ts'
import type { ExecutorInfo } from '../../proto/gen/cluster_pb.js'
import {
  ExchangeSourceSchema, TaskEventSchema, type TaskEvent, type TaskStatus_FailedSchema, type WrittenFile,
} from '../../proto/gen/executor_pb.js'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { ExecutorId, QueryId, TaskId } from '../../proto/ids.ts'
import type { TaskDefinitionInit } from '../../proto/task.ts'
import { TaskQueue } from '../../executor/task-queue.ts'
import { definitionOf, frameOf, inputKinds, limited, sensitive, single, type Definition } from './fake-task.ts'
import { compute, keyOf, partOf, sliced, type Row } from './program.ts'
import type { Simulation } from './simulation.ts'

type EventInit = NonNullable<Parameters<typeof create<typeof TaskEventSchema>>[1]>['event']
type StatusState = Extract<EventInit, { case: 'status' }>['value']['state']

interface Task {
  readonly definition: Definition
  /** Gives its slot back, or its place in the queue. */
  leave: () => void
  state: 'queued' | 'running' | 'ended'
  status: StatusState
}

/** Of one attempt at a part of a result. */
interface Spool {
  readonly query: string
  readonly partition: number
  readonly frames: RawFlightData[]
  ended: 'no' | 'complete' | QueryError
}

interface Watcher {
  readonly onEvent: (event: TaskEvent) => void
  readonly onDead: () => void
}

/** What all executors share: the tables' files, and each other. */
export interface World {
  readonly simulation: Simulation
  /** Numbers by file key; a row group each number. */
  readonly files: ReadonlyMap<string, readonly number[]>
  /** Live processes by their exchange folder, which no other process ever has. */
  readonly byFolder: Map<string, FakeExecutor>
  /** Tasks that are given less fail for want of memory. */
  needsBytes: bigint
  /** How long tasks run at most. */
  readonly maxRunMs: number
  /** This attempt at a part of a result has ended, which nobody has heard yet. */
  onResult: (query: string, attempt: number) => void
}

type Written = Pick<WrittenFile, 'partition' | 'path' | 'rowCount'>
type Sample = readonly { readonly key: Uint8Array; readonly rows: bigint }[]
type Failed = Pick<MessageInitShape<typeof TaskStatus_FailedSchema>, 'lostExecutors' | 'position'>

/** Few, so that most results have several frames. */
const ROWS_A_FRAME = 3

/** A task with such an SQL text runs until it is cancelled or released. */
export const ENDLESS = 'endless'

/** What a task with such an SQL text ends with. */
export const failures: Readonly<Record<string, readonly [ErrorCode, string, Failed?]>> = {
  fail: ['EXECUTION_ERROR', 'Conversion Error: no number', { position: 5 }],
  changed: ['FILE_CHANGED', "'a' in bucket lake has changed since the query was planned"],
  away: ['UNAVAILABLE', 'bucket lake: no answer'],
  hungry: ['OUT_OF_MEMORY', 'Out of Memory Error: always'],
}

export class FakeExecutor {
  readonly info: ExecutorInfo
  readonly #world: World
  /** Its own: it may be wrong. */
  readonly #clock: Clock
  readonly #reserved = new Set<string>()
  readonly #booked = new Set<string>()
  /** A reservation that was under way when its query was released must not come after it. */
  readonly #released = new Set<string>()
  readonly #tasks = new Map<string, Task>()
  /** By query. */
  readonly #tasksOf = new Map<string, Map<string, Task>>()
  readonly #files = new Map<string, { readonly query: string; readonly rows: readonly Row[] }>()
  readonly #spools = new Map<string, Spool>()
  /** Results that outlive their queries. */
  readonly #kept = new Map<string, Spool>()
  readonly #watchers = new Set<Watcher>()
  readonly #queue: TaskQueue
  /** Slot time that ended tasks have used, by resource group. */
  readonly usedMs = new Map<string, number>()
  #alive = true
  /** Its tasks take so many times longer. */
  slowness = 1
  /** The rows of a result come so many times more slowly. */
  rowSlowness = 1
  /** Exchange files that went before their query. */
  removedFiles = 0

  constructor(world: World, id: string, incarnation: string, slots: number, clock = world.simulation.clock) {
    this.#world = world
    this.#clock = clock
    this.info = executorInfo({ id, incarnation, address: `${id}:1`, slots, memoryBytes: 1n << 30n, state: 1 })
    this.#queue = new TaskQueue(slots, clock)
    world.byFolder.set(this.#folder, this)
    this.#beat()
  }

  get id(): ExecutorId {
    return this.info.id as ExecutorId
  }

  get alive(): boolean {
    return this.#alive
  }

  get #folder(): string {
    return `/${this.info.id}/${this.info.incarnation}`
  }

  /** With everything that it holds. */
  die(): void {
    this.#alive = false
    this.#world.byFolder.delete(this.#folder)
    for (const { onDead } of this.#watchers) onDead()
    this.#watchers.clear()
  }

  /** What is left of queries here; nothing, once they are over. */
  leftovers(): string[] {
    return [
      ...[...this.#reserved].map(query => `reservation of ${query}`),
      ...[...this.#tasks.keys()].map(task => `task ${task}`),
      ...[...this.#files.keys()].map(path => `file ${path}`),
      ...[...this.#spools.keys()].map(task => `spool of ${task}`),
    ].map(text => `${this.id}: ${text}`)
  }

  reserve(query: QueryId): void {
    if (this.#released.has(query)) throw new QueryError('CANCELLED', `query ${query} is over`)
    this.#reserved.add(query)
    this.#booked.add(query)
  }

  release(query: QueryId, keep: readonly TaskId[]): void {
    for (const task of keep) {
      const left = this.#spools.get(task)
      // there may be no room
      if (left?.ended === 'complete' && this.#world.simulation.chance(0.8)) this.#kept.set(task, left)
    }
    this.#released.add(query)
    this.#reserved.delete(query)
    this.#booked.delete(query)
    for (const [id, task] of this.#tasksOf.get(query) ?? []) {
      this.#tasks.delete(id)
      task.leave()
    }
    this.#tasksOf.delete(query)
    this.#queue.forget(query)
    for (const [path, file] of this.#files) if (file.query === query) this.#files.delete(path)
    for (const [task, spool] of this.#spools) {
      if (spool.query !== query) continue
      if (spool.ended === 'no') spool.ended = new QueryError('CANCELLED', 'released')
      this.#spools.delete(task)
    }
  }

  removeOutputs(query: QueryId, tasks: readonly TaskId[]): void {
    for (const id of tasks) {
      if (this.#tasks.get(id)?.state !== 'ended') continue
      for (const [path, file] of this.#files) {
        if (file.query !== query || !path.startsWith(`${id}/`)) continue
        this.#files.delete(path)
        this.removedFiles++
      }
    }
  }

  freeMemory(query: QueryId): void {
    const runs = [...this.#tasksOf.get(query)?.values() ?? []].some(({ state }) => state !== 'ended')
    if (!runs) this.#booked.delete(query)
  }

  /** Queries with memory booked here. */
  get booked(): ReadonlySet<string> {
    return this.#booked
  }

  launch(init: TaskDefinitionInit): void {
    const definition = definitionOf(init)
    if (!this.#reserved.has(definition.queryId)) throw new QueryError('NOT_FOUND', 'the query is not reserved')
    if (this.#tasks.has(definition.taskId)) return
    const { queryId, taskId, partition, output } = definition
    if (output?.case === 'result') {
      for (const [other, spool] of this.#spools) {
        if (spool.query === queryId && spool.partition === partition) this.#spools.delete(other)
      }
      this.#spools.set(taskId, { query: queryId, partition, frames: [frameOf([])], ended: 'no' })
    }
    const task: Task = { definition, state: 'queued', status: { case: 'queued', value: {} }, leave: () => undefined }
    this.#tasks.set(taskId, task)
    const own = this.#tasksOf.get(queryId) ?? new Map<string, Task>()
    this.#tasksOf.set(queryId, own.set(taskId, task))
    const { resourceGroup: group, weight, principal: user } = definition
    const share = { group, weight: Math.max(1, weight), user, query: queryId }
    const unqueue = this.#queue.push(share, () => this.#run(task))
    task.leave = () => { unqueue() }
  }

  cancel(id: TaskId): void {
    const task = this.#tasks.get(id)
    if (task !== undefined && task.state !== 'ended') this.#fail(task, 'CANCELLED', 'cancelled')
  }

  /** `onDead`: the connection is reset. */
  watch(onEvent: (event: TaskEvent) => void, onDead: () => void): () => void {
    const { id, incarnation } = this.info
    const source = create(ExchangeSourceSchema, { executorId: id, address: this.info.address, folder: this.#folder })
    onEvent(create(TaskEventSchema, { event: { case: 'hello', value: { executorId: id, incarnation, source } } }))
    for (const task of this.#tasks.values()) onEvent(this.#event(task))
    const watcher = { onEvent, onDead }
    this.#watchers.add(watcher)
    return () => { this.#watchers.delete(watcher) }
  }

  /** Makes room for others. */
  forgetKept(): void {
    this.#kept.clear()
  }

  /** The frame, null for the end of the result, or undefined: not made yet. */
  frame(query: QueryId, task: TaskId, index: number): RawFlightData | null | undefined {
    const spool = this.#spools.get(task) ?? this.#kept.get(task)
    if (spool?.query !== query) throw new QueryError('NOT_FOUND', `no result of ${query}`)
    const frame = spool.frames[index]
    if (frame !== undefined) return frame
    if (spool.ended === 'complete') return null
    if (spool.ended === 'no') return undefined
    throw spool.ended
  }

  read(path: string): readonly Row[] | undefined {
    return this.#files.get(path)?.rows
  }

  #beat(): void {
    if (!this.#alive) return
    this.#tell(create(TaskEventSchema, { event: { case: 'heartbeat', value: {} } }))
    this.#clock.after(1_000, () => this.#beat())
  }

  #tell(event: TaskEvent): void {
    for (const { onEvent } of this.#watchers) onEvent(event)
  }

  #event({ definition, status }: Task): TaskEvent {
    const value = { taskId: definition.taskId, ...(status === undefined ? {} : { state: status }) }
    return create(TaskEventSchema, { event: { case: 'status', value } })
  }

  /** Resolves when its slot is free again. */
  #run(task: Task): Promise<void> {
    const { simulation, maxRunMs } = this.#world
    const clock = this.#clock
    const startedMs = clock.nowMs()
    const group = task.definition.resourceGroup
    task.state = 'running'
    this.#become(task, { case: 'running', value: {} })
    // reads its inputs, then works, then writes
    const isEndless = task.definition.sql === ENDLESS
    if (!isEndless) clock.after(this.slowness * simulation.draw(1, maxRunMs / 2), () => this.#readInputs(task))
    return new Promise(resolve => {
      task.leave = () => {
        task.leave = () => undefined // it ends once, though its query's release comes to it too
        this.usedMs.set(group, (this.usedMs.get(group) ?? 0) + clock.nowMs() - startedMs)
        resolve()
      }
    })
  }

  #become(task: Task, status: StatusState): void {
    task.status = status
    this.#tell(this.#event(task))
  }

  #goesOn(task: Task): boolean {
    return this.#alive && task.state === 'running' && this.#tasks.get(task.definition.taskId) === task
  }

  #fail(task: Task, code: ErrorCode, message: string, more: Failed = {}): void {
    task.state = 'ended'
    const spool = this.#spools.get(task.definition.taskId)
    if (spool?.ended === 'no') spool.ended = new QueryError(code, message)
    this.#become(task, { case: 'failed', value: { code, message, ...more } })
    task.leave()
  }

  #readInputs(task: Task): void {
    if (!this.#goesOn(task)) return
    const { simulation, byFolder, maxRunMs } = this.#world
    const { definition } = task
    const failure = failures[definition.sql]
    if (failure !== undefined) return this.#fail(task, ...failure)
    const isShort = definition.memoryBytes < this.#world.needsBytes
    if (isShort) return this.#fail(task, 'OUT_OF_MEMORY', 'Out of Memory Error: not enough')
    const own: Row[] = []
    for (const { splits = [] } of definition.scans) {
      for (const { file, fromRow = 0n, toRow = 0n } of splits) {
        const rows = this.#world.files.get(file?.key ?? '') ?? []
        for (const value of rows.slice(Number(fromRow), toRow === 0n ? undefined : Number(toRow))) {
          own.push({ value, marks: [] })
        }
      }
    }
    const copied: Row[] = []
    const lost = new Set<string>()
    const kinds = inputKinds(definition)
    definition.inputs.forEach((input, i) => {
      for (const { source, path = '' } of input.files ?? []) {
        const rows = byFolder.get(source?.folder ?? '')?.read(path)
        if (rows === undefined) lost.add(source?.executorId ?? '')
        else if (kinds[i] === 'moved') own.push(...rows)
        else copied.push(...rows)
      }
    })
    if (lost.size > 0) return this.#fail(task, 'INPUT_LOST', 'could not read', { lostExecutors: [...lost] })
    this.#clock.after(this.slowness * simulation.draw(1, maxRunMs / 2), () => this.#write(task, own, copied))
  }

  #write(task: Task, own: readonly Row[], copied: readonly Row[]): void {
    if (!this.#goesOn(task)) return
    const { definition } = task
    const { stage, partition, attempt, output } = definition
    const computed = limited(definition, compute(own, copied, single(definition)))
    const mark = sensitive(definition) ? [`${stage}.${partition}@${attempt}`] : []
    const marked = computed.map(({ value, marks }) => ({ value, marks: [...marks, ...mark] }))
    const { simulation } = this.#world
    switch (output?.case) {
      case 'result': return this.#spool(task, sliced(marked, output.value))
      case 'sample': {
        const seen = marked.filter(() => simulation.chance(0.5)).map(({ value }) => ({ key: keyOf(value), rows: 1n }))
        return this.#succeed(task, [], seen)
      }
      case 'exchange': {
        const turn = sensitive(definition) ? attempt * 31 : 0
        return this.#succeed(task, this.#divide(task, marked, row => partOf(row, output.value, turn)))
      }
      default: return this.#fail(task, 'INTERNAL', 'a task without an output')
    }
  }

  #divide(
    { definition: { taskId, queryId } }: Task, rows: readonly Row[], part: (row: Row) => number,
  ): Written[] {
    const parts = new Map<number, Row[]>()
    for (const row of rows) {
      const partition = part(row)
      const own = parts.get(partition)
      if (own === undefined) parts.set(partition, [row])
      else own.push(row)
    }
    return [...parts].map(([partition, own]) => {
      const path = `${taskId}/${partition}`
      this.#files.set(path, { query: queryId, rows: own })
      return { partition, path, rowCount: BigInt(own.length) }
    })
  }

  #spool(task: Task, rows: readonly Row[]): void {
    const { simulation } = this.#world
    const spool = this.#spools.get(task.definition.taskId)
    if (!this.#goesOn(task)) return
    if (spool === undefined) return this.#fail(task, 'CANCELLED', 'the result is made again')
    if (rows.length === 0) {
      spool.ended = 'complete'
      return this.#succeed(task, [])
    }
    spool.frames.push(frameOf(rows.slice(0, ROWS_A_FRAME)))
    this.#clock.after(this.rowSlowness * simulation.draw(1, 50), () => this.#spool(task, rows.slice(ROWS_A_FRAME)))
  }

  #succeed(task: Task, files: readonly Written[], sample: Sample = []): void {
    task.state = 'ended'
    const written = files.map(file => ({ ...file, sizeBytes: 10n }))
    const { output, taskId } = task.definition
    if (output?.case === 'result') this.#world.onResult(task.definition.queryId, task.definition.attempt)
    const isSent = output?.case === 'result' && this.#world.simulation.chance(0.5)
    const result = isSent ? this.#spools.get(taskId)?.frames ?? [] : []
    this.#become(task, { case: 'succeeded', value: { files: written, result: [...result], sample: [...sample] } })
    task.leave()
  }
}
