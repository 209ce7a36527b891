/**
 * What one coordinator does for all: gives up the store's history once it is old. Every turn it notes the revision of
 * now, and gives up what is before the one that was noted a turn earlier, whoever noted it. The note names the term of
 * its writer, so a holder that was stopped for a while changes nothing.
 */

import type { Clock } from '../proto/clock.ts'
import type { Election } from './election.ts'
import { HOUSEKEEPING } from './keys.ts'
import type { MetadataStore } from './store.ts'

/** Longer than any watch is away before it lists anew (30 s), and short enough that a store stays small. */
export const HOUSEKEEPING_MS = 300_000

export interface HousekeepingOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  readonly election: Pick<Election, 'term'>
  readonly onTurn: (outcome: { readonly compactedTo: bigint } | { readonly failed: unknown }) => void
}

export class Housekeeping {
  readonly #options: HousekeepingOptions
  #cancelTimer: () => void = () => undefined
  #stopped = false

  constructor(options: HousekeepingOptions) {
    this.#options = options
    this.#later()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer()
  }

  #later(): void {
    if (this.#stopped) return
    this.#cancelTimer = this.#options.clock.after(HOUSEKEEPING_MS, () => {
      void this.#turn().catch((failed: unknown) => this.#options.onTurn({ failed })).then(() => this.#later())
    })
  }

  async #turn(): Promise<void> {
    const { store, election, onTurn } = this.#options
    const term = election.term()
    if (term === null || store.compact === undefined) return
    const before = await store.get(HOUSEKEEPING)
    const { revision } = await store.list(HOUSEKEEPING)
    const note = Buffer.from(String(revision))
    if (await store.compareAndSwap(HOUSEKEEPING, before?.revision ?? 0n, note, undefined, term) === null) return
    const compactedTo = /^\d{1,19}$/.exec(Buffer.from(before?.value ?? []).toString())?.[0]
    if (compactedTo === undefined) return
    await store.compact(BigInt(compactedTo))
    onTurn({ compactedTo: BigInt(compactedTo) })
  }
}
