/**
 * Clients that read parts of results here, as the coordinator of each result is told of them: it says who may read, and
 * counts him as its reader until he has all of the part, or is gone.
 */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { coordinatorKey } from '../cluster/keys.ts'
import type { MetadataStore } from '../cluster/store.ts'
import type { Clock } from '../proto/clock.ts'
import { decodeCoordinatorInfo } from '../proto/cluster-values.ts'
import { QueryError } from '../proto/errors.ts'
import { PartEnd_How as How, ResultService, type PartReadingSchema } from '../proto/gen/results_pb.js'
import type { CoordinatorId } from '../proto/ids.ts'
import { nodeChannel, type NodeAuth } from '../proto/node-auth.ts'
import { Outbox } from '../proto/outbox.ts'

/** A coordinator that lives answers at once; a password may be looked up first. */
const ANSWER_WITHIN_MS = 5_000

type Step = MessageInitShape<typeof PartReadingSchema>
type Reader = Extract<NonNullable<Step['step']>, { case: 'reader' }>['value']

export interface PartReading {
  /** broken: neither; it may be read again elsewhere. Once. */
  end(how: 'whole' | 'left' | 'broken', bytes: number): void
}

export interface PartReadingsOptions {
  readonly store: MetadataStore
  readonly auth: NodeAuth
  readonly clock: Clock
}

export class PartReadings {
  readonly #options: PartReadingsOptions

  constructor(options: PartReadingsOptions) {
    this.#options = options
  }

  /** Rejects with what refuses him, or UNAVAILABLE if the coordinator is gone: his result is too. */
  async begin(coordinator: CoordinatorId, reader: Reader): Promise<PartReading> {
    const { store, auth, clock } = this.#options
    const entry = await store.get(coordinatorKey(coordinator))
    const info = entry === null ? null : decodeCoordinatorInfo(entry.value)
    if (info === null) {
      throw new QueryError('UNAVAILABLE', 'the coordinator of the ticket\'s statement is gone, its result too')
    }
    const channel = nodeChannel(info.admin, auth)
    const steps = new Outbox<Step>()
    steps.say({ step: { case: 'reader', value: reader } })
    const late = new AbortController()
    const cancel = clock.after(ANSWER_WITHIN_MS, () => late.abort())
    const granted = channel.service(ResultService).readPart(steps, { signal: late.signal })[Symbol.asyncIterator]()
    try {
      await granted.next()
    } catch (error) {
      channel.close()
      throw error
    } finally {
      cancel()
    }
    const close = (): void => channel.close()
    return {
      end: (how, bytes) => {
        if (how === 'broken') return close()
        const value = { how: how === 'whole' ? How.WHOLE : How.LEFT, bytes: BigInt(bytes) }
        steps.say({ step: { case: 'end', value } })
        steps.end()
        granted.next().then(close, close) // it has read that
      },
    }
  }
}
