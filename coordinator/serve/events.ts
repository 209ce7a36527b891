/** What happens, as it happens, for operators who look on, and the last of it for those who come later. */

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { EventSchema } from '../../proto/gen/admin_pb.js'
import { Outbox } from '../../proto/outbox.ts'

type EventInit = MessageInitShape<typeof EventSchema>

/** Of one reader, some 200 bytes each: who does not read as fast as things happen is not looking. */
const MAX_BEHIND = 10_000
/** Each holds a stream. */
const MAX_READERS = 100
/** Kept for those who come later. */
const MAX_KEPT = 10_000

export class Events {
  readonly #clock: Clock
  readonly #readers = new Set<{ readonly box: Outbox<EventInit>; isBehind: boolean }>()

  /** Oldest first; at most twice as many as are shown. */
  #kept: EventInit[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Oldest first. */
  last(): readonly EventInit[] {
    return this.#kept.slice(-MAX_KEPT)
  }

  say(event: NonNullable<EventInit['event']>): void {
    this.#kept.push({ atMs: this.#clock.wallMs(), event })
    if (this.#kept.length > 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT)
    for (const reader of this.#readers) {
      if (reader.box.size < MAX_BEHIND) reader.box.say({ atMs: this.#clock.wallMs(), event })
      else {
        reader.isBehind = true
        reader.box.end()
      }
    }
  }

  /** From now on, until the reader leaves; RESULT_TOO_LARGE once it is too far behind. */
  async *read(signal: AbortSignal): AsyncGenerator<EventInit> {
    if (this.#readers.size >= MAX_READERS) throw new QueryError('UNAVAILABLE', `${MAX_READERS} readers look on already`)
    const reader = { box: new Outbox<EventInit>(), isBehind: false }
    this.#readers.add(reader)
    const end = (): void => reader.box.end()
    signal.addEventListener('abort', end, { once: true })
    try {
      yield* reader.box
      if (reader.isBehind) throw new QueryError('RESULT_TOO_LARGE', `the reader is ${MAX_BEHIND} events behind`)
    } finally {
      this.#readers.delete(reader)
      signal.removeEventListener('abort', end)
    }
  }
}
