/**
 * Files that no bucket has, which came along with what reads them: on disk while somebody reads them, each once however
 * many do, and gone afterwards. The folder is made empty at a start.
 */

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { QueryError } from '../proto/errors.ts'
import type { CarriedFile } from './key.ts'

interface Held {
  readers: number
  /** The path, once it is there. */
  readonly written: Promise<string>
}

export interface OpenCarried {
  /** In the order in which they were asked for. */
  readonly paths: readonly string[]
  release(): Promise<void>
}

export class CarriedFiles {
  readonly folder: string
  readonly #held = new Map<string, Held>()
  /** A path is never used twice: DuckDB may remember what it read of one. */
  #written = 0

  private constructor(folder: string) {
    this.folder = folder
  }

  /** `folder`: absolute, this process's alone. */
  static async open(folder: string): Promise<CarriedFiles> {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return new CarriedFiles(folder)
  }

  /** All of them, or none. */
  async open(files: readonly CarriedFile[]): Promise<OpenCarried> {
    const etags = files.map(file => this.#hold(file))
    let released = false
    const release = async (): Promise<void> => {
      if (released) return
      released = true
      await Promise.all(etags.map(etag => this.#letGo(etag)))
    }
    try {
      const paths = await Promise.all(etags.map(async etag => await this.#held.get(etag)?.written ?? ''))
      return { paths, release }
    } catch (error) {
      await release()
      throw error
    }
  }

  #hold({ etag, content }: CarriedFile): string {
    const held = this.#held.get(etag) ?? { readers: 0, written: this.#write(content) }
    held.readers++
    this.#held.set(etag, held)
    return etag
  }

  async #write(content: Uint8Array): Promise<string> {
    const path = join(this.folder, `${this.#written++}.parquet`)
    try {
      await writeFile(path, content)
    } catch (error) {
      await rm(path, { force: true })
      if (!isFull(error)) throw error
      throw new QueryError('DISK_FULL', `no room in ${this.folder}`, { cause: error })
    }
    return path
  }

  async #letGo(etag: string): Promise<void> {
    const held = this.#held.get(etag)
    if (held === undefined || --held.readers > 0) return
    this.#held.delete(etag)
    const path = await held.written.catch(() => undefined)
    if (path !== undefined) await rm(path, { force: true })
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
