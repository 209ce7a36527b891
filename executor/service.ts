/** The gRPC service: requests to calls of Executor and back. Its server lets in nodes of the cluster alone. */

import type { Clock } from '../proto/clock.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { ExchangeSource, ExecutorService, FetchResultRequest } from '../proto/gen/executor_pb.js'
import type { Call, ServiceHandlers } from '../proto/grpc-server.ts'
import type { CoordinatorId, ExecutorId, Incarnation, QueryId, TaskId } from '../proto/ids.ts'
import { serveControl } from './control.ts'
import type { ExchangeFiles } from './exchange-files.ts'
import { serveExchange } from './exchange-server.ts'
import type { Executor } from './executor.ts'
import type { TaskEventInit } from './task-status.ts'

export interface Identity {
  readonly id: ExecutorId
  readonly incarnation: Incarnation
  /** How readers reach this executor's exchange files. */
  readonly source: Omit<ExchangeSource, '$typeName' | '$unknown'>
}

export function executorHandlers(
  executor: Executor, files: ExchangeFiles, clock: Clock, identity: () => Identity,
): ServiceHandlers<typeof ExecutorService> {
  return {
    identify: () => hello(identity()),
    control: requests => serveControl(executor, requests, clock),
    watchTasks: ({ coordinatorId, incarnation }, call) =>
      withHello(identity(), executor.watch(coordinatorId as CoordinatorId, incarnation as Incarnation, call.signal)),
    fetchExchange: request => serveExchange(files, request),
    fetchResult: (request, call) => frames(executor, request, call),
  }
}

async function* withHello(
  identity: Identity, events: AsyncIterable<TaskEventInit>,
): AsyncGenerator<TaskEventInit> {
  yield { event: { case: 'hello', value: hello(identity) } }
  yield* events
}

function hello({ id, incarnation, source }: Identity) {
  return { executorId: id, incarnation, source }
}

function frames(
  executor: Executor, { queryId, taskId, fromFrame }: FetchResultRequest, call: Call,
): AsyncIterable<RawFlightData> {
  const attempt = taskId === '' ? null : taskId as TaskId
  return executor.fetchResult(queryId as QueryId, attempt, Number(fromFrame), call.signal)
}
