/** The instances of sessions as the coordinator reaches them, one channel an executor. */

import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { ExecutorInfo } from '../../proto/gen/cluster_pb.js'
import {
  SessionService, type BindReply, type BindRequest, type IngestReply, type RepeatReply, type RunReply, type RunRequest,
} from '../../proto/gen/session_pb.js'
import type { GrpcChannel, ServiceClient } from '../../proto/grpc-channel.ts'
import { nodeChannel, type NodeAuth } from '../../proto/node-auth.ts'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  BindRequestSchema, IngestRequestSchema, RepeatRequestSchema, RunRequestSchema,
} from '../../proto/gen/session_pb.js'

export type BindInit = MessageInitShape<typeof BindRequestSchema>
export type RunInit = MessageInitShape<typeof RunRequestSchema>
export type RepeatInit = MessageInitShape<typeof RepeatRequestSchema>
export type IngestInit = MessageInitShape<typeof IngestRequestSchema>

/** Binding reads footers at most. */
const BIND_DEADLINE_MS = 120_000
/** Closing interrupts what runs. */
const CLOSE_DEADLINE_MS = 30_000

export interface SessionChannel {
  bind(request: BindInit, signal: AbortSignal): Promise<BindReply>
  /** The statement that was bound last will not run. */
  unbind(session: string): Promise<void>
  /** What failed without DuckDB's own word may have been done. */
  run(request: RunInit, signal: AbortSignal): Promise<RunReply>
  fetch(session: string, result: string, fromFrame: number, signal: AbortSignal): AsyncIterable<RawFlightData>
  forget(session: string, result: string): Promise<void>
  /** Nothing is done unless the last request is an end; the same of `ingest`. */
  repeat(requests: AsyncIterable<RepeatInit>, signal: AbortSignal): Promise<RepeatReply>
  ingest(requests: AsyncIterable<IngestInit>, signal: AbortSignal): Promise<IngestReply>
  close(session: string): Promise<void>
  end(): void
}

export class GrpcSessionChannel implements SessionChannel {
  readonly #channel: GrpcChannel
  readonly #service: ServiceClient<typeof SessionService>

  constructor({ address }: ExecutorInfo, auth: NodeAuth) {
    this.#channel = nodeChannel(address, auth)
    this.#service = this.#channel.service(SessionService)
  }

  bind(request: BindInit, signal: AbortSignal): Promise<BindReply> {
    return this.#service.bind(request, { signal, deadlineMs: BIND_DEADLINE_MS })
  }

  async unbind(session: string): Promise<void> {
    await this.#service.unbind({ sessionId: session }, { deadlineMs: CLOSE_DEADLINE_MS })
  }

  run(request: RunInit, signal: AbortSignal): Promise<RunReply> {
    return this.#service.run(request, { signal })
  }

  fetch(session: string, result: string, fromFrame: number, signal: AbortSignal): AsyncIterable<RawFlightData> {
    const request = { sessionId: session, resultId: result, fromFrame: BigInt(fromFrame) }
    return this.#channel.frames(SessionService.method.fetch, request, signal)
  }

  async forget(session: string, result: string): Promise<void> {
    await this.#service.forget({ sessionId: session, resultId: result }, { deadlineMs: CLOSE_DEADLINE_MS })
  }

  repeat(requests: AsyncIterable<RepeatInit>, signal: AbortSignal): Promise<RepeatReply> {
    return only(this.#service.repeat(requests, { signal }))
  }

  ingest(requests: AsyncIterable<IngestInit>, signal: AbortSignal): Promise<IngestReply> {
    return only(this.#service.ingest(requests, { signal }))
  }

  async close(session: string): Promise<void> {
    await this.#service.close({ sessionId: session }, { deadlineMs: CLOSE_DEADLINE_MS })
  }

  end(): void {
    this.#channel.close()
  }
}

async function only<T>(replies: AsyncIterable<T>): Promise<T> {
  for await (const reply of replies) return reply
  throw new QueryError('UNAVAILABLE', 'the executor ended the call without an answer')
}

export type { BindReply, BindRequest, IngestReply, RepeatReply, RunReply, RunRequest }
