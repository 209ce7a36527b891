/**
 * A coordinator's real query service over simulated executors, network and time: clients that read, wait, cancel or
 * leave, and executors that die, hang and come back. One seed is one run.
 */

import { QueryError } from '../../proto/errors.ts'
import type { QueryId, SessionId } from '../../proto/ids.ts'
import { delay } from '../../proto/clock.ts'
import type { Table } from '../../catalog/table.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import type { ResourceGroup } from '../../proto/resource-group.ts'
import { QueryService } from '../../coordinator/query-service.ts'
import type { QueryRequest, RunningQuery } from '../../coordinator/running-query.ts'
import { ENDLESS, FakeExecutor, failures, type World } from './fake-executor.ts'
import { rowsOf } from './fake-task.ts'
import { Network, NetworkChannel, type Faults } from './network.ts'
import { answer, isLimit, isMoved, randomQuery, type Row } from './program.ts'
import { Simulation } from './simulation.ts'
import { skewedClock, type Skew } from './skewed-clock.ts'

export const noFaults: Faults = { loseCall: 0, doubleCall: 0, breakStream: 0, maxDelayMs: 20 }
const DEADLINE_MS = 120_000
const EARLY_CHANCE = 0.1
/** A lease holds so long. */
const LEASE_MS = 10_000

export interface Outcome {
  readonly id: string
  readonly planned: PlannedQuery
  readonly rows: readonly Row[] | null
  readonly error: QueryError | null
  readonly expected: readonly number[]
  readonly endedMs: number
  /** How often an executor died or was cut off: in its life, or so shortly before that it was noticed then. */
  readonly losses: number
}

export interface ClusterOptions {
  readonly executors: number
  readonly faults: Faults
  readonly holdBytes: number
  /** Of each executor; absent: 1 to 2. */
  readonly slots?: number
  readonly groups?: readonly ResourceGroup[]
  /** Of each query; absent: two minutes. */
  readonly deadlineMs?: number
  /** How wrong the clock of each executor is; absent: all have one. */
  readonly skew?: Skew
  /** How long at most a message waits for its actor; absent: it does not. */
  readonly turnMs?: number
}

export interface Submit {
  /** Waits so long for each frame. */
  readonly slowMs?: number
  /** Before it reads at all. */
  readonly first?: Promise<void>
  readonly user?: string
}

export class SimulatedCluster {
  readonly simulation: Simulation
  readonly network: Network
  readonly service: QueryService
  readonly outcomes: Outcome[] = []
  readonly deadlineMs: number
  /** Tables of which a query met a changed file. */
  readonly invalidated: Table[] = []
  readonly #world: World
  readonly #executors = new Map<string, FakeExecutor>()
  readonly #tables: readonly Table[]
  readonly #numbers: readonly (readonly number[])[]
  readonly #plans = new Map<string, PlannedQuery>()
  #incarnations = 0
  #queries = 0
  /** When an executor died or was cut off. */
  readonly #lostMs: number[] = []
  readonly #slots: number | null
  readonly #skew: Skew | null

  constructor(seed: number, options: ClusterOptions) {
    const simulation = new Simulation(seed, EARLY_CHANCE, 0, options.turnMs)
    this.simulation = simulation
    this.deadlineMs = options.deadlineMs ?? DEADLINE_MS
    this.#slots = options.slots ?? null
    this.#skew = options.skew ?? null
    this.network = new Network(simulation, options.faults)
    const made = Array.from({ length: 3 }, (_, i) => makeTable(simulation, i))
    this.#tables = made.map(({ table }) => table)
    this.#numbers = made.map(({ files }) => [...files.values()].flat())
    const files = new Map(made.flatMap(({ files }) => [...files]))
    this.#world = { simulation, files, byFolder: new Map(), maxRunMs: 800, needsBytes: 0n, onResult: () => undefined }
    const plan = (sql: string): PlannedQuery => {
      const planned = this.#plans.get(sql)
      if (planned === undefined) throw new QueryError('SYNTAX_ERROR', 'no such plan')
      return planned
    }
    this.service = new QueryService({
      clock: simulation.clock, universe: simulation.universe,
      planner: {
        names: () => Promise.resolve([]),
        hiding: () => Promise.resolve([]),
        plan: ({ sql }) => delay(simulation.clock, 5).then(() => plan(sql)),
      },
      catalog: {
        resolve: () => Promise.resolve(this.#tables),
        invalidate: tables => { this.invalidated.push(...tables) },
      },
      prune: table => table.files.map(file => ({ file, rowGroups: file.rowGroups.map((_, i) => i) })),
      thresholds: { wholeBytes: 0, broadcastRows: 0, replicateRows: 0, sortRows: 0 },
      connect: info => new NetworkChannel(this.network, this.#process(info.id)),
      newQueryId: () => `q${++this.#queries}` as QueryId,
      ...(options.groups === undefined ? {} : { groups: () => options.groups ?? [] }),
      limits: { deadlineMs: this.deadlineMs, holdBytes: options.holdBytes, maxPartitions: 5 },
      onCrash: (_actor, reason) => { simulation.crashes.push(reason) },
      onFatal: cause => { simulation.crashes.push(cause) },
    })
    for (let i = 0; i < options.executors; i++) this.start(`e${i + 1}`)
  }

  /** From now on tasks that are given less fail for want of memory. */
  needMemory(bytes: bigint): void {
    this.#world.needsBytes = bytes
  }

  get executors(): readonly FakeExecutor[] {
    return [...this.#executors.values()]
  }

  start(id: string): void {
    const slots = this.#slots ?? 1 + this.simulation.draw(0, 2)
    const clock = this.#skew === null ? this.simulation.clock : skewedClock(this.simulation, this.#skew)
    const executor = new FakeExecutor(this.#world, id, `i${++this.#incarnations}`, slots, clock)
    this.#executors.set(id, executor)
    this.service.executorJoined(executor.info)
  }

  /** The process dies; its lease ends later, and it may have started anew before. */
  kill(id: string, backAfterMs: number | null): void {
    const executor = this.#process(id)
    if (!executor.alive) return
    executor.die()
    this.network.cut.delete(executor)
    const { clock } = this.simulation
    const left = (): void => this.service.executorLeft(executor.info)
    this.#lostMs.push(clock.nowMs())
    if (backAfterMs === null || backAfterMs > LEASE_MS) clock.after(LEASE_MS, left)
    if (backAfterMs !== null) clock.after(backAfterMs, () => this.start(id))
  }

  /** What begins there from now on takes so many times longer, and rows of results come so much later. */
  slow(id: string, times: number, rowTimes = 1): void {
    const executor = this.#process(id)
    executor.slowness = times
    executor.rowSlowness = rowTimes
  }

  /** Told as soon as an attempt at a part of a result has ended. */
  onResult(told: (query: string, attempt: number) => void): void {
    this.#world.onResult = told
  }

  /** Neither hears nor is heard for a while, and goes on as if nothing had been. */
  cutOff(id: string, forMs: number): void {
    const executor = this.#process(id)
    if (!executor.alive) return
    this.network.cut.add(executor)
    this.#lostMs.push(this.simulation.clock.nowMs())
    this.simulation.clock.after(forMs, () => { this.network.cut.delete(executor) })
  }

  #process(id: string): FakeExecutor {
    const executor = this.#executors.get(id)
    if (executor === undefined) throw new Error(`no executor ${id}`)
    return executor
  }

  randomQuery(): PlannedQuery {
    return randomQuery(this.simulation, this.#tables.length)
  }

  /** Sends a random query, or `planned`, and reads it to its end. */
  submit(planned = this.randomQuery(), slow: number | Submit = 0): RunningQuery {
    const { slowMs = 0, first, user = 'ann' } = typeof slow === 'number' ? { slowMs: slow } : slow
    const sql = `plan ${this.#plans.size}`
    const fragments = planned.fragments.map(fragment => ({ ...fragment, sql: textOf(planned, fragment.id) }))
    this.#plans.set(sql, { ...planned, fragments })
    const query = this.service.submit({ ...requestOf(sql), principal: user })
    void this.#read(query, planned, slowMs, first)
    return query
  }

  async #read(query: RunningQuery, planned: PlannedQuery, slowMs: number, first?: Promise<void>): Promise<void> {
    const { clock } = this.simulation
    const startedMs = clock.nowMs()
    const rows: Row[] = []
    let error: QueryError | null = null
    try {
      await first
      for await (const frame of query.frames()) {
        rows.push(...rowsOf(frame))
        if (slowMs > 0) await delay(clock, slowMs)
      }
    } catch (thrown) {
      error = thrown instanceof QueryError ? thrown : new QueryError('INTERNAL', `not typed: ${String(thrown)}`)
    }
    query.release()
    const expected = answer(planned, this.#numbers)
    const endedMs = clock.nowMs()
    const losses = this.#lostMs.filter(ms => ms >= startedMs - LEASE_MS).length
    this.outcomes.push({ id: query.id, planned, rows: error === null ? rows : null, error, expected, endedMs, losses })
  }
}

/** What the fake executors read of a fragment. */
function textOf({ fragments }: PlannedQuery, id: number): string {
  const fragment = fragments[id]
  if (fragment === undefined) return 'fail'
  if (fragment.sql in failures || fragment.sql === ENDLESS) return fragment.sql
  const kinds = fragment.inputs.filter(({ kind }) => kind !== 'bounds')
    .map(input => isMoved(input) ? 'moved' : 'copied').join(',')
  const count = fragment.tasks === 'one' ? 'single' : 'several'
  const limit = fragment.maxRows === null ? '' : ` ${isLimit(fragment) ? 'ones' : 'first'}=${fragment.maxRows}`
  return `moved=${kinds} ${count} ${fragment.orderSensitive ? 'sensitive' : 'stable'}${limit}`
}

export function requestOf(sql: string): QueryRequest {
  return {
    sql, defaultCatalog: 'lake', defaultSchema: 'main', settings: {}, principal: 'ann', sessionId: 's1' as SessionId,
    clientInterface: 'HttpQuery',
  }
}

/** Some files of some numbers each, every number a row group of its own. */
function makeTable(simulation: Simulation, index: number): { table: Table; files: Map<string, number[]> } {
  const files = new Map<string, number[]>()
  for (let i = simulation.draw(0, 5); i >= 0; i--) {
    files.set(`t${index}/${i}`, Array.from({ length: simulation.draw(0, 6) }, () => simulation.draw(0, 1000)))
  }
  const dataFiles = [...files].map(([key, numbers]) => ({
    file: { bucket: 'lake', key, etag: '1', sizeBytes: numbers.length * 8 }, shape: 0, hiveValues: [],
    rowCount: numbers.length,
    rowGroups: numbers.map(
      () => ({ rowCount: 1, columns: [{ offset: 0, sizeBytes: 8, min: null, max: null, nullCount: 0 }] }),
    ),
  }))
  const rowCount = dataFiles.reduce((sum, file) => sum + file.rowCount, 0)
  const table: Table = {
    name: { catalog: 'lake', schema: 'main', table: `t${index}` }, version: '1', format: 'parquet',
    columns: [{ name: 'value', type: 'BIGINT' }], hiveKeys: [], shapes: [], filename: null,
    readOptions: {}, files: dataFiles, rowCount,
    sizeBytes: rowCount * 8, skeletonPath: '', distinctCounts: [],
  }
  return { table, files }
}
