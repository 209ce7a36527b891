/**
 * The bytes of the cache against its budget: which chunks stay because they are read, which go because others come. A
 * file gives room back when all of it goes, or when it is packed, which is done when more than half of it is of no use.
 * Bytes may pass the budget by those of chunks that nobody reads in files that somebody does: they cannot be freed.
 */

import { QueryError } from '../proto/errors.ts'
import { Eviction } from './eviction.ts'
import type { Chunk, Mirror } from './mirror.ts'
import type { MirrorFolder } from './mirror-folder.ts'

export class CacheRoom {
  readonly #budgetBytes: number
  readonly #folder: MirrorFolder
  readonly #eviction = new Eviction<Chunk>()
  /** Files with bytes of no use. */
  readonly #wasteful = new Set<Mirror>()
  readonly #waiting: (() => void)[] = []
  /** For chunks that are under way, or that pass. */
  #reservedBytes = 0
  #pinnedBytes = 0
  #evicting: Promise<void> = Promise.resolve()

  /** Counts what is in the folder already. */
  constructor(budgetBytes: number, folder: MirrorFolder) {
    this.#budgetBytes = budgetBytes
    this.#folder = folder
    for (const mirror of folder.mirrors()) {
      for (const chunk of mirror.present()) this.#eviction.add(chunk, chunk.bytes, true)
    }
    folder.onForgotten = mirror => {
      for (const chunk of mirror.present()) this.#eviction.remove(chunk)
      this.#wasteful.delete(mirror)
    }
  }

  get budgetBytes(): number {
    return this.#budgetBytes
  }

  get usedBytes(): number {
    const waste = [...this.#wasteful].reduce((sum, mirror) => sum + mirror.deadBytes, 0)
    return this.#eviction.bytes + this.#reservedBytes + waste + this.#folder.footerBytes
  }

  /** Waits until they fit beside what others read: all at once, so that no two wait for each other. */
  async pin(chunks: readonly Chunk[], signal: AbortSignal): Promise<void> {
    while (!this.tryPin(chunks)) {
      if (this.#pinnedBytes === 0) {
        const room = `the cache of its executor has room for ${this.#budgetBytes}`
        throw new QueryError('DISK_FULL', `a task reads ${unpinnedBytes(chunks)} bytes of remote files, and ${room}`)
      }
      await this.#someRelease(signal)
    }
    // what was brought for this very task has not been of use before
    for (const chunk of chunks) if (!chunk.unclaimed) this.#eviction.used(chunk)
  }

  /** False: they do not fit now. */
  tryPin(chunks: readonly Chunk[]): boolean {
    const bytes = unpinnedBytes(chunks)
    if (bytes > 0 && this.#pinnedBytes + bytes > this.#budgetBytes) return false
    this.#pinnedBytes += bytes
    for (const chunk of chunks) chunk.pins++
    return true
  }

  unpin(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      if (--chunk.pins === 0) this.#pinnedBytes -= chunk.bytes
    }
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Room for bytes that come; given back by `arrived`, and by `unreserve` for those that do not. */
  async reserve(bytes: number): Promise<void> {
    this.#reservedBytes += bytes
    await this.#shrinkTo(this.#budgetBytes)
  }

  unreserve(bytes: number): void {
    this.#reservedBytes -= bytes
  }

  arrived(chunk: Chunk): void {
    this.#reservedBytes -= chunk.bytes
    this.#eviction.add(chunk, chunk.bytes)
  }

  /** They did not come, but for a part that takes room on disk until their file goes. */
  abandoned(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      this.#reservedBytes -= chunk.bytes
      chunk.mirror.abandon(chunk)
      this.#wasteful.add(chunk.mirror)
    }
  }

  /** It was found damaged. */
  dropped(chunk: Chunk): void {
    this.#eviction.remove(chunk)
    this.#wasteful.add(chunk.mirror)
  }

  /** Frees `bytes` more than the budget asks for: the disk has less than was thought. */
  async free(bytes: number): Promise<void> {
    await this.#shrinkTo(this.usedBytes - bytes)
  }

  /** After a release: what could not be freed before may be by now. */
  async shrink(): Promise<void> {
    await this.#discardUseless()
    if (this.usedBytes > this.#budgetBytes) await this.#shrinkTo(this.#budgetBytes)
  }

  /** Everything that nobody reads, of the files that `which` names. */
  async evict(which: (mirror: Mirror) => boolean): Promise<void> {
    for (const mirror of this.#folder.mirrors()) {
      if (mirror.pins === 0 && which(mirror)) await this.#folder.discard(mirror)
    }
  }

  /** One after the other: each looks at what the one before has left. */
  #shrinkTo(bytes: number): Promise<void> {
    this.#evicting = this.#evicting.then(() => this.#evictTo(bytes))
    return this.#evicting
  }

  async #discardUseless(): Promise<void> {
    for (const mirror of this.#wasteful) {
      if (mirror.pins === 0 && mirror.present().length === 0) await this.#folder.discard(mirror)
    }
  }

  async #evictTo(bytes: number): Promise<void> {
    await this.#discardUseless()
    while (this.usedBytes > bytes) {
      const chunk = this.#eviction.next(({ pins, mirror }) => pins === 0 && mirror.pins === 0)
      if (chunk === undefined) return
      const { mirror } = chunk
      mirror.drop(chunk)
      this.#wasteful.add(mirror)
      const usefulBytes = mirror.present().reduce((sum, each) => sum + each.bytes, 0)
      if (usefulBytes === 0) await this.#folder.discard(mirror)
      else if (mirror.deadBytes > usefulBytes && await this.#packed(mirror)) this.#wasteful.delete(mirror)
    }
  }

  /** A disk without room for the copy loses the file. */
  async #packed(mirror: Mirror): Promise<boolean> {
    try {
      await this.#folder.pack(mirror)
      return true
    } catch {
      await this.#folder.discard(mirror)
      return false
    }
  }

  #someRelease(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => reject(new QueryError('CANCELLED', 'the task was cancelled'))
      if (signal.aborted) return cancel()
      signal.addEventListener('abort', cancel, { once: true })
      this.#waiting.push(() => {
        signal.removeEventListener('abort', cancel)
        resolve()
      })
    })
  }
}

function unpinnedBytes(chunks: readonly Chunk[]): number {
  const fresh = [...new Set(chunks)].filter(({ pins }) => pins === 0)
  return fresh.reduce((sum, chunk) => sum + chunk.bytes, 0)
}
