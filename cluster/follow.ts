/**
 * What lies below a prefix, followed: watches are hints, lists are truth. Lists, watches from there, lists again on
 * every error of the watch and every 30 s. While the store is away the last view stays.
 */

import type { Clock } from '../proto/clock.ts'
import type { Change, Entry, MetadataStore } from './store.ts'

const RELIST_MS = 30_000
/** Between tries while the store cannot be reached. */
const RETRY_MS = 500

export interface FollowOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  readonly prefix: string
  /** The whole view, after each change of it. */
  readonly onView: (entries: ReadonlyMap<string, Entry>) => void
  /** The store cannot be reached (a reason), or can again (null); once for each. */
  readonly onReach?: (reason: unknown) => void
}

export class Follow {
  readonly #options: FollowOptions
  #view = new Map<string, Entry>()
  #endWatch: () => void = () => undefined
  #cancelTimer: () => void = () => undefined
  /** Each list begins a new round; what older ones still bring is ignored. */
  #round = 0
  #away = false
  #closed = false

  constructor(options: FollowOptions) {
    this.#options = options
  }

  /** Resolves once the first list is there; rejects if the store cannot be reached, and goes on trying. */
  start(): Promise<void> {
    return this.#list()
  }

  close(): void {
    this.#closed = true
    this.#endWatch()
    this.#cancelTimer()
  }

  async #list(): Promise<void> {
    const { store, prefix } = this.#options
    const round = ++this.#round
    this.#endWatch()
    this.#cancelTimer()
    try {
      const { entries, revision } = await store.list(prefix)
      if (this.#closed || round !== this.#round) return
      this.#reached(null)
      this.#show(new Map(entries.map(entry => [entry.key, entry])))
      this.#endWatch = store.watch(prefix, revision,
        changes => { if (!this.#closed && round === this.#round) this.#apply(changes) },
        reason => this.#broken(round, reason))
      if (round === this.#round) this.#listAfter(RELIST_MS)
    } catch (reason) {
      if (this.#closed || round !== this.#round) return
      this.#reached(reason)
      this.#listAfter(RETRY_MS)
      throw reason
    }
  }

  #broken(round: number, reason: unknown): void {
    if (this.#closed || round !== this.#round) return
    this.#round++
    this.#reached(reason)
    this.#listAfter(RETRY_MS)
  }

  #listAfter(delayMs: number): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#list().catch(() => undefined) // told by onReach, and tried again
    })
  }

  #apply(changes: readonly Change[]): void {
    const view = new Map(this.#view)
    for (const { key, value, revision } of changes) {
      if (value === null) view.delete(key)
      else view.set(key, { key, value, revision })
    }
    this.#show(view)
  }

  #show(view: Map<string, Entry>): void {
    this.#view = view
    this.#options.onView(view)
  }

  #reached(reason: unknown): void {
    const away = reason !== null
    if (away === this.#away) return
    this.#away = away
    this.#options.onReach?.(reason)
  }
}
