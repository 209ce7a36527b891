/**
 * The cache of remote files on this executor's disk: mirrors, by bucket, key and etag, of which each holds the column
 * chunks that somebody needed. `open` brings what is missing and gives paths that stay good until they are released.
 *
 *   who wants the same chunk    waits for the one fetch; it is stopped when nobody wants it any more
 *   room                        chunks that are read stay; of the others `Eviction` says who goes. A task whose chunks
 *                               do not fit beside those being read waits for them; one that never can is refused
 *   restart, kill               what is on disk is taken over, and checked before its first use
 *
 * Memory holds the list of chunks and their checksums; hot bytes are in the system's page cache: none are held twice.
 */

import { QueryError } from '../proto/errors.ts'
import { CacheRoom } from './cache-room.ts'
import { wantedChunks, type Rows } from './column-chunks.ts'
import { diskError, fetchChunks } from './fetch.ts'
import type { FileKey } from './key.ts'
import type { Chunk, Mirror } from './mirror.ts'
import { MirrorFolder, idOf, type FolderOptions } from './mirror-folder.ts'
import type { ObjectStore } from './object-store.ts'
import { RequestLimit } from './request-limit.ts'
import { settledOrEnded } from './settled.ts'

/** One of so many uses of a chunk compares its checksum: a disk that loses bits does not stay unseen. */
const USES_PER_CHECK = 1000
/** Each holds at most 8 MiB. */
const READS_AT_ONCE = 16
/** Files that are written to, with two descriptors each. */
const FILES_AT_ONCE = 32
/** Then all are forgotten: they may be tried once more. */
const MAX_DISTRUSTED = 1000
/** Made on a full disk for the footer of a file. */
const FOOTER_ROOM_BYTES = 1024 * 1024

/** Of one file. */
export interface WantedBytes {
  readonly file: FileKey
  /** Names; null: all. */
  readonly columns: readonly string[] | null
  /** Null: all. */
  readonly rows: Rows | null
}

export interface WantedFile extends WantedBytes {
  readonly store: ObjectStore
  /** False: CSV, JSON, which are read from their start to their end. */
  readonly isParquet: boolean
  /** True: it is read here once, and belongs into another executor's cache. */
  readonly passing: boolean
}

export interface OpenFile {
  readonly path: string
  /** That came from the bucket for this call. */
  readonly bytesFetched: number
  /** Of what is read: that was here, or that another call brought. */
  readonly bytesCached: number
}

export interface OpenFiles {
  /** In the order in which they were wanted. */
  readonly files: readonly OpenFile[]
  release(): Promise<void>
}

export interface CacheOptions extends FolderOptions {
  readonly budgetBytes: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export interface CachedFile {
  readonly file: FileKey
  readonly chunks: number
  readonly bytes: number
}

export interface CacheStatus {
  readonly budgetBytes: number
  readonly usedBytes: number
  readonly files: number
  readonly chunks: number
  /** Since the start. */
  readonly bytesFetched: number
  readonly bytesCached: number
  /** Chunks that were not what their checksums say. */
  readonly damaged: number
}

/** One fetch of some chunks of a mirror. */
interface Flight {
  readonly controller: AbortController
  /** Bytes that came from the store. */
  readonly done: Promise<number>
  waiters: number
}

interface Opened {
  readonly wanted: WantedFile
  readonly mirror: Mirror
  /** Of its footer, that came for this call. */
  readonly footerBytes: number
  readonly chunks: readonly Chunk[]
}

/** What a call keeps from going. */
class Hold {
  readonly mirrors: Mirror[] = []
  readonly chunks: Chunk[] = []
  isPinned = false
}

export class ColumnCache {
  readonly #random: () => number
  readonly #folder: MirrorFolder
  readonly #room: CacheRoom
  readonly #flights = new Map<Chunk, Flight>()
  /** Bytes that passing mirrors hold of the room. */
  readonly #passing = new Map<Mirror, number>()
  readonly #limit = new RequestLimit(READS_AT_ONCE)
  readonly #fills = new RequestLimit(FILES_AT_ONCE)
  /** Files that DuckDB stumbled over. */
  readonly #distrusted = new Set<string>()
  readonly #counts = { bytesFetched: 0, bytesCached: 0, damaged: 0 }

  private constructor(folder: MirrorFolder, { budgetBytes, random }: CacheOptions) {
    this.#random = random
    this.#folder = folder
    this.#room = new CacheRoom(budgetBytes, folder)
  }

  /** Takes over what is in the folder. INVALID_CONFIG if another process has it. */
  static async open(options: CacheOptions): Promise<ColumnCache> {
    return new ColumnCache(await MirrorFolder.open(options), options)
  }

  close(): void {
    for (const { controller } of this.#flights.values()) controller.abort()
    this.#folder.close()
  }

  status(): CacheStatus {
    const mirrors = this.#folder.mirrors()
    return {
      budgetBytes: this.#room.budgetBytes, usedBytes: this.#room.usedBytes, files: mirrors.length,
      chunks: mirrors.reduce((sum, mirror) => sum + mirror.present().length, 0), ...this.#counts,
    }
  }

  /** All of them or none. They are the files of one task: two calls of one task could wait for each other's room. */
  async open(wanted: readonly WantedFile[], signal: AbortSignal): Promise<OpenFiles> {
    const hold = new Hold()
    const release = (): Promise<void> => this.#letGo(hold)
    try {
      const opened = await this.#hold(hold, wanted, signal)
      await this.#room.pin(hold.chunks, signal)
      hold.isPinned = true
      await this.#verifySome(opened)
      return { files: await this.#bringAll(opened, false, signal), release }
    } catch (error) {
      await release()
      throw diskError(error)
    }
  }

  /**
   * Brings what a task that waits for its turn will read, unless there is no room now, and holds nothing of it: a task
   * that waits must not keep room from one that runs. The task counts the bytes as its own.
   */
  async prefetch(wanted: readonly WantedFile[], signal: AbortSignal): Promise<void> {
    const hold = new Hold()
    try {
      const opened = await this.#hold(hold, wanted.filter(({ passing }) => !passing), signal)
      for (const { mirror, footerBytes } of opened) mirror.unclaimedBytes += footerBytes
      hold.isPinned = this.#room.tryPin(hold.chunks)
      if (hold.isPinned) await this.#bringAll(opened, true, signal)
    } finally {
      await this.#letGo(hold)
    }
  }

  /** After a failure, or when it is not wanted any more, no other file is begun. */
  #hold(hold: Hold, wanted: readonly WantedFile[], signal: AbortSignal): Promise<Opened[]> {
    return settledOrEnded(signal, ends => wanted.map(async (file): Promise<Opened> => {
      const { mirror, bytesRead } = await this.#withRoom(FOOTER_ROOM_BYTES, () => this.#acquire(file, ends))
      const chunks = this.#chunksOf(mirror, file)
      hold.mirrors.push(mirror)
      hold.chunks.push(...chunks)
      return { wanted: file, mirror, footerBytes: bytesRead, chunks }
    }))
  }

  async #letGo(hold: Hold): Promise<void> {
    if (hold.isPinned) this.#room.unpin(hold.chunks)
    hold.isPinned = false
    for (const mirror of hold.mirrors.splice(0)) await this.#release(mirror)
    await this.#room.shrink()
  }

  #bringAll(opened: readonly Opened[], ahead: boolean, signal: AbortSignal): Promise<OpenFile[]> {
    return settledOrEnded(signal, ends => opened.map(each => this.#bring(each, ahead, ends)))
  }

  /**
   * DuckDB stumbled over some of these: they are given up. True: it may be tried again, with files that are brought
   * anew and with all their columns; false: that has been done before.
   */
  async distrust(paths: readonly string[]): Promise<boolean> {
    let again = false
    const known = [...this.#folder.mirrors(), ...this.#passing.keys()]
    for (const mirror of known.filter(({ path }) => paths.includes(path))) {
      const id = idOf(mirror.file)
      if (this.#distrusted.has(id)) continue
      again = true
      if (this.#distrusted.size >= MAX_DISTRUSTED) this.#distrusted.clear()
      this.#distrusted.add(id)
      await this.#folder.discard(mirror)
    }
    return again
  }

  /** How many bytes are here of what a task would read. Fetches nothing, and counts as no use. */
  here(wanted: WantedBytes): Promise<number> {
    return this.#look(wanted.file, 0, mirror =>
      bytesOf(this.#chunksOf(mirror, wanted).filter(({ checksum }) => checksum !== null)))
  }

  /** The columns of which something is here, in small letters; '' of a file that is no Parquet. Counts as no use. */
  columnsOf(file: FileKey): Promise<readonly string[]> {
    return this.#look<readonly string[]>(file, [], mirror => mirror.presentColumns())
  }

  async #look<T>(file: FileKey, none: T, see: (mirror: Mirror) => T): Promise<T> {
    const mirror = await this.#folder.acquireKnown(file)
    if (mirror === undefined) return none
    try { return see(mirror) } finally { await this.#folder.release(mirror) }
  }

  /** The files of which something is here. */
  files(): CachedFile[] {
    return this.#folder.mirrors().map(mirror =>
      ({ file: mirror.file, chunks: mirror.present().length, bytes: bytesOf(mirror.present()) }))
  }

  /** Gives up what nobody reads, of the files that `which` names. */
  evict(which: (file: FileKey) => boolean): Promise<void> {
    return this.#room.evict(({ file }) => which(file))
  }

  async #acquire({ store, file, isParquet, passing, ...want }: WantedFile, signal: AbortSignal) {
    if (!passing) return this.#folder.acquire(store, file, isParquet, signal)
    const known = this.#folder.known(file)
    if (known !== undefined) {
      const acquired = await this.#folder.acquire(store, file, isParquet, signal)
      const chunks = this.#chunksOf(acquired.mirror, want)
      if (chunks.every(({ checksum }) => checksum !== null)) return acquired
      await this.#release(acquired.mirror)
    }
    const own = await this.#folder.passing(store, file, isParquet)
    this.#passing.set(own.mirror, 0)
    return own
  }

  async #release(mirror: Mirror): Promise<void> {
    await this.#folder.release(mirror)
    const passing = this.#passing.get(mirror)
    if (passing === undefined || mirror.pins > 0) return
    this.#passing.delete(mirror)
    this.#room.unreserve(passing)
  }

  #chunksOf(mirror: Mirror, { columns, rows }: Pick<WantedFile, 'columns' | 'rows'>): Chunk[] {
    const all = this.#distrusted.has(idOf(mirror.file))
    return wantedChunks(mirror.ready, all ? null : columns, rows).map(number => mirror.chunk(number))
  }

  /** What is not trusted, and a few others. */
  async #verifySome(opened: readonly Opened[]): Promise<void> {
    for (const { mirror, chunks } of opened) {
      const doubtful = chunks.filter(({ checksum, trusted }) =>
        checksum !== null && (!trusted || this.#random() * USES_PER_CHECK < 1))
      await this.#verify(mirror, doubtful)
    }
  }

  /** True if some were damaged; they are not here any more. */
  async #verify(mirror: Mirror, chunks: readonly Chunk[]): Promise<boolean> {
    const damaged = await mirror.verify(chunks)
    for (const chunk of damaged) this.#room.dropped(chunk)
    this.#counts.damaged += damaged.length
    return damaged.length > 0
  }

  /** Until all of its chunks are whole. `ahead`: a task will count what is fetched. */
  async #bring(
    { wanted, mirror, footerBytes, chunks }: Opened, ahead: boolean, signal: AbortSignal,
  ): Promise<OpenFile> {
    const own = new Set<Chunk>()
    let bytesFetched = footerBytes
    for (;;) {
      const missing = chunks.filter(({ checksum }) => checksum === null)
      if (missing.length === 0) break
      const fresh = missing.filter(chunk => !this.#flights.has(chunk))
      if (fresh.length > 0) {
        for (const chunk of fresh) own.add(chunk)
        for (const chunk of fresh) chunk.unclaimed = ahead
        const flight = this.#start(mirror, fresh, ahead, wanted.store)
        bytesFetched += await this.#join(flight, signal)
      }
      const others = new Set(missing.flatMap(chunk => this.#flights.get(chunk) ?? []))
      for (const flight of others) {
        // one that ended because nobody wanted it is begun anew
        if (flight.controller.signal.aborted) await flight.done.catch(() => undefined)
        else await this.#join(flight, signal)
      }
    }
    if (ahead) return { path: mirror.path, bytesFetched, bytesCached: 0 }
    let bytesCached = 0
    for (const chunk of chunks) {
      if (chunk.unclaimed) bytesFetched += chunk.bytes
      else if (!own.has(chunk)) bytesCached += chunk.bytes
      chunk.unclaimed = false
    }
    bytesFetched += mirror.unclaimedBytes
    mirror.unclaimedBytes = 0
    this.#counts.bytesFetched += bytesFetched
    this.#counts.bytesCached += bytesCached
    return { path: mirror.path, bytesFetched, bytesCached }
  }

  #start(mirror: Mirror, chunks: readonly Chunk[], ahead: boolean, store: ObjectStore): Flight {
    const controller = new AbortController()
    const done = this.#fetch(mirror, chunks, store, controller.signal).then(bytes => {
      if (ahead) mirror.unclaimedBytes += bytes - bytesOf(chunks)
      return bytes
    }).finally(() => {
      for (const chunk of chunks) this.#flights.delete(chunk)
    })
    done.catch(() => undefined) // whoever joins it is told
    const flight: Flight = { controller, done, waiters: 0 }
    for (const chunk of chunks) this.#flights.set(chunk, flight)
    return flight
  }

  async #fetch(
    mirror: Mirror, chunks: readonly Chunk[], store: ObjectStore, signal: AbortSignal,
  ): Promise<number> {
    const wanted = bytesOf(chunks)
    await this.#room.reserve(wanted)
    const passing = this.#passing.get(mirror)
    if (passing !== undefined) this.#passing.set(mirror, passing + wanted)
    const fetch = (): Promise<number> => {
      const numbers = chunks.filter(({ checksum }) => checksum === null).map(({ number }) => number)
      return this.#fills.run(() => fetchChunks({
        store, mirror, chunks: numbers, signal, limit: this.#limit,
        onWhole: number => { if (passing === undefined) this.#room.arrived(mirror.chunk(number)) },
      }))
    }
    try {
      return await this.#withRoom(wanted, fetch)
    } finally {
      const missing = chunks.filter(({ checksum }) => checksum === null)
      if (passing === undefined) this.#room.abandoned(missing)
    }
  }

  /** A disk may have less room than the budget: then others make some, once. */
  async #withRoom<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      const error = diskError(thrown)
      if (!(error instanceof QueryError) || error.code !== 'DISK_FULL') throw error
      await this.#room.free(bytes)
      return work()
    }
  }

  /** Waits for it as long as it is wanted here; the last who goes ends it. */
  async #join(flight: Flight, signal: AbortSignal): Promise<number> {
    flight.waiters++
    let leave = (): void => undefined
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(new QueryError('CANCELLED', 'the task was cancelled'))
      if (signal.aborted) leave()
      else signal.addEventListener('abort', leave, { once: true })
    })
    try {
      return await Promise.race([flight.done, left])
    } finally {
      signal.removeEventListener('abort', leave)
      if (--flight.waiters === 0 && signal.aborted) flight.controller.abort()
    }
  }
}

function bytesOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { bytes }) => sum + bytes, 0)
}
