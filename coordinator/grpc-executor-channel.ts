/** The channel to an executor that listens on an address of its own. */

import type { Clock } from '../proto/clock.ts'
import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import { ExecutorService, type TaskEvent } from '../proto/gen/executor_pb.js'
import { QueryError } from '../proto/errors.ts'
import type { GrpcChannel, ServiceClient } from '../proto/grpc-channel.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { CoordinatorId, Incarnation, QueryId, TaskId } from '../proto/ids.ts'
import { nodeChannel, type NodeAuth } from '../proto/node-auth.ts'
import type { TaskDefinitionInit } from '../proto/task.ts'
import { ControlChannel } from './control-channel.ts'
import type { ExecutorChannel } from './executor-channel.ts'

export interface Caller {
  readonly coordinator: CoordinatorId
  readonly incarnation: Incarnation
  readonly auth: NodeAuth
}

export class GrpcExecutorChannel implements ExecutorChannel {
  readonly address: string
  readonly #caller: Caller
  readonly #channel: GrpcChannel
  readonly #service: ServiceClient<typeof ExecutorService>
  readonly #calls: ControlChannel

  constructor(info: ExecutorInfo, caller: Caller, clock: Clock) {
    this.address = info.address
    this.#caller = caller
    this.#channel = nodeChannel(info.address, caller.auth)
    this.#service = this.#channel.service(ExecutorService)
    this.#calls = new ControlChannel(requests => this.#service.control(requests), clock)
  }

  reserve(query: QueryId, memoryBytes: number): Promise<void> {
    const value = { queryId: query, coordinatorId: this.#caller.coordinator, memoryBytes: BigInt(memoryBytes) }
    return this.#calls.call({ case: 'reserve', value })
  }

  launch(task: TaskDefinitionInit): Promise<void> {
    return this.#calls.call({ case: 'launchTask', value: { coordinatorId: this.#caller.coordinator, task } })
  }

  cancel(task: TaskId): Promise<void> {
    return this.#calls.call({ case: 'cancelTask', value: { taskId: task } })
  }

  removeOutputs(query: QueryId, tasks: readonly TaskId[]): Promise<void> {
    return this.#calls.call({ case: 'removeOutputs', value: { queryId: query, taskIds: [...tasks] } })
  }

  freeMemory(query: QueryId): Promise<void> {
    return this.#calls.call({ case: 'freeMemory', value: { queryId: query } })
  }

  release(query: QueryId, keep: readonly TaskId[]): Promise<void> {
    return this.#calls.call({ case: 'releaseQuery', value: { queryId: query, keepTaskIds: [...keep] } })
  }

  setDraining(draining: boolean): Promise<void> {
    return this.#calls.call({ case: 'setDraining', value: { draining } })
  }

  watch(onEvent: (event: TaskEvent) => void, onEnd: (reason: unknown) => void): () => void {
    const controller = new AbortController()
    void this.#pump(controller.signal, onEvent, onEnd)
    return () => controller.abort()
  }

  async #pump(
    signal: AbortSignal, onEvent: (event: TaskEvent) => void, onEnd: (reason: unknown) => void,
  ): Promise<void> {
    const { coordinator, incarnation } = this.#caller
    try {
      const events = this.#service.watchTasks({ coordinatorId: coordinator, incarnation }, { signal })
      for await (const event of events) onEvent(event)
      if (!signal.aborted) onEnd(new QueryError('UNAVAILABLE', `${this.address} ended the stream of task events`))
    } catch (reason) {
      if (!signal.aborted) onEnd(reason)
    }
  }

  fetchResult(query: QueryId, task: TaskId, fromFrame: number, signal: AbortSignal): AsyncIterable<RawFlightData> {
    const request = { queryId: query, taskId: task, fromFrame: BigInt(fromFrame) }
    return this.#channel.frames(ExecutorService.method.fetchResult, request, signal)
  }

  close(): void {
    this.#calls.close()
    this.#channel.close()
  }
}
