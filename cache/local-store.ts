/**
 * A bucket that is a folder of this machine. Every process that uses it sees the same folder. An etag is made from
 * size, times of modification and of change in nanoseconds, and inode, so a file that is replaced or written to has
 * another one, also if its writer set the time of modification back. No path leaves the folder: neither by `..` nor by
 * a symbolic link. Links inside the folder are followed.
 */

import { statSync, type BigIntStats } from 'node:fs'
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { QueryError } from '../proto/errors.ts'
import type { ListOptions, ObjectStore, StoredObject } from './object-store.ts'

/** Folders below folders; a link that points to a folder above itself ends here. */
const MAX_DEPTH = 64
/** Real paths kept; some hundred bytes each. */
const MAX_PATHS = 100_000

export class LocalStore implements ObjectStore {
  readonly #bucket: string
  readonly #folder: string
  /** Real paths by key, of files that were where their etag said. */
  readonly #paths = new Map<string, string>()

  /** `bucket` names it in messages; `folder` is absolute. */
  constructor(bucket: string, folder: string) {
    this.#bucket = bucket
    this.#folder = folder
  }

  async head(key: string): Promise<StoredObject> {
    const path = await this.#path(key)
    return stored(key, this.#file(key, await this.#ask(key, stat(path, { bigint: true }))))
  }

  async readRange(key: string, from: number, to: number, etag: string): Promise<Uint8Array<ArrayBuffer>> {
    const path = await this.#path(key)
    const file = await this.#ask(key, open(path, 'r'))
    try {
      await this.#check(key, file, etag)
      const bytes = new Uint8Array(to - from)
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled)
        if (bytesRead === 0) throw this.#changed(key)
        filled += bytesRead
      }
      await this.#check(key, file, etag)
      return bytes
    } finally {
      await file.close()
    }
  }

  /** The file itself, for a reader that takes paths, if it still is what `etag` names. */
  async localPath(key: string, etag: string): Promise<string> {
    // the etag names one inode, so a path that led to it once without leaving the folder need not be walked again
    const known = this.#paths.get(key)
    if (known !== undefined && etagAt(known) === etag) return known
    const path = await this.#path(key)
    const stats = this.#file(key, await this.#ask(key, stat(path, { bigint: true })))
    if (etagOf(stats) !== etag) throw this.#changed(key)
    if (this.#paths.size >= MAX_PATHS) this.#paths.clear()
    this.#paths.set(key, path)
    return path
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<StoredObject> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const root = await this.#root()
    try {
      if (folder !== '') await this.#path(folder.slice(0, -1))
    } catch (error) {
      if (error instanceof QueryError && error.code === 'FILE_NOT_FOUND') return
      throw error
    }
    const wants = options.wants ?? (() => true)
    yield* this.#walk(root, folder, path => (path.startsWith(prefix) || prefix.startsWith(path)) && wants(path), 0)
  }

  async check(): Promise<void> {
    await this.#ask('', readdir(await this.#root()))
  }

  close(): void {
    // a folder holds nothing open
  }

  async *#walk(
    root: string, folder: string, wants: (path: string) => boolean, depth: number,
  ): AsyncIterable<StoredObject> {
    if (depth > MAX_DEPTH) {
      throw new QueryError('INVALID_REQUEST', `bucket ${this.#bucket}: folders deeper than ${MAX_DEPTH} at ${folder}`)
    }
    const entries = await this.#ask(folder, readdir(root + sep + folder, { withFileTypes: true }))
    for (const entry of entries) {
      const key = folder + entry.name
      if (entry.isDirectory()) {
        if (wants(`${key}/`)) yield* this.#walk(root, `${key}/`, wants, depth + 1)
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        if (!wants(key) && !(entry.isSymbolicLink() && wants(`${key}/`))) continue
        const stats = await this.#statIfThere(root, key, entry.isSymbolicLink())
        if (stats?.isDirectory() === true) yield* this.#walk(root, `${key}/`, wants, depth + 1)
        else if (stats?.isFile() === true && wants(key)) yield stored(key, stats)
      }
    }
  }

  /** Undefined for a file that went away meanwhile, and for a link to nothing. */
  async #statIfThere(root: string, key: string, isLink: boolean): Promise<BigIntStats | undefined> {
    try {
      const path = isLink ? await this.#path(key) : root + sep + key
      return await stat(path, { bigint: true })
    } catch (error) {
      if (error instanceof QueryError && error.code === 'FILE_NOT_FOUND') return undefined
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async #root(): Promise<string> {
    try {
      return await realpath(this.#folder)
    } catch (error) {
      throw new QueryError('FILE_NOT_FOUND', `bucket ${this.#bucket}: no folder ${this.#folder}`, { cause: error })
    }
  }

  /** The real path of `key`, which is inside the folder whatever links it goes through. */
  async #path(key: string): Promise<string> {
    const parts = key.split('/')
    if (parts.some(part => part === '' || part === '.' || part === '..') || key.includes('\0')) {
      throw this.#outside(key)
    }
    const root = await this.#root()
    const path = await this.#ask(key, realpath(root + sep + parts.join(sep)))
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) throw this.#outside(key)
    return path
  }

  async #check(key: string, file: FileHandle, etag: string): Promise<void> {
    const stats = this.#file(key, await file.stat({ bigint: true }))
    if (etagOf(stats) !== etag) throw this.#changed(key)
  }

  #file(key: string, stats: BigIntStats): BigIntStats {
    if (stats.isFile()) return stats
    throw new QueryError('FILE_NOT_FOUND', `${this.#name(key)} is not a file`)
  }

  /** The file system's answer, or its refusal as a typed error. */
  async #ask<T>(key: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (isMissing(error)) throw new QueryError('FILE_NOT_FOUND', `no file ${this.#name(key)}`, { cause: error })
      const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
      const code = reason === 'EACCES' || reason === 'EPERM' ? 'PERMISSION_DENIED' : 'UNAVAILABLE'
      throw new QueryError(code, `cannot read ${this.#name(key)}: ${reason}`, { cause: error })
    }
  }

  #changed(key: string): QueryError {
    return new QueryError('FILE_CHANGED', `${this.#name(key)} has changed since the query was planned`)
  }

  #outside(key: string): QueryError {
    return new QueryError('PERMISSION_DENIED', `${this.#name(key)} is outside the bucket's folder`)
  }

  #name(key: string): string {
    return `'${key}' in bucket ${this.#bucket}`
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

/**
 * Null if nothing can be seen there. Synchronous: every task asks for each of its files, which takes microseconds of
 * what the same call costs on another thread.
 */
function etagAt(path: string): string | null {
  try {
    return etagOf(statSync(path, { bigint: true }))
  } catch {
    return null
  }
}

function stored(key: string, stats: BigIntStats): StoredObject {
  return { key, etag: etagOf(stats), sizeBytes: Number(stats.size) }
}

function etagOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino].map(part => part.toString(16)).join('-')
}
