/**
 * The mirrors on this executor's disk: which file has which, made once however many ask, taken over from the start
 * before, given new names when they are packed, removed when nobody reads them any more. The folder belongs to one
 * process.
 */

import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import { lockFolder } from '../proto/folder-lock.ts'
import { TailGuess, readTail } from './footer-tail.ts'
import type { FileKey } from './key.ts'
import { DATA_MARK, Mirror, PRESENCE_SUFFIX } from './mirror.ts'
import type { ObjectStore } from './object-store.ts'
import { withoutFilters } from './plain-footer.ts'
import { RequestLimit } from './request-limit.ts'

/** Mirrors that nobody reads, whose layouts are kept in memory: some 100 bytes a chunk. */
const MAX_LAYOUTS = 500
/** Two files each on disk; those that are not read go, the longest idle first. */
const MAX_MIRRORS = 100_000
/** Each takes a file descriptor or two while it is opened. */
const OPENED_AT_ONCE = 64
/** Presence records read at once at a start. */
const LOADS_AT_ONCE = 16

export interface FolderOptions {
  /** Absolute. */
  readonly folder: string
  readonly processId: number
  /** Never gives the same twice, over restarts too. */
  readonly newName: () => string
  readonly clock: Clock
}

export interface Acquired {
  readonly mirror: Mirror
  /** Of the end of the file, that came from the store for this call. */
  readonly bytesRead: number
}

export class MirrorFolder {
  readonly #options: FolderOptions
  readonly #unlock: () => void
  readonly #mirrors = new Map<string, Mirror>()
  /** The newest of each bucket and key. */
  readonly #newest = new Map<string, Mirror>()
  readonly #opening = new Map<string, Promise<Acquired>>()
  readonly #limit = new RequestLimit(OPENED_AT_ONCE)
  /** Of its footers, on disk. */
  #footerBytes = 0
  /** Mirrors that nobody reads whose layouts are in memory, the least recently read first. */
  readonly #idle = new Set<Mirror>()
  readonly #tails = new TailGuess()
  /** Told of a mirror that is of no use any more, before it is removed. */
  onForgotten: (mirror: Mirror) => void = () => undefined

  private constructor(options: FolderOptions, unlock: () => void) {
    this.#options = options
    this.#unlock = unlock
  }

  /** INVALID_CONFIG if another process has the folder. */
  static async open(options: FolderOptions): Promise<MirrorFolder> {
    const unlock = lockFolder('the cache folder', options.folder, options.processId)
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    const folder = new MirrorFolder(options, unlock)
    await folder.#takeOver()
    return folder
  }

  close(): void {
    this.#unlock()
  }

  get footerBytes(): number {
    return this.#footerBytes
  }

  mirrors(): readonly Mirror[] {
    return [...this.#mirrors.values()]
  }

  /** The mirror of `file`, pinned; made from its end if there is none. Who does not want it any more loses its turn. */
  acquire(store: ObjectStore, file: FileKey, isParquet: boolean, signal: AbortSignal): Promise<Acquired> {
    const inLineSinceMs = this.#options.clock.nowMs()
    return this.#limit.run(() => {
      if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled')
      return this.#acquire(store, file, isParquet, inLineSinceMs)
    })
  }

  async #acquire(
    store: ObjectStore, file: FileKey, isParquet: boolean, inLineSinceMs: number,
  ): Promise<Acquired> {
    const id = idOf(file)
    for (;;) {
      const known = this.#mirrors.get(id)
      if (known === undefined) {
        const opening = this.#opening.get(id)
        if (opening === undefined) return this.#make(id, store, file, isParquet, inLineSinceMs)
        await opening
        continue
      }
      if (await this.#pinned(known)) return { mirror: known, bytesRead: 0 }
    }
  }

  /** The mirror of `file` if there is one, pinned, with its layout. */
  acquireKnown(file: FileKey): Promise<Mirror | undefined> {
    return this.#limit.run(async () => {
      const known = this.#mirrors.get(idOf(file))
      return known !== undefined && await this.#pinned(known) ? known : undefined
    })
  }

  /** False: it was of no use, and is gone. */
  async #pinned(mirror: Mirror): Promise<boolean> {
    mirror.pins++
    this.#idle.delete(mirror)
    if (await mirror.usable().catch(() => false)) return true
    this.forget(mirror)
    await this.release(mirror)
    return false
  }

  /** The mirror that there is, without a look at it. */
  known(file: FileKey): Mirror | undefined {
    return this.#mirrors.get(idOf(file))
  }

  /** One of the caller's own, pinned, which goes when it is released. */
  async passing(store: ObjectStore, file: FileKey, isParquet: boolean): Promise<Acquired> {
    const made = await this.#create(store, file, isParquet, this.#options.clock.nowMs())
    made.mirror.passing = true
    made.mirror.pins++
    return made
  }

  async release(mirror: Mirror): Promise<void> {
    if (--mirror.pins > 0) return
    if (mirror.passing || this.#mirrors.get(idOf(mirror.file)) !== mirror) return mirror.remove()
    mirror.rest()
    this.#idle.delete(mirror)
    this.#idle.add(mirror)
    const [oldest] = this.#idle
    if (oldest === undefined) return
    if (this.#mirrors.size > MAX_MIRRORS) await this.discard(oldest)
    else if (this.#idle.size > MAX_LAYOUTS) {
      this.#idle.delete(oldest)
      oldest.forgetLayout()
    }
  }

  /** It is not given to anyone any more; it goes now, or when it is released. */
  forget(mirror: Mirror): void {
    const id = idOf(mirror.file)
    if (this.#mirrors.get(id) === mirror) {
      this.#mirrors.delete(id)
      this.#footerBytes -= mirror.head.footerBytes
      if (this.#newest.get(placeOf(mirror.file)) === mirror) this.#newest.delete(placeOf(mirror.file))
    }
    this.#idle.delete(mirror)
    this.onForgotten(mirror)
  }

  async discard(mirror: Mirror): Promise<void> {
    this.forget(mirror)
    if (mirror.pins === 0) await mirror.remove()
  }

  /** Copies what is of use of a mirror that nobody reads to a new name: there is no other way to free the rest. */
  async pack(mirror: Mirror): Promise<void> {
    await mirror.pack(await this.#freshBase(mirror.file))
  }

  async #make(
    id: string, store: ObjectStore, file: FileKey, isParquet: boolean, inLineSinceMs: number,
  ): Promise<Acquired> {
    const making = this.#create(store, file, isParquet, inLineSinceMs)
    this.#opening.set(id, making)
    try {
      const made = await making
      made.mirror.pins++
      const older = this.#enter(made.mirror)
      if (older !== undefined && older.pins === 0) await this.discard(older)
      return made
    } finally {
      this.#opening.delete(id)
    }
  }

  /** Gives the mirror of what the file was before: nobody will ask for it again. */
  #enter(mirror: Mirror): Mirror | undefined {
    const id = idOf(mirror.file)
    this.#footerBytes += mirror.head.footerBytes - (this.#mirrors.get(id)?.head.footerBytes ?? 0)
    this.#mirrors.set(id, mirror)
    const place = placeOf(mirror.file)
    const before = this.#newest.get(place)
    this.#newest.set(place, mirror)
    return before !== undefined && before.file.etag !== mirror.file.etag ? before : undefined
  }

  async #create(
    store: ObjectStore, file: FileKey, isParquet: boolean, inLineSinceMs: number,
  ): Promise<Acquired> {
    const base = await this.#freshBase(file)
    if (!isParquet) return { mirror: await Mirror.create(base, file, null), bytesRead: 0 }
    const waited = { elsewhereMs: 0, inLineSinceMs }
    const { metadata, footerBytes, bytesRead } = await readTail(store, file, this.#tails.of(file), waited)
    this.#tails.learn(file, footerBytes)
    return { mirror: await Mirror.create(base, file, withoutFilters(metadata, file)), bytesRead }
  }

  /** In folders that are named like those of the key which say what partition it is of. */
  async #freshBase({ bucket, key, etag }: FileKey): Promise<string> {
    const hash = createHash('sha256').update([bucket, key, etag].join('\0')).digest('hex').slice(0, 40)
    const folder = join(this.#options.folder, ...partitionFolders(key))
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return join(folder, `${hash}-${this.#options.newName()}`)
  }

  /** Of two mirrors of one file, which a kill may leave, and of what is no mirror, only what is known stays. */
  async #takeOver(): Promise<void> {
    const { folder } = this.#options
    const files = (await readdir(folder, { recursive: true })).map(name => join(folder, name))
    const queue = files.filter(path => path.endsWith(PRESENCE_SUFFIX))
    const turn = async (): Promise<void> => {
      for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
        const mirror = await Mirror.load(path.slice(0, -PRESENCE_SUFFIX.length))
        if (mirror !== undefined) this.#enter(mirror)
      }
    }
    await Promise.all(Array.from({ length: LOADS_AT_ONCE }, turn))
    const known = new Set([...this.#mirrors.values()].flatMap(({ path, presencePath }) => [path, presencePath]))
    const left = files.filter(path => !known.has(path) && isOurs(path))
    await Promise.all(left.map(path => rm(path, { force: true })))
  }
}

function isOurs(path: string): boolean {
  return path.endsWith(PRESENCE_SUFFIX) || basename(path).includes(DATA_MARK)
}

/** As DuckDB finds partition values: by the folders of a path. */
function partitionFolders(key: string): string[] {
  return key.split('/').slice(0, -1).filter(name => name.includes('='))
}

function placeOf({ bucket, key }: FileKey): string {
  return `${bucket}\0${key}`
}

/** Same id, same bytes. */
export function idOf({ bucket, key, etag }: FileKey): string {
  return `${bucket}\0${key}\0${etag}`
}
