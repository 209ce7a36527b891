/**
 * One watch of etcd on a stream of its own. It never goes on by itself: whatever happens to the stream, its owner is
 * told once, and lists and watches anew. A stream that etcd does not confirm in time counts as broken.
 */

import type { Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import { etcdError } from './etcd-errors.ts'

/** A member that is frozen takes the request and never answers. */
const CONFIRM_WITHIN_MS = 3_000

export interface EtcdEvent {
  readonly type: 'Put' | 'Delete'
  readonly kv: { readonly key: Buffer; readonly value: Buffer; readonly mod_revision: string }
}

interface Response {
  readonly created: boolean
  readonly canceled: boolean
  readonly cancel_reason?: string
  /** Above 0: what was asked for is not kept. */
  readonly compact_revision: string
  readonly events: readonly EtcdEvent[]
}

interface Stream {
  on(event: 'data', listener: (response: Response) => void): unknown
  on(event: 'error', listener: (reason: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  write(request: { readonly create_request: EtcdWatchRequest }): unknown
  end(): void
  cancel(): void
}

/**
 * Gives a stream up. One that is not ended first, the library takes for a failure of its host, whose other streams it
 * then closes.
 */
export function leave(stream: Pick<Stream, 'end' | 'cancel'>): void {
  stream.end()
  stream.cancel()
}

export interface EtcdWatchRequest {
  readonly key: Buffer
  readonly range_end: Buffer
  readonly start_revision: string
}

export interface EtcdWatchOptions {
  readonly open: () => Promise<unknown>
  readonly clock: Clock
  readonly request: EtcdWatchRequest
  readonly onEvents: (events: readonly EtcdEvent[]) => void
  readonly onError: (reason: QueryError) => void
}

export class EtcdWatch {
  readonly #options: EtcdWatchOptions
  readonly #cancelTimer: () => void
  #stream: Stream | null = null
  #over = false

  constructor(options: EtcdWatchOptions) {
    this.#options = options
    this.#cancelTimer = options.clock.after(CONFIRM_WITHIN_MS, () => {
      this.fail(new QueryError('UNAVAILABLE', `etcd did not confirm a watch within ${CONFIRM_WITHIN_MS} ms`))
    })
    options.open().then(stream => this.#start(stream as Stream), (reason: unknown) => this.fail(etcdError(reason)))
  }

  /** Its owner does not want it any more, and is not told. */
  end(): void {
    this.#over = true
    this.#cancelTimer()
    if (this.#stream !== null) leave(this.#stream)
  }

  fail(reason: QueryError): void {
    if (this.#over) return
    this.end()
    this.#options.onError(reason)
  }

  #start(stream: Stream): void {
    this.#stream = stream
    stream.on('error', reason => this.fail(etcdError(reason))) // also after a cancel: else it would be thrown
    if (this.#over) return leave(stream)
    stream.on('data', response => this.#response(response))
    stream.on('end', () => this.fail(new QueryError('UNAVAILABLE', 'etcd ended a watch')))
    stream.write({ create_request: this.#options.request })
  }

  #response({ created, canceled, cancel_reason: reason, compact_revision: compacted, events }: Response): void {
    if (this.#over) return
    if (canceled) {
      const isGone = BigInt(compacted) > 0n
      return this.fail(isGone
        ? new QueryError('NOT_FOUND', `changes before revision ${compacted} are not kept`)
        : new QueryError('UNAVAILABLE', `etcd cancelled a watch: ${reason ?? ''}`))
    }
    if (created) this.#cancelTimer()
    if (events.length > 0) this.#options.onEvents(events)
  }
}
