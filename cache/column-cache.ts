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

import type { Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import { CacheRoom } from './cache-room.ts'
import type { CachedFile, CacheStatus } from './cache-status.ts'
import { wantedChunks } from './column-chunks.ts'
import { diskError, fetchChunks } from './fetch.ts'
import { join, type Flight, type Flown } from './flight.ts'
import { Hold, type Brought, type Opened } from './hold.ts'
import type { FileKey } from './key.ts'
import type { Chunk, Mirror } from './mirror.ts'
import { MirrorFolder, idOf, type FolderOptions } from './mirror-folder.ts'
import type { PeerReader } from './peer-reader.ts'
import { RequestLimit } from './request-limit.ts'
import { settledOrEnded } from './settled.ts'
import {
  hereOf, type Here, type Lent, type OpenFiles, type WantedBytes, type WantedFile,
} from './wanted-file.ts'

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

export interface CacheOptions extends FolderOptions {
  readonly budgetBytes: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly peers: PeerReader
}

/** For a task, for one that waits and will count what is fetched, or for another executor. */
type Use = 'task' | 'ahead' | 'lend'

export class ColumnCache {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #peers: PeerReader
  readonly #folder: MirrorFolder
  readonly #room: CacheRoom
  readonly #flights = new Map<Chunk, Flight>()
  /** Bytes that passing mirrors hold of the room. */
  readonly #passing = new Map<Mirror, number>()
  readonly #limit = new RequestLimit(READS_AT_ONCE)
  readonly #fills = new RequestLimit(FILES_AT_ONCE)
  /** Files that DuckDB stumbled over. */
  readonly #distrusted = new Set<string>()
  readonly #counts = { bytesFetched: 0, bytesCached: 0, bytesFromPeers: 0, damaged: 0 }

  private constructor(folder: MirrorFolder, { budgetBytes, clock, random, peers }: CacheOptions) {
    this.#clock = clock
    this.#random = random
    this.#peers = peers
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
      return { files: await this.#bringAll(opened, 'task', signal), release }
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
      if (hold.isPinned) await this.#bringAll(opened, 'ahead', signal)
    } finally {
      await this.#letGo(hold)
    }
  }

  /**
   * Chunks for another executor, which stay until they are released. Nothing here is waited for but the store, or two
   * that lend to each other could wait for ever: EXECUTOR_FULL if they come from elsewhere, DISK_FULL without room.
   */
  async lend(wanted: WantedFile, numbers: readonly number[], signal: AbortSignal): Promise<Lent> {
    const hold = new Hold()
    try {
      const { mirror, bytesRead } = await this.#withRoom(FOOTER_ROOM_BYTES, () => this.#acquire(wanted, signal))
      hold.mirrors.push(mirror)
      const known = numbers.filter(number => number < mirror.ready.chunks.length)
      if (known.length < numbers.length) throw new QueryError('INVALID_REQUEST', `${wanted.file.key} has no such chunk`)
      const chunks = known.map(number => mirror.chunk(number))
      hold.chunks.push(...chunks)
      hold.isPinned = this.#room.tryPin(chunks)
      if (!hold.isPinned) throw new QueryError('DISK_FULL', 'no room beside what tasks read')
      const opened = { wanted, mirror, footerBytes: bytesRead, chunks }
      await this.#verifySome([opened])
      const { own, bytesFetched } = await this.#bring(opened, 'lend', signal)
      const extraBytes = Math.max(0, bytesFetched - bytesOf([...own]))
      return { mirror, chunks, own, extraBytes, release: () => this.#letGo(hold) }
    } catch (error) {
      await this.#letGo(hold)
      throw diskError(error)
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

  #bringAll(opened: readonly Opened[], use: Use, signal: AbortSignal): Promise<Brought[]> {
    return settledOrEnded(signal, ends => opened.map(each => this.#bring(each, use, ends)))
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

  /** How much is here of what a task would read. Fetches nothing, and counts as no use. */
  here(wanted: WantedBytes): Promise<Here> {
    return this.#look(wanted.file, { bytes: 0, isAll: false }, mirror => hereOf(this.#chunksOf(mirror, wanted)))
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

  /** Until all of its chunks are whole. */
  async #bring(
    { wanted, mirror, footerBytes, chunks }: Opened, use: Use, signal: AbortSignal,
  ): Promise<Brought> {
    const own = new Set<Chunk>()
    let bytesFetched = footerBytes
    for (;;) {
      const missing = chunks.filter(({ checksum }) => checksum === null)
      if (missing.length === 0) break
      const fresh = missing.filter(chunk => !this.#flights.has(chunk))
      if (fresh.length > 0) {
        for (const chunk of fresh) own.add(chunk)
        for (const chunk of fresh) chunk.unclaimed = use === 'ahead'
        const { bytes, lent } = await join(this.#start(mirror, fresh, wanted, use), signal)
        bytesFetched += bytes
        for (const chunk of lent) own.delete(chunk)
      }
      const others = new Set(missing.flatMap(chunk => this.#flights.get(chunk) ?? []))
      for (const flight of others) {
        if (use === 'lend' && flight.asksPeer) throw new QueryError('EXECUTOR_FULL', 'it comes from another executor')
        // one that ended because nobody wanted it is begun anew
        if (flight.controller.signal.aborted) await flight.done.catch(() => undefined)
        else await join(flight, signal)
      }
    }
    if (use === 'ahead') return { path: mirror.path, bytesFetched, bytesCached: 0, own }
    let bytesCached = 0
    for (const chunk of chunks) {
      if (chunk.unclaimed) {
        bytesFetched += chunk.bytes
        own.add(chunk)
      } else if (!own.has(chunk)) bytesCached += chunk.bytes
      chunk.unclaimed = false
    }
    bytesFetched += mirror.unclaimedBytes
    mirror.unclaimedBytes = 0
    if (use === 'lend') return { path: mirror.path, bytesFetched, bytesCached, own } // the borrower's task counts it
    this.#counts.bytesFetched += bytesFetched
    this.#counts.bytesCached += bytesCached
    return { path: mirror.path, bytesFetched, bytesCached, own }
  }

  /** The mirror stays as long as something may be written to it, also when nobody wants that any more. */
  #start(mirror: Mirror, chunks: readonly Chunk[], wanted: WantedFile, use: Use): Flight {
    const controller = new AbortController()
    const hold = new Hold()
    hold.mirrors.push(mirror)
    mirror.pins++
    const isAsked = wanted.peer !== null && use !== 'lend' && !this.#distrusted.has(idOf(mirror.file))
    const peer = isAsked ? wanted.peer : null
    const done = this.#fetch(mirror, chunks, { ...wanted, peer }, controller.signal).then(flown => {
      const own = chunks.filter(chunk => !flown.lent.has(chunk))
      if (use === 'ahead') mirror.unclaimedBytes += Math.max(0, flown.bytes - bytesOf(own))
      return flown
    }).finally(() => {
      for (const chunk of chunks) this.#flights.delete(chunk)
      return this.#letGo(hold)
    })
    done.catch(() => undefined) // whoever joins it is told
    const flight: Flight = { controller, done, asksPeer: peer !== null, waiters: 0 }
    for (const chunk of chunks) this.#flights.set(chunk, flight)
    return flight
  }

  async #fetch(
    mirror: Mirror, chunks: readonly Chunk[], { store, peer, isParquet }: WantedFile, signal: AbortSignal,
  ): Promise<Flown> {
    const wanted = bytesOf(chunks)
    await this.#room.reserve(wanted)
    const passing = this.#passing.get(mirror)
    if (passing !== undefined) this.#passing.set(mirror, passing + wanted)
    const missing = (): Chunk[] => chunks.filter(({ checksum }) => checksum === null)
    const onWhole = (number: number): void => { if (passing === undefined) this.#room.arrived(mirror.chunk(number)) }
    const lent = new Set<Chunk>()
    let bytes = 0
    const borrow = async (address: string): Promise<number> => {
      const { extraBytes, waitedMs } = await this.#peers.bring({
        address, mirror, isParquet, chunks: missing().map(({ number }) => number), signal,
        onWhole: (number, fetched) => {
          const chunk = mirror.chunk(number)
          if (fetched) bytes += chunk.bytes
          else {
            lent.add(chunk)
            chunk.unclaimed = false
          }
          this.#counts.bytesFromPeers += chunk.bytes
          onWhole(number)
        },
      })
      bytes += extraBytes
      return waitedMs
    }
    const fetch = async (): Promise<void> => {
      const elsewhereMs = peer === null ? 0 : await borrow(peer)
      const rest = missing().map(({ number }) => number)
      if (rest.length === 0) return
      const waited = { elsewhereMs, inLineSinceMs: this.#clock.nowMs() }
      bytes += await this.#fills.run(() =>
        fetchChunks({ store, mirror, chunks: rest, signal, limit: this.#limit, waited, onWhole }))
    }
    try {
      await this.#withRoom(wanted, fetch)
      return { bytes, lent }
    } finally {
      if (passing === undefined) this.#room.abandoned(missing())
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
}

function bytesOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { bytes }) => sum + bytes, 0)
}
