/** The gRPC service: requests to calls of Executor and back. Who does not know the cluster's secret gets nothing. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { QueryError } from '../proto/errors.ts'
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
  executor: Executor, files: ExchangeFiles, identity: () => Identity,
): ServiceHandlers<typeof ExecutorService> {
  return {
    control: requests => serveControl(executor, requests),
    watchTasks: ({ coordinatorId, incarnation }, call) =>
      withHello(identity(), executor.watch(coordinatorId as CoordinatorId, incarnation as Incarnation, call.signal)),
    fetchExchange: request => serveExchange(files, request),
    fetchResult: (request, call) => frames(executor, request, call),
  }
}

async function* withHello(
  { id, incarnation, source }: Identity, events: AsyncIterable<TaskEventInit>,
): AsyncGenerator<TaskEventInit> {
  yield { event: { case: 'hello', value: { executorId: id, incarnation, source } } }
  yield* events
}

function frames(
  executor: Executor, { queryId, taskId, fromFrame }: FetchResultRequest, call: Call,
): AsyncIterable<RawFlightData> {
  const attempt = taskId === '' ? null : taskId as TaskId
  return executor.fetchResult(queryId as QueryId, attempt, Number(fromFrame), call.signal)
}

/** Asked before every call. Digests are compared, so that the time of an answer says nothing about the secret. */
export function requireSecret(secret: string): (call: Call) => void {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const wanted = digest(`Bearer ${secret}`)
  return call => {
    if (timingSafeEqual(digest(call.header('authorization') ?? ''), wanted)) return
    throw new QueryError('UNAUTHENTICATED', 'the cluster secret is missing or wrong')
  }
}
