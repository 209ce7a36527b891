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

  /** Appends the bodies one after another and answers where each starts. One call at a time. */
  async append(bodies: readonly Uint8Array[]): Promise<number[]> {
    const from = this.sizeBytes
    let end = from
    let rest = bodies.filter(({ length }) => length > 0)
    try {
      while (rest.length > 0) {
        const { bytesWritten } = await this.#file.writev(rest, end)
        end += bytesWritten
        rest = behind(rest, bytesWritten)
      }
    } catch (error) {
      const message = `cannot write the result to disk: ${error instanceof Error ? error.message : String(error)}`
      throw new QueryError('DISK_FULL', message, { cause: error })
    }
    this.sizeBytes = end
    this.liveFrames += bodies.length
    return bodies.map((_, i) => bodies.slice(0, i).reduce((at, { length }) => at + length, from))
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

/** What is left of the bodies after so many bytes of them. */
function behind(bodies: readonly Uint8Array[], byteCount: number): Uint8Array[] {
  let skip = byteCount
  return bodies.flatMap(body => {
    const skipped = Math.min(skip, body.length)
    skip -= skipped
    return skipped === body.length ? [] : [body.subarray(skipped)]
  })
}
