/**
 * Lists of remote folders, shared by the tables that have files there: one pass over a folder finds the files of every
 * pattern that was asked for lately, so that each of them is known for as long as a list counts as the present. Keys
 * that no pattern wants are not kept, and what nobody takes over some lists is not looked for any more.
 */

import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import type { Clock } from '../proto/clock.ts'
import type { FilePattern } from './definitions.ts'
import { parseGlob } from './glob.ts'

/** Of all stores; those that were asked for longest ago are forgotten. */
const MAX_FOLDERS = 10_000
/** Lists whose files nobody has taken: then the table is not asked for any more. */
const MAX_UNTAKEN = 10
/** A long list is kept so many times its own length, so that queries do not spend their time listing. */
const TTL_PER_LISTING = 10

export interface Listed {
  readonly files: readonly FileKey[]
  readonly startedMs: number
  readonly tookMs: number
}

/** How old a list may be. */
export interface Freshness {
  readonly ttlMs: number
  /** From `mark`: only lists that began after it; 0: any. */
  readonly after: number
}

/** Until when a list counts as the present. */
export function goodUntilMs({ startedMs, tookMs }: Pick<Listed, 'startedMs' | 'tookMs'>, ttlMs: number): number {
  return startedMs + Math.max(ttlMs, TTL_PER_LISTING * tookMs)
}

interface Found extends Listed {
  readonly serial: number
  /** Lists before it whose files were not taken either. */
  readonly untaken: number
}

interface Run {
  readonly serial: number
  /** Whoever waits for it: the others' files are kept for them. */
  readonly askers: Set<FilePattern>
  /** Patterns that it looks for; null: it has not begun, and takes more. */
  patterns: ReadonlySet<FilePattern> | null
  readonly found: Promise<ReadonlyMap<FilePattern, Found>>
}

interface Folder {
  /** By pattern what was found and not taken; null: it was taken. */
  readonly known: Map<FilePattern, Found | null>
  run: Run | null
}

export class Listings {
  readonly #clock: Clock
  /** The least recently asked for first. */
  readonly #folders = new Map<string, Folder>()
  /** So that a bucket that becomes another one begins anew. */
  readonly #stores = new WeakMap<ObjectStore, number>()
  #serials = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What is found without a list. */
  async alone(find: () => Promise<readonly FileKey[]>): Promise<Listed> {
    const startedMs = this.#clock.nowMs()
    return { files: await find(), startedMs, tookMs: this.#clock.nowMs() - startedMs }
  }

  /** Lists that began by now are too old for who asks with it. */
  mark(): number {
    return this.#serials
  }

  /** The files that match, in no order; of more than `most`, some more than that. */
  async files(store: ObjectStore, pattern: FilePattern, most: number, wanted: Freshness): Promise<Listed> {
    const { folder: path } = parseGlob(pattern.glob)
    const folder = this.#folder(store, path)
    const known = folder.known.get(pattern) ?? null
    folder.known.set(pattern, null)
    if (known !== null && known.serial > wanted.after && this.#clock.nowMs() < goodUntilMs(known, wanted.ttlMs)) {
      return known
    }
    const { run } = folder
    const isJoined = run !== null && run.serial > wanted.after && (run.patterns?.has(pattern) ?? true)
    const mine = isJoined ? run : this.#begin(store, pattern.bucket, path, folder, most)
    mine.askers.add(pattern)
    const found = (await mine.found).get(pattern)
    if (found === undefined) throw new Error('a pattern that was not looked for')
    return found
  }

  #folder(store: ObjectStore, path: string): Folder {
    const number = this.#stores.get(store) ?? ++this.#serials
    this.#stores.set(store, number)
    const key = `${number} ${path}`
    const folder = this.#folders.get(key) ?? { known: new Map(), run: null }
    this.#folders.delete(key)
    this.#folders.set(key, folder)
    const [oldest] = this.#folders.keys()
    if (this.#folders.size > MAX_FOLDERS && oldest !== undefined) this.#folders.delete(oldest)
    return folder
  }

  #begin(store: ObjectStore, bucket: string, path: string, folder: Folder, most: number): Run {
    const run: Run = {
      serial: ++this.#serials, askers: new Set(), patterns: null,
      // those who ask in the same moment come along
      found: Promise.resolve().then(() => this.#list(store, bucket, path, folder, run, most)).finally(() => {
        if (folder.run === run) folder.run = null
      }),
    }
    folder.run = run
    return run
  }

  async #list(
    store: ObjectStore, bucket: string, path: string, { known }: Folder, run: Run, most: number,
  ): Promise<ReadonlyMap<FilePattern, Found>> {
    const startedMs = this.#clock.nowMs()
    for (const [pattern, found] of known) {
      if (found !== null && found.untaken >= MAX_UNTAKEN && !run.askers.has(pattern)) known.delete(pattern)
    }
    run.patterns = new Set([...known.keys(), ...run.askers])
    const globs = [...run.patterns].map(pattern => {
      const files: FileKey[] = []
      return { pattern, wants: parseGlob(pattern.glob).wants, files }
    })
    const isWanted = (name: string): boolean => globs.some(({ wants }) => wants(name))
    for await (const { key, etag, sizeBytes } of store.list(path, { wants: isWanted })) {
      for (const { wants, files } of globs) {
        if (files.length <= most && wants(key)) files.push({ bucket, key, etag, sizeBytes })
      }
    }
    const tookMs = this.#clock.nowMs() - startedMs
    const all = new Map<FilePattern, Found>()
    for (const { pattern, files } of globs) {
      const before = known.get(pattern)
      const found = { files, startedMs, tookMs, serial: run.serial, untaken: before ? before.untaken + 1 : 0 }
      all.set(pattern, found)
      if (!run.askers.has(pattern) && before !== undefined) known.set(pattern, found)
    }
    return all
  }
}
