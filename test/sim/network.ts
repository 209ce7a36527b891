/**
 * The way to the executors of a simulation: calls may be late, lost on the way there or back, or arrive twice; a stream
 * gives its messages in order but late, and may break; an executor may be cut off for a while, and then is silent. As
 * with TCP, a broken stream or a dead process is told at once, a cut is not told at all.
 */

import { asQueryError, QueryError } from '../../proto/errors.ts'
import { delay } from '../../proto/clock.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { TaskEvent } from '../../proto/gen/executor_pb.js'
import type { ExecutorChannel } from '../../coordinator/executor-channel.ts'
import type { QueryId, TaskId } from '../../proto/ids.ts'
import type { TaskDefinitionInit } from '../../proto/task.ts'
import type { FakeExecutor } from './fake-executor.ts'
import type { Simulation } from './simulation.ts'

const CALL_DEADLINE_MS = 10_000
/** Between looks for a frame that is not made yet. */
const WAIT_MS = 40

export interface Faults {
  /** Probability that a call is lost there or back, each. */
  readonly loseCall: number
  readonly doubleCall: number
  /** Probability for each message of a stream that the stream breaks with it. */
  readonly breakStream: number
  readonly maxDelayMs: number
}

export class Network {
  readonly simulation: Simulation
  faults: Faults
  /** Executors that nothing reaches and that reach nothing. */
  readonly cut = new Set<FakeExecutor>()

  constructor(simulation: Simulation, faults: Faults) {
    this.simulation = simulation
    this.faults = faults
  }

  lateMs(): number {
    return this.simulation.draw(0, this.faults.maxDelayMs)
  }

  /** Resolves when the executor can be reached. */
  async reach(executor: FakeExecutor): Promise<void> {
    await delay(this.simulation.clock, this.lateMs())
    while (this.cut.has(executor)) await delay(this.simulation.clock, 100)
  }
}

export class NetworkChannel implements ExecutorChannel {
  readonly address: string
  readonly #network: Network
  readonly #executor: FakeExecutor

  constructor(network: Network, executor: FakeExecutor) {
    this.#network = network
    this.#executor = executor
    this.address = executor.info.address
  }

  reserve(query: QueryId, _memoryBytes: number): Promise<void> {
    return this.#call(() => this.#executor.reserve(query))
  }

  launch(task: TaskDefinitionInit): Promise<void> {
    return this.#call(() => this.#executor.launch(task))
  }

  cancel(task: TaskId): Promise<void> {
    return this.#call(() => this.#executor.cancel(task))
  }

  removeOutputs(query: QueryId, tasks: readonly TaskId[]): Promise<void> {
    return this.#call(() => this.#executor.removeOutputs(query, tasks))
  }

  freeMemory(query: QueryId): Promise<void> {
    return this.#call(() => this.#executor.freeMemory(query))
  }

  release(query: QueryId, keep: readonly TaskId[]): Promise<void> {
    return this.#call(() => this.#executor.release(query, keep))
  }

  setDraining(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {
    // nothing is kept open
  }

  watch(onEvent: (event: TaskEvent) => void, onEnd: (reason: unknown) => void): () => void {
    const stop = new AbortController()
    void this.#stream(onEvent, stop.signal).catch((reason: unknown) => { if (!stop.signal.aborted) onEnd(reason) })
    return () => stop.abort()
  }

  async *fetchResult(
    query: QueryId, task: TaskId, fromFrame: number, signal: AbortSignal,
  ): AsyncGenerator<RawFlightData> {
    const { simulation } = this.#network
    for (let i = fromFrame; !signal.aborted;) {
      await this.#network.reach(this.#executor)
      this.#mustLive()
      const frame = this.#executor.frame(query, task, i)
      if (frame === null) return
      if (frame === undefined) {
        await delay(simulation.clock, WAIT_MS)
        continue
      }
      if (simulation.chance(this.#network.faults.breakStream)) throw new QueryError('UNAVAILABLE', 'stream broke')
      i++
      yield frame
    }
    throw new QueryError('CANCELLED', 'aborted')
  }

  async #stream(onEvent: (event: TaskEvent) => void, signal: AbortSignal): Promise<void> {
    await this.#network.reach(this.#executor)
    this.#mustLive()
    const queue: TaskEvent[] = []
    let wake = (): void => undefined
    const end = this.#executor.watch(event => { queue.push(event); wake() }, () => wake())
    signal.addEventListener('abort', () => wake())
    try {
      while (!signal.aborted) {
        this.#mustLive()
        if (queue.length === 0) await new Promise<void>(resolve => { wake = resolve })
        const sent = queue.splice(0)
        await this.#network.reach(this.#executor)
        this.#mustLive()
        const { simulation, faults } = this.#network
        if (simulation.chance(faults.breakStream)) throw new QueryError('UNAVAILABLE', 'stream broke')
        for (const event of sent) if (!signal.aborted) onEvent(event)
      }
    } finally {
      end()
    }
  }

  #mustLive(): void {
    if (!this.#executor.alive) throw new QueryError('UNAVAILABLE', 'connection refused')
  }

  /** Rejects like gRPC: at its deadline, or when the connection is refused. What was sent may still arrive. */
  #call(run: () => void): Promise<void> {
    const { simulation, faults } = this.#network
    const { clock } = simulation
    return new Promise((resolve, reject) => {
      const answered = clock.after(
        CALL_DEADLINE_MS, () => reject(new QueryError('DEADLINE_EXCEEDED', 'no answer')),
      )
      const arrive = async (): Promise<void> => {
        await this.#network.reach(this.#executor)
        const lost = simulation.chance(faults.loseCall)
        if (lost && simulation.chance(0.5)) return
        let outcome: QueryError | null = null
        try {
          this.#mustLive()
          run()
        } catch (error) {
          outcome = asQueryError(error)
        }
        if (lost) return
        await this.#network.reach(this.#executor)
        answered()
        if (outcome === null) resolve()
        else reject(outcome)
      }
      void arrive()
      if (simulation.chance(faults.doubleCall)) void arrive()
    })
  }
}
