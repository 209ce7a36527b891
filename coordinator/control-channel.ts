/**
 * The small calls to one executor over its Control stream, which is opened at the first of them and again after it
 * broke. A call rejects with what the executor answered, at its deadline, or when the stream ends; whether it was done
 * is then not known.
 */

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Clock } from '../proto/clock.ts'
import { asQueryError, errorCode, QueryError } from '../proto/errors.ts'
import { Batcher } from '../proto/batcher.ts'
import type {
  ControlReplies, ControlReply, ControlRequestSchema, ControlRequestsSchema,
} from '../proto/gen/executor_pb.js'

type Request = MessageInitShape<typeof ControlRequestSchema>
/** One of the calls of executor.proto's ControlRequest. */
export type ControlCall = NonNullable<Request['call']>

type Requests = MessageInitShape<typeof ControlRequestsSchema>

/** Opens the stream. */
export type OpenControl = (requests: AsyncIterable<Requests>) => AsyncIterable<ControlReplies>

/** For calls that an executor answers at once; beyond it, it hangs, and its heartbeats will say so. */
const DEADLINE_MS = 10_000
/** What only frees something goes with the next call that somebody waits for, or after this. */
const PATIENCE_MS = 20
/** Far above what a query asks for at once; together below a megabyte. */
const MAX_TOGETHER = 100
/** Of files that come along with tasks; an executor takes messages of 64 MiB. */
const MAX_CARRIED_TOGETHER = 8 * 1024 * 1024
/** Far above what queries have under way; each is a few kilobytes. */
const MAX_OPEN_CALLS = 100_000
/** Ids of the stream are 32 bits; by the time that they start again the first ones are answered. */
const MAX_ID = 0xffff_ffff

interface OpenCall {
  readonly resolve: () => void
  readonly reject: (cause: QueryError) => void
  readonly cancelDeadline: () => void
}

interface OpenStream {
  readonly requests: Batcher<Request>
  readonly calls: Map<number, OpenCall>
}

export class ControlChannel {
  readonly #open: OpenControl
  readonly #clock: Clock
  #stream: OpenStream | null = null
  #lastId = 0

  constructor(open: OpenControl, clock: Clock) {
    this.#open = open
    this.#clock = clock
  }

  call(call: ControlCall): Promise<void> {
    const stream = this.#stream ?? this.#start()
    return new Promise((resolve, reject) => {
      if (stream.calls.size >= MAX_OPEN_CALLS) {
        return reject(new QueryError('EXECUTOR_FULL', `${MAX_OPEN_CALLS} calls wait for the executor's answer`))
      }
      const id = this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1
      const cancelDeadline = this.#clock.after(DEADLINE_MS, () => {
        stream.calls.delete(id)
        reject(new QueryError('DEADLINE_EXCEEDED', `the executor did not answer within ${DEADLINE_MS} ms`))
      })
      stream.calls.set(id, { resolve, reject, cancelDeadline })
      stream.requests.say({ id, call }, isUrgent(call))
    })
  }

  /** Open calls reject. */
  close(): void {
    this.#stream?.requests.end()
    this.#end(this.#stream, new QueryError('UNAVAILABLE', 'the connection to the executor was closed'))
  }

  #start(): OpenStream {
    const stream: OpenStream = {
      requests: new Batcher<Request>(this.#clock, {
        patienceMs: PATIENCE_MS, most: MAX_TOGETHER, bytes: { most: MAX_CARRIED_TOGETHER, of: carriedBytes },
      }),
      calls: new Map(),
    }
    this.#stream = stream
    void this.#read(stream)
    return stream
  }

  async #read(stream: OpenStream): Promise<void> {
    try {
      for await (const { replies } of this.#open(messages(stream.requests))) {
        for (const reply of replies) answer(stream, reply)
      }
      this.#end(stream, new QueryError('UNAVAILABLE', 'the executor ended the stream of calls'))
    } catch (reason) {
      this.#end(stream, asQueryError(reason))
    }
  }

  #end(stream: OpenStream | null, cause: QueryError): void {
    if (stream === null) return
    if (this.#stream === stream) this.#stream = null
    stream.requests.end()
    const calls = [...stream.calls.values()]
    stream.calls.clear()
    for (const { reject, cancelDeadline } of calls) {
      cancelDeadline()
      reject(cause)
    }
  }
}

async function* messages(batches: AsyncIterable<readonly Request[]>): AsyncGenerator<Requests> {
  for await (const batch of batches) yield { requests: [...batch] }
}

function carriedBytes({ call }: Request): number {
  const carried = call?.case === 'launchTask' ? call.value.task?.carried ?? [] : []
  return carried.reduce((sum, { content }) => sum + (content?.length ?? 0), 0)
}

function isUrgent(call: ControlCall): boolean {
  switch (call.case) {
    case 'removeOutputs': case 'freeMemory': case 'releaseQuery': return false
    default: return true
  }
}

function answer({ calls }: OpenStream, { id, failure }: ControlReply): void {
  const call = calls.get(id)
  if (call === undefined) return // past its deadline
  calls.delete(id)
  call.cancelDeadline()
  if (failure === undefined) call.resolve()
  else call.reject(new QueryError(errorCode(failure.code) ?? 'INTERNAL', failure.message))
}
