/**
 * Runs one stage of one query: places its waiting partitions on executors, hears what becomes of them, and tells the
 * query. What it may start, and with which inputs, the query says; see stage.ts for the life it keeps. Each report of
 * a finished partition carries the epoch of the last `again` that was heard, so that the query can tell what it has
 * taken back meanwhile. A task that is much slower than the others is begun a second time elsewhere (stragglers.ts).
 * If it makes a part of the result, whose rows may be with the client, its end is an offer that the query takes or
 * declines, and nothing that runs beside it is cancelled before the answer. Nothing in a stage has effects.
 */

import type { Fragment } from '../planner/fragment.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { TaskStatus } from '../proto/gen/executor_pb.js'
import { errorAtByte } from '../proto/error-place.ts'
import { errorCode, unreachable, type QueryError } from '../proto/errors.ts'
import { taskId, type ExecutorId } from '../proto/ids.ts'
import type { Actor, Address, Context } from './actor/actor.ts'
import { filePlaces } from './file-places.ts'
import { takesWork, type Member, type MemberKey } from './member.ts'
import { secondTryBytes } from './memory-estimate.ts'
import type { MemoryLearner } from './memory-learner.ts'
import { choose, mostBytes, ownerOfPartition, type Loaded, type PlacedTask } from './place.ts'
import { NO_RANGES, stageRanges, type StageRanges } from './ranges.ts'
import { notLaunched, ofTheExecutor, retried, retriedLaunch, wantsOthers } from './retries.ts'
import type { TaskReport } from './running-query.ts'
import { stageSlices, type StageSlices } from './slices.ts'
import { advance, attemptsOf, current, placing, planned, type Attempt, type Stage, type StageEvent } from './stage.ts'
import { StageAttempts } from './stage-attempts.ts'
import type { StageMessage, StageReport } from './stage-message.ts'
import { LOOK_MS } from './stragglers.ts'
import { inputFiles, taskDefinition, type Output, type QueryWork, type StageInputs } from './task-definition.ts'
import { taskReport, type Seen } from './task-report.ts'

/** Before an attempt that failed is tried again: long enough for a full executor to have finished something. */
const RETRY_DELAY_MS = 100

export interface StageOptions {
  readonly work: QueryWork
  readonly fragment: Fragment
  /** One a partition. */
  readonly tasks: readonly PlacedTask[]
  readonly query: Address<StageReport>
  readonly learner: MemoryLearner
}

export class StageActor implements Actor<StageMessage> {
  readonly #options: StageOptions
  #self: Address<StageMessage> | null = null
  #stage: Stage
  #members: readonly Member[] = []
  #inputs: StageInputs = []
  #ranges: StageRanges = NO_RANGES
  /** Undefined: not decided yet. Then never changed: tasks that have ended have read their part by it. */
  #slices: StageSlices | null | undefined
  /** Partitions that have failed for want of memory, and what their second try may use. */
  readonly #moreMemory = new Map<number, number>()
  readonly #attempts = new StageAttempts()
  /** A look is to come. */
  #looks = false
  /** Of the next dispatch whose time is known. A timer may fire a little early: then it is set again. */
  #cancelTimer = (): void => undefined
  #epoch = 0
  /** What each partition's last attempt failed with. */
  readonly #failures = new Map<number, QueryError>()

  constructor(options: StageOptions) {
    this.#options = options
    this.#stage = planned(options.tasks.length)
  }

  /** Before the first message: where executors send the news of its tasks. */
  begin(self: Address<StageMessage>): void {
    this.#self = self
  }

  receive(message: StageMessage, context: Context<StageMessage>): void {
    switch (message.kind) {
      case 'crew':
        this.#members = message.members
        return this.#dispatch(context)
      case 'inputs-ready':
        this.#inputs = message.inputs
        this.#ranges = this.#rangesOf(message.inputs)
        if (this.#slices === undefined) this.#slices = this.#slicesOf(message.inputs)
        this.#advance({ kind: 'inputs-ready' })
        if (this.#attempts.areKnown) this.#lookLater(context)
        return this.#dispatch(context)
      case 'again': return this.#again(message.partitions, message.epoch)
      case 'enough':
        this.#stage.partitions.forEach((_, partition) => this.#cancelOthers(partition, null))
        return this.#advance({ kind: 'enough' })
      case 'executor-lost':
        this.#members = this.#members.filter(({ key }) => key !== message.key)
        this.#leave({ kind: 'executor-lost', member: message.key, cause: message.cause })
        return this.#dispatch(context)
      case 'result-taken': return this.#taken(message.partition, message.attempt, context)
      case 'result-settled':
        this.#settled(message.partition, message.attempt)
        return this.#dispatch(context)
      case 'task-status': return this.#status(message.partition, message.attempt, message.status, context)
      case 'task-refused': {
        const { partition, attempt, cause } = message
        return this.#attemptFailed(partition, attempt, notLaunched(cause), retriedLaunch.has(cause.code), context)
      }
      case 'dispatch': return this.#dispatch(context)
      case 'look':
        this.#looks = false
        return this.#look(context)
      case 'stop': return context.stop()
      default: unreachable(message)
    }
  }

  #rangesOf(inputs: StageInputs): StageRanges {
    const { work: { partitionCount }, fragment: { inputs: read, output } } = this.#options
    const slice = output.kind === 'result' ? output.slice ?? null : null
    return stageRanges(read.map(({ kind }) => kind), inputs, slice, partitionCount)
  }

  #slicesOf(inputs: StageInputs): StageSlices | null {
    const { fragment, tasks } = this.#options
    return stageSlices(fragment.inputs, inputs, tasks.length)
  }

  #advance(event: StageEvent): void {
    const before = this.#stage.life.state
    this.#stage = advance(this.#stage, event)
    const { life } = this.#stage
    if (life.state !== 'failed' || before === 'failed') return
    this.#options.query.send({ kind: 'stage-failed', stage: this.#options.fragment.id, cause: life.cause })
  }

  #again(partitions: ReadonlySet<number>, epoch: number): void {
    this.#epoch = epoch
    for (const partition of partitions) this.#cancelOthers(partition, null)
    this.#advance({ kind: 'again', partitions })
  }

  #attemptsOf(index: number): readonly Attempt[] {
    const partition = this.#stage.partitions[index]
    return partition === undefined ? [] : attemptsOf(partition)
  }

  /** All that run of a partition but the one that has ended. */
  #cancelOthers(partition: number, ended: number | null): void {
    for (const { attempt, member } of this.#attemptsOf(partition)) {
      if (attempt !== ended) this.#cancel(partition, attempt, member)
    }
  }

  #cancel(partition: number, attempt: number, key: MemberKey): void {
    const { work, fragment } = this.#options
    const member = this.#members.find(other => other.key === key)
    member?.actor.send({ kind: 'cancel', id: taskId(work.query, fragment.id, partition, attempt) })
    this.#report(partition, attempt, key, 'cancelled')
  }

  /** Starts what may start; what waits for room is tried again when something changes, the rest when its time comes. */
  #dispatch(context: Context<StageMessage>): void {
    if (this.#stage.life.state !== 'running') return
    const nowMs = context.nowMs()
    const loaded = this.#loaded()
    const keys = loaded.map(({ key }) => key)
    const waiting = this.#stage.partitions.flatMap((each, partition) => {
      const placed = placing(each, keys, nowMs)
      return placed === null ? [] : [{ partition, ...placed, owner: this.#ownerOf(partition) }]
    })
    for (const { partition, member } of choose(waiting.filter(({ notBeforeMs }) => notBeforeMs <= nowMs), loaded)) {
      this.#launch(partition, member, 'launched', context)
    }
    const later = waiting.flatMap(({ notBeforeMs }) => notBeforeMs > nowMs ? [notBeforeMs - nowMs] : [])
    this.#cancelTimer()
    if (later.length > 0) this.#cancelTimer = context.schedule(Math.min(...later), { kind: 'dispatch' })
  }

  #loaded(): Loaded[] {
    const outstanding = new Map<MemberKey, number>()
    for (const partition of this.#stage.partitions) {
      for (const { member } of attemptsOf(partition)) outstanding.set(member, (outstanding.get(member) ?? 0) + 1)
    }
    const open = this.#members.filter(takesWork)
    // one that drains goes on alone with what it has taken
    return (open.length > 0 ? open : this.#members).map(({ key, id, info }) =>
      ({ key, id, slots: Math.max(1, info.slots), outstanding: outstanding.get(key) ?? 0 }))
  }

  /** Slow tasks are begun a second time where a slot is idle. */
  #look(context: Context<StageMessage>): void {
    for (const partition of this.#attempts.slow(this.#stage, context.nowMs())) {
      const avoid = new Set(this.#stage.partitions[partition]?.avoid)
      for (const { member } of this.#attemptsOf(partition)) avoid.add(member)
      const idle = this.#loaded().filter(({ key, slots, outstanding }) => outstanding < slots && !avoid.has(key))
      const [chosen] = choose([{ partition, avoid, owner: this.#ownerOf(partition) }], idle)
      if (chosen !== undefined) this.#launch(partition, chosen.member, 'launched-second', context)
    }
    this.#lookLater(context)
  }

  /** As long as some of its tasks have ended, and some have not. */
  #lookLater(context: Context<StageMessage>): void {
    const { life: { state } } = this.#stage
    if (this.#looks || state !== 'running') return
    this.#looks = true
    context.schedule(LOOK_MS, { kind: 'look' })
  }

  #ownerOf(partition: number): ExecutorId | null {
    const { fragment, tasks } = this.#options
    const owner = tasks[partition]?.owner ?? null
    if (owner !== null && this.#members.some(({ id }) => id === owner)) return owner
    const rooms = this.#members.map(({ id, info }) => ({ id, slots: info.slots }))
    if (fragment.tasks === 'partitions' && !fragment.inputs.some(({ kind }) => kind === 'keep')) {
      return ownerOfPartition(partition, rooms)
    }
    return mostBytes(this.#inputBytesOf(partition), rooms)
  }

  #inputBytesOf(partition: number): Map<ExecutorId, number> {
    const bytes = new Map<ExecutorId, number>()
    const { inputs } = this.#options.fragment
    const place = { inputs: this.#inputs, slices: this.#slices ?? null }
    inputs.forEach((_, i) => {
      for (const { source, sizeBytes } of inputFiles(inputs, i, partition, place)) {
        const id = (source?.executorId ?? '') as ExecutorId
        bytes.set(id, (bytes.get(id) ?? 0) + Number(sizeBytes ?? 0))
      }
    })
    return bytes
  }

  #launch(
    partition: number, key: MemberKey, kind: 'launched' | 'launched-second', context: Context<StageMessage>,
  ): void {
    const { work, fragment, tasks } = this.#options
    const stage = this.#self
    const attempt = this.#stage.partitions[partition]?.attempts
    const member = this.#members.find(other => other.key === key)
    if (stage === null || attempt === undefined || member === undefined) return
    this.#advance({ kind, partition, member: key })
    this.#attempts.launched(partition, attempt, this.#inputs, context.nowMs())
    const { splits = [], restrictions = [], owner = null } = tasks[partition] ?? {}
    const memoryBytes = this.#moreMemory.get(partition) ?? work.memoryBytes
    const task = taskDefinition(work, {
      fragment, partition, attempt, splits, restrictions, memoryBytes,
      inputs: this.#inputs, ranges: this.#ranges, slices: this.#slices ?? null,
      places: filePlaces(this.#members, owner, member.id, attempt),
    })
    const id = taskId(work.query, fragment.id, partition, attempt)
    member.actor.send({ kind: 'launch', id, query: work.query, task, owner: { stage, partition, attempt } })
    this.#report(partition, attempt, key, 'queued')
  }

  #status(partition: number, attempt: number, { state }: TaskStatus, context: Context<StageMessage>): void {
    const now = current(this.#stage, partition, attempt)
    if (now === undefined || now.phase === 'offered') return
    switch (state.case) {
      case 'queued': return
      case 'running':
        this.#attempts.progressed(partition, attempt, state.value.fraction)
        this.#resultRuns(partition, attempt, now.member, state.value)
        this.#report(partition, attempt, now.member, 'running', { fraction: state.value.fraction })
        return
      case 'succeeded': return this.#succeeded(partition, attempt, now.member, state.value, context)
      case 'failed': {
        const { message, position, lostExecutors } = state.value
        const code = errorCode(state.value.code) ?? 'INTERNAL'
        const cause = errorAtByte(code, message, position, this.#options.work.request.sql)
        if (code === 'INPUT_LOST') return this.#inputsLost(partition, attempt, lostExecutors, cause, context)
        const again = (ofTheExecutor.has(code) && this.#attemptsOf(partition).length > 1)
          || (code === 'OUT_OF_MEMORY' ? this.#mayHaveMore(partition, now.member) : retried.has(code))
        return this.#attemptFailed(partition, attempt, cause, again, context)
      }
      default: return // a newer executor may say more
    }
  }

  /** `result`: all of its frames, if the executor has sent them along. */
  #resultRuns(
    partition: number, attempt: number, key: MemberKey,
    { outgrown, result: frames = [] }: { readonly outgrown: boolean; readonly result?: readonly RawFlightData[] },
  ): void {
    const { fragment, query } = this.#options
    if (fragment.output.kind !== 'result') return
    const after = this.#failures.get(partition) ?? null
    const [epoch, beside] = [this.#epoch, this.#beside(partition, attempt)]
    query.send({ kind: 'result-running', partition, attempt, key, epoch, beside, frames, outgrown, after })
  }

  #beside(partition: number, attempt: number): number[] {
    return this.#attemptsOf(partition).flatMap(other => other.attempt === attempt ? [] : [other.attempt])
  }

  /** Attempts go: of a result, one that is left without the other is read from now on. */
  #leave(event: StageEvent): void {
    const before = this.#stage.partitions
    this.#advance(event)
    this.#stage.partitions.forEach((partition, index) => {
      const [left, other] = attemptsOf(partition)
      if (partition === before[index] || left?.phase !== 'runs' || other !== undefined) return
      if (!this.#attempts.isBegun(index, left.attempt)) return
      this.#resultRuns(index, left.attempt, left.member, { outgrown: false })
    })
  }

  #succeeded(
    partition: number, attempt: number, key: MemberKey, state: Succeeded, context: Context<StageMessage>,
  ): void {
    const { files, sample, stats } = state
    const source = this.#members.find(member => member.key === key)?.source
    if (source === undefined) return // it is lost: that message is on its way
    this.#resultRuns(partition, attempt, key, state)
    this.#report(partition, attempt, key, 'succeeded', { fraction: 1, stats })
    const { learner } = this.#options
    if (stats !== undefined && stats.peakBytes > 0n) {
      learner.observe(this.#options.fragment.sql, Number(stats.peakBytes), stats.spilled)
    }
    this.#attempts.succeeded(partition, attempt, context.nowMs())
    const output: Output = { attempt, member: key, source, files, sample }
    const { query, fragment } = this.#options
    const beside = this.#beside(partition, attempt)
    query.send({ kind: 'partition-done', stage: fragment.id, partition, epoch: this.#epoch, output, beside })
    if (fragment.output.kind !== 'result') return this.#taken(partition, attempt, context)
    this.#advance({ kind: 'attempt-ended', partition, attempt })
    this.#lookLater(context)
  }

  /** What the stage gives up for it is cancelled. */
  #settled(partition: number, attempt: number): void {
    const before = this.#attemptsOf(partition)
    this.#advance({ kind: 'attempt-settled', partition, attempt })
    const after = this.#attemptsOf(partition).map(left => left.attempt)
    for (const gone of before) if (!after.includes(gone.attempt)) this.#cancel(partition, gone.attempt, gone.member)
  }

  #taken(partition: number, attempt: number, context: Context<StageMessage>): void {
    if (current(this.#stage, partition, attempt) === undefined) return
    this.#cancelOthers(partition, attempt)
    this.#advance({ kind: 'attempt-done', partition, attempt })
    this.#dispatch(context)
    this.#lookLater(context)
  }

  /** True once a partition: its next attempt gets an instance of its own, with more. */
  #mayHaveMore(partition: number, key: MemberKey): boolean {
    if (this.#moreMemory.has(partition)) return false
    const { work, fragment, learner } = this.#options
    const executorBytes = Number(this.#members.find(member => member.key === key)?.info.memoryBytes ?? 0n)
    const memoryBytes = secondTryBytes(work.memoryBytes, executorBytes)
    this.#moreMemory.set(partition, memoryBytes)
    learner.observe(fragment.sql, memoryBytes, true)
    return true
  }

  #inputsLost(
    partition: number, attempt: number, executors: readonly string[], cause: QueryError, context: Context<StageMessage>,
  ): void {
    const given = this.#attempts.given(partition, attempt).flat()
    const outputs = given.filter(({ source }) => executors.includes(source.executorId))
    this.#attemptFailed(partition, attempt, cause, true, context, outputs.length > 0)
    if (outputs.length === 0 || this.#stage.life.state === 'failed') return
    const { query, fragment } = this.#options
    query.send({ kind: 'inputs-lost', stage: fragment.id, outputs })
  }

  #attemptFailed(
    partition: number, attempt: number, cause: QueryError, retry: boolean, context: Context<StageMessage>, hold = false,
  ): void {
    const now = current(this.#stage, partition, attempt)
    if (now === undefined || now.phase === 'offered') return
    this.#report(partition, attempt, now.member, 'failed')
    this.#failures.set(partition, cause)
    const nowMs = context.nowMs()
    const notBeforeMs = nowMs + RETRY_DELAY_MS
    this.#leave({ kind: 'attempt-failed', partition, attempt, cause, retry, nowMs, notBeforeMs })
    if (hold) this.#advance({ kind: 'again', partitions: new Set() })
    if (retry && wantsOthers.has(cause.code)) this.#options.query.send({ kind: 'wanting' })
    this.#dispatch(context)
  }

  #report(partition: number, attempt: number, key: MemberKey, state: TaskReport['state'], seen: Seen = {}): void {
    const { query, fragment, tasks } = this.#options
    const task = { stage: fragment.id, partition, attempt, key, splits: tasks[partition]?.splits ?? [] }
    query.send({ kind: 'task-report', report: taskReport(task, state, seen) })
  }
}

type Succeeded = Extract<TaskStatus['state'], { case: 'succeeded' }>['value']
