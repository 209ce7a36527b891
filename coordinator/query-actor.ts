/**
 * One query from acceptance to its end: plans it, waits for admission, books executors, lets its stages run, hears of
 * losses, and publishes what it is to its handle. See query.ts for its life, stage-board.ts for what is made again.
 */

import { errorAtByte } from '../proto/error-place.ts'
import { asQueryError, QueryError, unreachable } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import { resultLead } from '../proto/result-lead.ts'
import type { Actor, Address, Context } from './actor/actor.ts'
import { Crew } from './crew.ts'
import { MadeResult } from './made-result.ts'
import { takesWork, type Member, type MemberKey } from './member.ts'
import { memoryEstimate } from './memory-estimate.ts'
import { isOrdered, isSingle, planQuery, type PlannedWork } from './plan-query.ts'
import type { QueryActorOptions, QueryMessage } from './query-message.ts'
import { advance, isEnded, type QueryEvent } from './query.ts'
import { SERVED, SharedResult } from './shared-result.ts'
import type { StageBoard } from './stage-board.ts'
import { byCache } from './stage-plans.ts'
import { spawnStages } from './stage-spawn.ts'

/** Between looks at what no message tells: executors to be asked again, readers that have gone quiet. */
const LOOK_MS = 250
/** How long the numbers of tasks may come later than their rows: without them the result is not kept for others. */
const NUMBERS_WITHIN_MS = 2_000

export class QueryActor implements Actor<QueryMessage> {
  readonly #options: QueryActorOptions
  #self: Address<QueryMessage> | null = null
  #members: readonly Member[] = []
  #work: PlannedWork | null = null
  #memoryBytes = 0
  #observedBytes = 0
  #crew = new Crew(0)
  #board: StageBoard | null = null
  #result: MadeResult | null = null
  #freed = false
  #memoryFreed = false
  #shared: SharedResult | null = null
  /** Since when no executor works for it; null: one does. */
  #aloneSinceMs: number | null = null
  /** When it was first seen that every row is here, or with the client. */
  #rowsThereMs: number | null = null
  #cancelLook = (): void => undefined

  constructor(options: QueryActorOptions) {
    this.#options = options
  }

  /** Before the first message: where everyone answers. */
  begin(self: Address<QueryMessage>): void {
    this.#self = self
    self.send({ kind: 'start' })
  }

  /** It threw: what it held is freed all the same. */
  crashed(cause: QueryError): void {
    const { handle } = this.#options
    handle.crashed(cause)
    this.#free()
  }

  receive(message: QueryMessage, context: Context<QueryMessage>): void {
    if (message.kind === 'release') return this.#release(context)
    if (isEnded(this.#options.handle.query)) return
    this.#handle(message, context)
  }

  #handle(message: Exclude<QueryMessage, { kind: 'release' }>, context: Context<QueryMessage>): void {
    switch (message.kind) {
      case 'start': return this.#start(context)
      case 'planned': return this.#planned(message.work, context)
      case 'admitted': return this.#admitted(context)
      case 'refused': return this.#fail(message.cause, context)
      case 'fleet': return this.#fleetChanged(message.members, context)
      case 'executor-lost': return this.#executorLost(message.key, message.cause, context)
      case 'reserved': return this.#reserved(message.key, context)
      case 'not-reserved': return this.#notReserved(message.key, message.cause, context)
      case 'partition-done':
        this.#resultHolds(this.#result?.done(message), () => lost('what the result is made of'), context)
        this.#removeRead(message.stage)
        return this.#progress(context)
      case 'inputs-lost': return this.#onBoard(board => board.inputsLost(message.stage, message.outputs), context)
      case 'wanting':
        this.#crew.widen()
        return this.#askIfStarted(context)
      case 'stage-failed': return this.#stageFailed(message.cause, context)
      case 'failed': return this.#fail(message.cause, context)
      case 'task-report':
        this.#options.tasks.add(message.report, context.nowMs())
        this.#tellMemory()
        return this.#publish()
      case 'result-running': return this.#resultRunning(message, context)
      case 'relay-outgrown':
        this.#apply({ kind: 'outgrown' }, context)
        return this.#offer()
      case 'relay-given': return this.#result?.givenOut(message.part, message.attempt)
      case 'relay-complete': case 'relay-delivered': return this.#complete(context)
      case 'relay-broken': return this.#relayBroken(message, context)
      case 'look': return this.#look(context)
      case 'deadline':
        if (this.#options.handle.offering.isOffered) return // it has run: how long it may be read its tickets say
        return this.#fail(new QueryError('DEADLINE_EXCEEDED', 'the query ran past its deadline'), context)
      case 'cancel': return this.#cancel(message.reason, context)
      default: unreachable(message)
    }
  }

  #start(context: Context<QueryMessage>): void {
    const { ports, handle, limits, fleet } = this.#options
    if (this.#self !== null) fleet.send({ kind: 'subscribe', to: this.#self })
    if (limits.deadlineMs !== null) context.schedule(limits.deadlineMs, { kind: 'deadline' })
    context.pipe(planQuery(handle.request, ports),
      work => ({ kind: 'planned', work }), reason => ({ kind: 'failed', cause: asQueryError(reason) }))
  }

  #planned(work: PlannedWork, context: Context<QueryMessage>): void {
    const { handle, learner, resultKeyOf, results, relay, onAdmitted } = this.#options
    const { planned } = work
    const planMs = context.nowMs() - handle.query.startedMs
    this.#work = work
    handle.planned(planned.columns, work)
    const { fragments, wholeReason } = planned
    this.#shared = new SharedResult(results, relay, resultKeyOf(work))
    const mayShare = this.#shared.isAllowed
    this.#apply({ kind: 'planned', planMs, stageCount: fragments.length, wholeReason, mayShare }, context)
    const memories = this.#members.map(({ info }) => Number(info.memoryBytes))
    this.#memoryBytes = memoryEstimate(planned, work.inputBytes, memories, learner)
    if (!this.#shared.find(this.#members, this.#lead(work), isOrdered(work))) return this.#queue()
    handle.offering.refuse()
    onAdmitted()
    this.#apply({ kind: 'found' }, context)
    this.#lookLater(context)
  }

  /** What another query left is not there any more: the query runs, unless rows of it have gone out. */
  #servedLost(cause: QueryError, context: Context<QueryMessage>): void {
    if (this.#shared?.isServed !== true || this.#options.relay.isComplete) return
    if (!this.#shared.lost()) return this.#fail(cause, context)
    this.#apply({ kind: 'gone' }, context)
    this.#queue()
  }

  #queue(): void {
    const { admission, limits } = this.#options
    if (this.#self === null) return
    const { group, handle: { id, request: { principal: user } } } = this.#options
    const slots = isSingle(this.#work) ? 1 : Math.max(1, this.#members.length)
    const claim = { query: id, user, group, memoryBytes: this.#memoryBytes * slots, slots }
    admission.send({ kind: 'ask', claim, waitMs: limits.queueMs, reply: this.#self })
  }

  #admitted(context: Context<QueryMessage>): void {
    this.#apply({ kind: 'admitted' }, context)
    this.#options.onAdmitted()
    this.#crew = new Crew(isSingle(this.#work) ? 1 : Infinity)
    this.#aloneSinceMs = context.nowMs()
    this.#askCrew(context)
    this.#lookLater(context)
  }

  #askCrew(context: Context<QueryMessage>): void {
    const { handle } = this.#options
    const work = this.#work
    if (work === null) return
    const prefer = (members: readonly Member[]): Member[] => byCache(members, handle.id, work)
    for (const { key, channel } of this.#crew.ask(this.#members.filter(takesWork), prefer, context.nowMs())) {
      context.pipe(channel.reserve(handle.id, this.#memoryBytes),
        () => ({ kind: 'reserved', key }), reason => ({ kind: 'not-reserved', key, cause: asQueryError(reason) }))
    }
  }

  #fleetChanged(members: readonly Member[], context: Context<QueryMessage>): void {
    this.#members = members
    if (this.#crew.update(members)) this.#crewChanged(context)
    this.#askIfStarted(context)
  }

  #reserved(key: MemberKey, context: Context<QueryMessage>): void {
    this.#crew.agreed(key)
    this.#crewChanged(context)
  }

  #notReserved(key: MemberKey, cause: QueryError, context: Context<QueryMessage>): void {
    this.#crew.refused(key, cause, context.nowMs())
    if (isSingle(this.#work)) this.#askCrew(context)
    this.#crewChanged(context)
  }

  #executorLost(key: MemberKey, cause: QueryError, context: Context<QueryMessage>): void {
    this.#members = this.#members.filter(member => member.key !== key)
    this.#crew.lost(key)
    if (this.#shared?.isServedBy(key) === true) this.#servedLost(cause, context)
    this.#onBoard(board => board.executorLost(key, cause), context)
    this.#resultHolds(this.#result?.executorLost(key), () => cause, context)
    this.#askIfStarted(context)
    this.#crewChanged(context)
  }

  #onBoard(change: (board: StageBoard) => void, context: Context<QueryMessage>): void {
    this.#resultHolds(this.#result?.change(change), () => lost('what the result is made of'), context)
  }

  /** Exchange files that the stage was the last to read go now. */
  #removeRead(stage: number): void {
    const query = this.#options.handle.id
    const given = this.#board?.giveUpInputs(stage, query) ?? []
    for (const [key, ids] of given) this.#crew.tell(key, { kind: 'remove-outputs', query, ids })
  }

  /** Nothing is to be run any more: a client that is slow, or does not read, keeps no memory from others. */
  #freeMemory(): void {
    if (this.#memoryFreed || this.#board?.isMade !== true) return
    const { admission, handle: { id: query } } = this.#options
    this.#memoryFreed = true
    admission.send({ kind: 'leave', query })
    this.#crew.tellAll({ kind: 'free-memory', query })
  }

  /** What was guessed too low takes from what others may claim, as soon as it is seen. */
  #tellMemory(): void {
    const { admission, tasks, handle: { id: query } } = this.#options
    const memoryBytes = tasks.peakBytes
    if (memoryBytes <= this.#observedBytes || this.#memoryFreed) return
    this.#observedBytes = memoryBytes
    admission.send({ kind: 'observed', query, memoryBytes })
  }

  #askIfStarted(context: Context<QueryMessage>): void {
    if (this.#needsCrew) this.#askCrew(context)
  }

  /** There is something to run, or soon will be. */
  get #needsCrew(): boolean {
    const { state } = this.#options.handle.query.life
    return state === 'reserving' || state === 'running' || (state === 'delivering' && this.#board?.isMade === false)
  }

  /** Stages begin once everyone has answered; later answers join in. */
  #crewChanged(context: Context<QueryMessage>): void {
    const { ready } = this.#crew
    this.#aloneSinceMs = ready.length > 0 ? null : this.#aloneSinceMs ?? context.nowMs()
    const { state } = this.#options.handle.query.life
    if (state === 'reserving' && ready.length > 0 && this.#crew.settled) this.#begin(context)
    else this.#board?.crew(ready)
  }

  #begin(context: Context<QueryMessage>): void {
    const { handle, universe, group, relay, limits: { maxPartitions }, learner } = this.#options
    const [planned, owner, members] = [this.#work, this.#self, this.#crew.ready]
    if (planned === null || owner === null) return
    this.#apply({ kind: 'reserved' }, context)
    const query = { query: handle.id, request: handle.request, group, memoryBytes: this.#memoryBytes }
    const isReceived = (part: number): boolean => relay.has(part)
    const board = spawnStages({ universe, planned, query, members, maxPartitions, learner, owner, isReceived })
    this.#board = board
    relay.expect(board.results.length, this.#lead(planned), isOrdered(planned))
    this.#result = new MadeResult({ query: handle.id, stage: planned.planned.fragments.length - 1, relay, board })
    board.startReady()
  }

  #lead({ planned: { columns } }: PlannedWork): RawFlightData[] {
    return resultLead(columns, this.#options.handle.request.enums ?? 'text')
  }

  /** False: rows have gone out that do not count any more, unless all of them have: nothing can change those. */
  #resultHolds(holds: boolean | undefined, cause: () => QueryError, context: Context<QueryMessage>): void {
    if (holds !== false) return
    if (this.#options.relay.isComplete) this.#completed(context)
    else this.#fail(cause(), context)
  }

  #resultRunning(message: Extract<QueryMessage, { kind: 'result-running' }>, context: Context<QueryMessage>): void {
    if (message.outgrown) this.#options.handle.offering.refuse()
    const member = this.#crew.ready.find(({ key }) => key === message.key)
    if (member === undefined) return
    const cause = (): QueryError => message.after ?? lost('the executor of the result')
    this.#resultHolds(this.#result?.running(message, member), cause, context)
  }

  #relayBroken(
    { part, attempt, cause }: Extract<QueryMessage, { kind: 'relay-broken' }>, context: Context<QueryMessage>,
  ): void {
    if (attempt === SERVED) return this.#servedLost(cause, context)
    // a task's own failure may come here before the news of it
    const { code, message, position } = cause
    const placed = errorAtByte(code, message, position, this.#options.handle.request.sql)
    this.#resultHolds(this.#result?.broken(part, attempt), () => placed, context)
  }

  #progress(context: Context<QueryMessage>): void {
    this.#result?.again()
    this.#offer()
    this.#publish()
    this.#complete(context)
  }

  /** Once all of it is made, what is too large to be held here may be read where it lies. */
  #offer(): void {
    const { offering, query: { life } } = this.#options.handle
    if (life.state === 'delivering' && this.#board?.isMade === true) offering.made(() => this.#result?.offer() ?? null)
  }

  /** Once every row is here, or with the client, nothing that is lost or fails can change the answer. */
  #stageFailed(cause: QueryError, context: Context<QueryMessage>): void {
    if (this.#options.relay.isComplete) this.#completed(context)
    else this.#fail(cause, context)
  }

  /** That the tasks of the result have succeeded is awaited for their numbers, and so that it can be kept. */
  #complete(context: Context<QueryMessage>): void {
    const isKnown = this.#shared?.isServed === true || this.#board?.isMade === true
    if (this.#options.relay.isComplete && isKnown) this.#completed(context)
  }

  #completed(context: Context<QueryMessage>): void {
    this.#apply({ kind: 'complete', atMs: context.nowMs() }, context)
  }

  /** While it is planned, or waits, there is nothing to look for. */
  #lookLater(context: Context<QueryMessage>): void {
    this.#cancelLook()
    this.#cancelLook = context.schedule(LOOK_MS, { kind: 'look' })
  }

  #look(context: Context<QueryMessage>): void {
    const { limits, relay, handle } = this.#options
    const { state } = handle.query.life
    if (relay.isComplete) this.#rowsThereMs ??= context.nowMs()
    if (context.nowMs() - (this.#rowsThereMs ?? Infinity) >= NUMBERS_WITHIN_MS) return this.#completed(context)
    this.#lookLater(context)
    if (relay.isComplete) return
    this.#freeMemory()
    if (state === 'delivering' && context.nowMs() - relay.lastReadMs > limits.keepResultMs) {
      return this.#cancel(`no row was read for ${limits.keepResultMs} ms`, context)
    }
    if (!this.#needsCrew) return
    this.#askCrew(context)
    if (this.#aloneSinceMs === null || context.nowMs() - this.#aloneSinceMs < limits.executorWaitMs) return
    const cause = this.#crew.lastRefusal
    const full = cause?.code === 'EXECUTOR_FULL' ? cause : null
    this.#fail(full ?? new QueryError('NO_EXECUTOR', 'no executor is there to run the query', { cause }), context)
  }

  #fail(cause: QueryError, context: Context<QueryMessage>): void {
    this.#apply({ kind: 'failed', atMs: context.nowMs(), cause }, context)
  }

  #cancel(reason: string, context: Context<QueryMessage>): void {
    this.#apply({ kind: 'cancelled', atMs: context.nowMs(), cause: new QueryError('CANCELLED', reason) }, context)
  }

  #apply(event: QueryEvent, context: Context<QueryMessage>): void {
    const { handle } = this.#options
    handle.publish(advance(handle.query, event), this.#fraction())
    if (isEnded(handle.query)) this.#ended(context)
  }

  #publish(): void {
    const { handle } = this.#options
    handle.publish(handle.query, this.#fraction())
  }

  #fraction(): number {
    if (this.#board === null || this.#board.total === 0) return 0
    return Math.min(1, (this.#board.done + this.#options.tasks.runningShare) / this.#board.total)
  }

  /** Frees everything but the rows; those go with `release`, which comes by itself if the client forgets. */
  #ended(context: Context<QueryMessage>): void {
    const { handle, relay, ports } = this.#options
    if (handle.query.life.state !== 'finished' || relay.inMemory) this.#free()
    if (handle.error()?.code === 'FILE_CHANGED') ports.catalog.invalidate(this.#work?.tables ?? [])
    context.schedule(this.#options.limits.keepResultMs, { kind: 'release' })
  }

  #free(): void {
    const { handle, admission, fleet } = this.#options
    if (this.#freed) return
    this.#freed = true
    this.#board?.tellAll({ kind: 'stop' })
    admission.send({ kind: 'leave', query: handle.id })
    if (this.#self !== null) fleet.send({ kind: 'unsubscribe', to: this.#self })
    const parts = handle.query.life.state === 'finished' ? this.#result?.partsToKeep(this.#crew.ready) ?? [] : []
    this.#crew.tellAll({ kind: 'release', query: handle.id, keep: this.#shared?.leave(handle.id, parts) ?? [] })
  }

  #release(context: Context<QueryMessage>): void {
    const { handle, relay } = this.#options
    if (!isEnded(handle.query)) this.#cancel('the client has gone', context)
    this.#free()
    relay.release(new QueryError('NOT_FOUND', `the result of query ${handle.id} is not kept any more`))
    context.stop()
  }
}

function lost(what: string): QueryError {
  return new QueryError('EXECUTOR_LOST', `${what} was lost after rows had gone out`)
}
