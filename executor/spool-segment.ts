/** A file that holds bodies of frames one after another. It is written once to its end, and removed as a whole. */

import { open, rm, type FileHandle } from 'node:fs/promises'
import { QueryError } from '../proto/errors.ts'

export class SpoolSegment {
  readonly #path: string
  readonly #file: FileHandle
  /** Bytes written. */
  sizeBytes = 0
  /** Frames in it that are still wanted. */
  liveFrames = 0

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  static async create(path: string): Promise<SpoolSegment> {
    return new SpoolSegment(path, await open(path, 'wx+'))
  }

  /**
   * Appends `bytes` and answers where they start. One call at a time. Four bodies in one write took five times the
   * system's time for them: it looks for larger pieces of memory for its cache, which are not at hand.
   */
  async append(bytes: Uint8Array): Promise<number> {
    const at = this.sizeBytes
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done)
        done += bytesWritten
      }
    } catch (error) {
      const message = `cannot write the result to disk: ${error instanceof Error ? error.message : String(error)}`
      throw new QueryError('DISK_FULL', message, { cause: error })
    }
    this.sizeBytes += bytes.length
    this.liveFrames++
    return at
  }

  async read(into: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < into.length;) {
      const { bytesRead } = await this.#file.read(into, done, into.length - done, at + done)
      if (bytesRead === 0) throw new Error(`spool segment ${this.#path} ends at ${at + done}`)
      done += bytesRead
    }
  }

  /** Waits for reads under way. */
  async remove(): Promise<void> {
    await this.#file.close()
    await rm(this.#path, { force: true })
  }
}
