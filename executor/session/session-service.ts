/** The gRPC service of sessions that own an instance: requests to calls of it and back. */

import { taskError } from '../duck-error.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { IngestRequest, RepeatRequest, SessionService } from '../../proto/gen/session_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'
import type { SessionHost } from './session-host.ts'

/** A result of so many bytes goes with the answer that it is made. */
const SMALL_BYTES = 64 * 1024

export function sessionHandlers(host: SessionHost): ServiceHandlers<typeof SessionService> {
  return {
    bind: (request, { signal }) => told(async () => {
      const session = await host.open(request, signal)
      const { outline, columns, statementType, parameters, bytesFetched } = await session.bind(request, signal)
      return {
        outline, columns: [...columns], statementType, bytesFetched: BigInt(bytesFetched),
        parameters: parameters.map(({ name, type }) => ({ name, type: type ?? '' })),
      }
    }),
    unbind: async ({ sessionId }) => {
      const session = await host.find(sessionId).catch(() => null)
      await session?.unbind()
      return {}
    },
    run: (request, { signal }) => told(async () => {
      const session = await host.find(request.sessionId)
      const spool = host.options.newSpool(request.resultId)
      const { rowCount, changedRows, objects, bytesFetched, bytesCached } = await session.run(request, spool, signal)
      const frames = [...spool.whole(SMALL_BYTES) ?? []]
      return {
        rowCount: BigInt(rowCount), objects, frames, ...(changedRows === null ? {} : { changedRows }),
        bytesFetched: BigInt(bytesFetched), bytesCached: BigInt(bytesCached),
      }
    }),
    async *repeat(requests, { signal }) {
      const iterator = requests[Symbol.asyncIterator]()
      const begin = await first(iterator, 'a repetition')
      const session = await host.find(begin.sessionId)
      yield await told(async () => {
        const { bytesFetched, bytesCached, ...changed } = await session.repeat(begin, texts(iterator), signal)
        return { ...changed, bytesFetched: BigInt(bytesFetched), bytesCached: BigInt(bytesCached) }
      })
    },
    async *fetch({ sessionId, resultId, fromFrame }, { signal }) {
      const session = await host.find(sessionId)
      yield* session.result(resultId).read(Number(fromFrame), signal)
    },
    forget: async ({ sessionId, resultId }) => {
      const session = await host.find(sessionId).catch(() => null)
      await session?.forget(resultId)
      return {}
    },
    async *ingest(requests, { signal }) {
      const iterator = requests[Symbol.asyncIterator]()
      const begin = await first(iterator, 'an ingest')
      const session = await host.find(begin.sessionId)
      const { changedRows: rowCount, objects } = await told(() => session.ingest(begin, frames(iterator), signal))
      yield { rowCount, objects }
    },
    close: async ({ sessionId }) => {
      await host.close(sessionId)
      return {}
    },
  }
}

interface Part {
  readonly message: { readonly case: string | undefined; readonly value?: unknown }
}
type BeginOf<P extends Part> = Extract<P['message'], { readonly case: 'begin' }>['value']

async function first<P extends Part>(requests: AsyncIterator<P>, what: string): Promise<BeginOf<P>> {
  const { value, done } = await requests.next()
  if (done !== true && value.message.case === 'begin') return value.message.value
  throw new QueryError('INVALID_REQUEST', `${what} without its beginning`)
}

async function* frames(requests: AsyncIterator<IngestRequest>): AsyncGenerator<RawFlightData> {
  for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
    const { message } = next.value
    if (message.case === 'end') return
    if (message.case !== 'frame') throw new QueryError('INVALID_REQUEST', 'an ingest has one beginning')
    yield message.value
  }
  throw brokenOff()
}

async function* texts(requests: AsyncIterator<RepeatRequest>): AsyncGenerator<string> {
  for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
    const { message } = next.value
    if (message.case === 'end') return
    if (message.case !== 'texts') throw new QueryError('INVALID_REQUEST', 'a repetition has one beginning')
    yield* message.value.sql
  }
  throw brokenOff()
}

function brokenOff(): QueryError {
  return new QueryError('CANCELLED', 'the stream ended before its end: nothing of it is kept')
}

/** DuckDB's failures with their code; the place is in bytes of the statement. */
async function told<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (thrown) {
    throw taskError(thrown, [])
  }
}
