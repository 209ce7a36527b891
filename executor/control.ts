/**
 * Serves the Control stream: does what a coordinator asks for, each request as it comes, and answers it when it is
 * done. A release takes as long as what it ends; what comes after it does not wait. An answer that nobody waits for
 * goes with the next that somebody does, or after a moment.
 */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { asQueryError, QueryError } from '../proto/errors.ts'
import { Batcher } from '../proto/batcher.ts'
import type { Clock } from '../proto/clock.ts'
import type {
  ControlRepliesSchema, ControlReplySchema, ControlRequest, ControlRequests,
} from '../proto/gen/executor_pb.js'
import type { CoordinatorId, QueryId, TaskId } from '../proto/ids.ts'
import type { Executor } from './executor.ts'

type Reply = MessageInitShape<typeof ControlReplySchema>
type Replies = MessageInitShape<typeof ControlRepliesSchema>

/** Requests that are worked on, or whose answer is not taken: beyond it the stream is not read. */
const MAX_OPEN = 10_000

/** Far below the deadline of a call; a task's end mostly comes first. */
const PATIENCE_MS = 50
/** Each is some bytes. */
const MAX_TOGETHER = 1_000

export async function* serveControl(
  executor: Executor, requests: AsyncIterable<ControlRequests>, clock: Clock,
): AsyncGenerator<Replies> {
  const replies = new Batcher<Reply>(clock, { patienceMs: PATIENCE_MS, most: MAX_TOGETHER })
  let open = 0
  let wake = (): void => undefined
  const answer = async (request: ControlRequest): Promise<void> => {
    open++
    const reply = await replyTo(executor, request)
    replies.say(reply, reply.failure !== undefined || isAwaited(request.call))
  }
  const read = async (): Promise<void> => {
    try {
      for await (const { requests: together } of requests) {
        for (const request of together) void answer(request)
        while (open >= MAX_OPEN) await new Promise<void>(resolve => { wake = resolve })
      }
    } finally {
      replies.end()
    }
  }
  read().catch(() => undefined) // the stream broke: nobody is left to be answered
  for await (const batch of replies) {
    open -= batch.length
    wake()
    yield { replies: [...batch] }
  }
}

/** The caller goes on when it is answered; of the rest it only wants to know that it was done. */
function isAwaited(call: ControlRequest['call']): boolean {
  return call.case === 'reserve' || call.case === 'cancelTask'
}

async function replyTo(executor: Executor, { id, call }: ControlRequest): Promise<Reply> {
  try {
    await done(executor, call)
    return { id }
  } catch (thrown) {
    const { code, message } = asQueryError(thrown)
    return { id, failure: { code, message } }
  }
}

function done(executor: Executor, call: ControlRequest['call']): Promise<void> | undefined {
  switch (call.case) {
    case 'reserve': {
      const { queryId, coordinatorId, memoryBytes } = call.value
      executor.reserve(queryId as QueryId, coordinatorId as CoordinatorId, Number(memoryBytes))
      return
    }
    case 'launchTask': {
      const { coordinatorId, task } = call.value
      if (task === undefined) throw new QueryError('INVALID_REQUEST', 'a launch without a task')
      executor.launch(coordinatorId as CoordinatorId, task)
      return
    }
    case 'cancelTask':
      executor.cancel(call.value.taskId as TaskId)
      return
    case 'removeOutputs': {
      const { queryId, taskIds } = call.value
      return executor.removeOutputs(queryId as QueryId, taskIds as TaskId[])
    }
    case 'freeMemory': return executor.freeMemory(call.value.queryId as QueryId)
    case 'setDraining':
      executor.setDraining(call.value.draining)
      return
    case 'releaseQuery': {
      const { queryId, keepTaskIds } = call.value
      return executor.release(queryId as QueryId, keepTaskIds as TaskId[])
    }
    default: throw new QueryError('INVALID_REQUEST', 'a call that this executor does not know')
  }
}
