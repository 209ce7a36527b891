/**
 * The door to queries: accepts statements, knows all that run and the last that ended, and the executors. Faces get
 * a RunningQuery and know nothing of what is behind it. main.ts joins the ports and tells it who joins and leaves.
 */

import type { Table, TableColumn } from '../catalog/table.ts'
import type { Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import type { ExecutorId, QueryId } from '../proto/ids.ts'
import { DEFAULT_GROUP, groupOf, type ResourceGroup } from '../proto/resource-group.ts'
import type { Address } from './actor/actor.ts'
import { Universe } from './actor/universe.ts'
import { AdmissionActor, type AdmissionMessage } from './admission-actor.ts'
import type { ExecutorChannel } from './executor-channel.ts'
import { FleetActor, type ExecutorView, type FleetMessage } from './fleet-actor.ts'
import { cachedBytes, type MeasureCache } from './explain-cached.ts'
import { Analyzed, type ExplainFormat, type KeptQuery } from './explain-query.ts'
import { explain, type Ground } from './explain.ts'
import type { Explanation } from './explanation.ts'
import { planQuery, type PlannedWork, type PlanPorts } from './plan-query.ts'
import { MemoryLearner } from './memory-learner.ts'
import { QueryActor } from './query-actor.ts'
import { QueryHandle } from './query-handle.ts'
import { Intake } from './intake.ts'
import type { QueryMessage } from './query-message.ts'
import { defaultLimits, limitsOf, type QueryLimits } from './query-limits.ts'
import { accepted } from './query.ts'
import { ResultIndex, type ResultCounts } from './result-index.ts'
import { resultKey } from './result-key.ts'
import { ResultRelay } from './result-relay.ts'
import type { QueryRequest, RunningQuery } from './running-query.ts'
import { SlowReaders } from './slow-readers.ts'
import { TaskBoard } from './task-board.ts'

/** Reports of tasks kept over all ended queries; each is some hundred bytes. */
const MAX_ENDED_TASKS = 100_000
/** Reports of tasks that wait for one query: they come in bursts and are read at once. */
const QUERY_MAILBOX = 65_536

/** Some of a thousand queries will have ended by then. */
const HOUSE_FULL_RETRY_MS = 2_000

/** Without a session's own, answers must not depend on where the coordinator or an executor stands. */
const TIME_ZONE = 'TimeZone'
const DEFAULT_TIME_ZONE = 'UTC'

export interface QueryWatcher {
  started(query: KeptQuery): void
  ended(query: KeptQuery): void
  /** A statement was turned away because too many wait. */
  refused(): void
}

export interface QueryServiceOptions extends PlanPorts {
  readonly clock: Clock
  readonly connect: (info: ExecutorInfo) => ExecutorChannel
  readonly newQueryId: () => QueryId
  /** Throws UNAVAILABLE while this coordinator may take no new query. Absent: it always may. */
  readonly checkMembership?: () => void
  readonly limits?: Partial<QueryLimits>
  /** For those who count: each query is told of once at its start and once at its end. */
  readonly watcher?: QueryWatcher
  /** As they are now; the last one is the default group. Absent: there is no other. */
  readonly groups?: () => readonly ResourceGroup[]
  /** Of a bucket, by its name in the configuration; absent: none is. For explanations. */
  readonly isRemote?: (bucket: string) => boolean
  /** What executors have of remote files; absent: nothing is known. */
  readonly measureCache?: MeasureCache
  /** False: a change of the table's files might go unseen, so results over it are not shared. Absent: none might. */
  readonly isSettled?: (table: Table) => boolean
  /** An actor crashed: our own fault, to be logged. `fatal`: nothing can be scheduled any more. */
  readonly onCrash: (actor: string, reason: unknown) => void
  readonly onFatal: (cause: QueryError) => void
  /** Given by simulations. */
  readonly universe?: Universe
}

export class QueryService {
  /** Of all results of the coordinator. */
  readonly slowReaders: SlowReaders
  readonly #options: QueryServiceOptions
  readonly #limits: QueryLimits
  readonly #universe: Universe
  readonly #fleet: Address<FleetMessage>
  readonly #admission: Address<AdmissionMessage>
  readonly #running = new Map<QueryId, KeptQuery>()
  /** Of those that run. */
  readonly #ends = new Map<QueryId, (cause: QueryError) => void>()
  /** Oldest first. */
  readonly #ended = new Map<QueryId, KeptQuery>()
  readonly #learner = new MemoryLearner()
  readonly #intake = new Intake()
  readonly #results = new ResultIndex()
  #endedTasks = 0
  #executors: readonly ExecutorView[] = []
  #channels: ReadonlyMap<string, ExecutorChannel> = new Map()

  constructor(options: QueryServiceOptions) {
    const { clock, onCrash, onFatal, connect } = options
    this.#options = options
    this.slowReaders = new SlowReaders(clock)
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#universe = options.universe ?? new Universe({ clock, onCrash })
    this.#admission = this.#universe.spawn(
      'admission', new AdmissionActor(), { capacity: QUERY_MAILBOX, heir: onFatal },
    )
    const fleet = new FleetActor({
      universe: this.#universe, connect, publish: (executors, channels) => this.#fleetChanged(executors, channels),
    })
    this.#fleet = this.#universe.spawn('fleet', fleet, { capacity: QUERY_MAILBOX, heir: onFatal })
    fleet.begin(this.#fleet)
  }

  /**
   * Accepts a statement and starts it. Throws INVALID_REQUEST for an id that is in use, QUERY_QUEUE_FULL at the limit,
   * UNAVAILABLE when the cluster's store has been away for too long.
   */
  submit(request: QueryRequest): RunningQuery {
    return this.#start(request, handle => handle)
  }

  /** The statement as EXPLAIN ANALYZE: it runs, and what was seen is the one row of its answer. */
  analyze(request: QueryRequest, format: ExplainFormat): Analyzed {
    const run = { ...request, explain: true, cache: false }
    return this.#start(run, handle => new Analyzed(handle, format, () => this.#ground()))
  }

  /** What would be done for the statement. */
  async explain(request: QueryRequest): Promise<Explanation> {
    const { clock } = this.#options
    const startedMs = clock.nowMs()
    const work = await planQuery({ ...withDefaults(request), explain: true }, this.#options)
    const planMs = clock.nowMs() - startedMs
    const { measureCache } = this.#options
    const cached = measureCache === undefined ? undefined : await cachedBytes(work, this.#ground(), measureCache)
    return explain(request.sql, work, planMs, this.#ground(), {
      dialect: request.dialect ?? null, ...(cached === undefined ? {} : { cached }),
    })
  }

  /** The columns of a statement, which does not run. */
  async describe(request: QueryRequest): Promise<readonly TableColumn[]> {
    return (await planQuery(withDefaults(request), this.#options)).planned.columns
  }

  #ground(): Ground {
    const active = this.#executors.filter(({ state }) => state === 'active')
    return {
      rooms: active.map(({ info }) => ({ id: info.id as ExecutorId, slots: info.slots })),
      isRemote: this.#options.isRemote ?? (() => false),
    }
  }

  #newId(request: QueryRequest): QueryId {
    const id = request.queryId ?? this.#options.newQueryId()
    if (this.get(id) !== null) throw new QueryError('INVALID_REQUEST', `query id ${id} is in use`)
    this.checkRoom(request.principal)
    return id
  }

  #start<Shown extends KeptQuery>(request: QueryRequest, show: (handle: QueryHandle) => Shown): Shown {
    const { clock, checkMembership } = this.#options
    checkMembership?.()
    const id = this.#newId(request)
    const group = this.#groupOf(request.principal)
    const limits = limitsOf(group, this.#limits)
    this.#intake.enter(id, request.principal, group)
    let address: Address<QueryMessage> | null = null
    const tell = (message: QueryMessage): void => { address?.send(message) }
    const { slowReaders } = this
    const relay = new ResultRelay({ clock, holdBytes: this.#limits.holdBytes, slowReaders, tell })
    const tasks = new TaskBoard()
    const handle = new QueryHandle(accepted(id, withDefaults(request), clock.nowMs()), {
      clock, relay, tasks,
      cancel: reason => tell({ kind: 'cancel', reason }),
      release: () => tell({ kind: 'release' }),
      onEnd: () => this.#remember(shown),
    })
    const shown = show(handle)
    const actor = new QueryActor({
      universe: this.#universe, ports: this.#options, fleet: this.#fleet, admission: this.#admission,
      group, limits, onAdmitted: () => this.#intake.admitted(id, clock.nowMs()),
      handle, relay, tasks, learner: this.#learner, results: this.#results,
      resultKeyOf: work => this.#resultKey(handle.request, work),
    })
    this.#running.set(id, shown)
    this.#ends.set(id, cause => tell({ kind: 'failed', cause }))
    this.#options.watcher?.started(shown)
    address = this.#universe.spawn(`query ${id}`, actor, {
      capacity: QUERY_MAILBOX, heir: cause => { actor.crashed(cause) },
    })
    actor.begin(address)
    return shown
  }

  /** Throws QUERY_QUEUE_FULL if no other would be accepted now. */
  checkRoom(principal: string): void {
    try {
      this.#checkRoom(principal)
    } catch (refusal) {
      this.#options.watcher?.refused()
      throw refusal
    }
  }

  #checkRoom(principal: string): void {
    if (this.#running.size >= this.#limits.maxQueries) {
      const retryAfterMs = HOUSE_FULL_RETRY_MS
      throw new QueryError('QUERY_QUEUE_FULL', `${this.#running.size} queries run or wait already`, { retryAfterMs })
    }
    this.#intake.check(principal, this.#groupOf(principal))
  }

  #groupOf(principal: string): ResourceGroup {
    return groupOf(this.#options.groups?.() ?? [DEFAULT_GROUP], principal)
  }

  /** Queries that run, and that are planned or wait. */
  get load(): { readonly running: number; readonly waiting: number } {
    const waiting = this.#intake.size
    return { running: this.#running.size - waiting, waiting }
  }

  /** Those that run, and the last that ended: newest first. */
  list(): readonly RunningQuery[] {
    return [...this.#ended.values(), ...this.#running.values()].reverse()
  }

  get(id: QueryId): RunningQuery | null {
    return this.#running.get(id) ?? this.#ended.get(id) ?? null
  }

  /** False if no such query runs. */
  kill(id: QueryId, reason = 'killed by an operator'): boolean {
    const handle = this.#running.get(id)
    handle?.cancel(reason)
    return handle !== undefined
  }

  /** What became of kept results, since the start. */
  resultCounts(): ResultCounts {
    return this.#results.counts
  }

  #resultKey(request: QueryRequest, work: PlannedWork): string | null {
    const { isSettled = () => true } = this.#options
    return this.#limits.shareResults && work.tables.every(isSettled) ? resultKey(request, work) : null
  }

  executors(): readonly ExecutorView[] {
    return this.#executors
  }

  /** It takes no new query, or takes them again. NOT_FOUND for one that is not heard. */
  async setDraining(executor: string, draining: boolean): Promise<void> {
    const channel = this.#channels.get(executor)
    if (channel === undefined) throw new QueryError('NOT_FOUND', `no executor ${executor} is heard`)
    await channel.setDraining(draining)
  }

  executorJoined(info: ExecutorInfo): void {
    this.#fleet.send({ kind: 'joined', info })
  }

  executorChanged(info: ExecutorInfo): void {
    this.#fleet.send({ kind: 'changed', info })
  }

  executorLeft(info: ExecutorInfo): void {
    this.#fleet.send({ kind: 'left', info })
  }

  /** Ends what runs with UNAVAILABLE: another coordinator may do it. Executors free what they hold of it. */
  close(reason: string): void {
    for (const end of this.#ends.values()) end(new QueryError('UNAVAILABLE', reason))
  }

  #fleetChanged(executors: readonly ExecutorView[], channels: ReadonlyMap<string, ExecutorChannel>): void {
    this.#executors = executors
    this.#channels = channels
    const alive = executors.filter(({ state }) => state === 'active')
    const memoryBytes = alive.reduce((sum, { info }) => sum + Number(info.memoryBytes), 0)
    const slots = alive.reduce((sum, { info }) => sum + info.slots, 0)
    this.#admission.send({ kind: 'budget', memoryBytes, slots })
  }

  #remember(handle: KeptQuery): void {
    this.#running.delete(handle.id)
    this.#ends.delete(handle.id)
    this.#intake.left(handle.id)
    this.#options.watcher?.ended(handle)
    this.#ended.set(handle.id, handle)
    this.#endedTasks += handle.taskCount
    for (const [id, oldest] of this.#ended) {
      if (this.#ended.size <= this.#limits.maxEnded && this.#endedTasks <= MAX_ENDED_TASKS) return
      this.#ended.delete(id)
      this.#endedTasks -= oldest.taskCount
    }
  }
}

function withDefaults(request: QueryRequest): QueryRequest {
  return { ...request, settings: { [TIME_ZONE]: DEFAULT_TIME_ZONE, ...request.settings } }
}
