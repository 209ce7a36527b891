/**
 * The memory that the spools of an executor share. Those that nobody has read from for IDLE_MS leave it to those that
 * are read: a client that stalls gains nothing from it, and one that reads would pay for it with a way over the disk.
 */

import { ByteBudget } from './byte-budget.ts'

/** As long as a coordinator waits before it lets go of what a slow client does not take. */
const IDLE_MS = 500
/** Less is not worth a file. */
const LEAST_BYTES = 1024 * 1024

export interface MemoryHolder {
  readonly memoryBytes: number
  /** Since a reader last came or moved; 0 while one waits for a frame. */
  readonly unreadMs: number
  /** Moves a frame out of memory; false if there is no room for it elsewhere. */
  readonly moveUnread: () => Promise<boolean>
}

export class SpoolMemory extends ByteBudget {
  readonly #holders = new Set<MemoryHolder>()

  enter(holder: MemoryHolder): void {
    this.#holders.add(holder)
  }

  leave(holder: MemoryHolder): void {
    this.#holders.delete(holder)
  }

  /** Makes room for one that is read out of those that are not, the longest unread first; false if there is none. */
  async reclaim(reader: MemoryHolder): Promise<boolean> {
    if (reader.unreadMs >= IDLE_MS) return false
    const idle = [...this.#holders].filter(holder => holder.memoryBytes >= LEAST_BYTES && holder.unreadMs >= IDLE_MS)
    for (const holder of idle.toSorted((a, b) => b.unreadMs - a.unreadMs)) {
      if (await holder.moveUnread()) return true
    }
    return false
  }
}
