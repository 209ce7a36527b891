/**
 * The folder of skeletons: one file a table version, named by the version's hash, written once and never changed, so
 * DuckDB may keep what it read of a path. Skeletons of versions that are gone stay for a while, for queries that are
 * being planned on them; then the oldest are removed.
 */

import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { QueryError } from '../proto/errors.ts'

/** Beyond those of the tables at hand. Planning takes seconds at most; a table changes once in its TTL. */
const MAX_OLD_SKELETONS = 64
const SUFFIX = '.parquet'

export class SkeletonFiles {
  readonly #folder: string
  readonly #current = new Map<string, string>()
  #written = 0

  /** Absolute; made when it is needed. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Path of the skeleton of `version`, which becomes the one of `table`; `make` is asked if it is not there yet. */
  async put(table: string, version: string, make: () => Uint8Array): Promise<string> {
    const name = `${version}${SUFFIX}`
    const path = join(this.#folder, name)
    try {
      if (!await exists(path)) await this.#write(path, make())
    } catch (error) {
      const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
      if (!full) throw error
      throw new QueryError('DISK_FULL', `no room for skeletons in ${this.#folder}`, { cause: error })
    }
    if (this.#current.get(table) !== name) {
      this.#current.set(table, name)
      await this.#removeOld()
    }
    return path
  }

  /** No table has it any more. */
  forget(table: string): void {
    this.#current.delete(table)
  }

  /** Whole or not at all, also after a crash. */
  async #write(path: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const unfinished = `${path}.${process.pid}.${this.#written++}`
    await writeFile(unfinished, bytes)
    await rename(unfinished, path)
  }

  async #removeOld(): Promise<void> {
    const current = new Set(this.#current.values())
    const old = (await readdir(this.#folder)).filter(name => !current.has(name))
    if (old.length <= MAX_OLD_SKELETONS) return
    const aged = await Promise.all(old.map(async name => {
      const path = join(this.#folder, name)
      const mtimeMs = await stat(path).then(stats => stats.mtimeMs, () => 0) // removed meanwhile: nothing to lose
      return { path, mtimeMs }
    }))
    aged.sort((a, b) => b.mtimeMs - a.mtimeMs)
    await Promise.all(aged.slice(MAX_OLD_SKELETONS).map(({ path }) => rm(path, { force: true })))
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false)
}
