/** The files of one spool, in a folder of its own that is made when the first frame goes there. */

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SpoolSegment } from './spool-segment.ts'

/** Space is given back in such steps. */
const SEGMENT_BYTES = 64 * 1024 * 1024

export interface FilePlace {
  readonly kind: 'file'
  readonly segment: SpoolSegment
  readonly at: number
}

export class SpoolFiles {
  readonly #folder: string
  readonly #segments: SpoolSegment[] = []
  #hasFolder = false
  #segmentCount = 0
  /** The last write; they come one after another. */
  #stored: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  store(bytes: Uint8Array): Promise<FilePlace> {
    const stored = this.#stored.catch(() => undefined).then(() => this.#append(bytes)) // who waited was told
    this.#stored = stored
    return stored
  }

  /** What lies there is not wanted any more. */
  async leave({ segment }: FilePlace): Promise<void> {
    if (--segment.liveFrames > 0 || segment === this.#segments.at(-1)) return
    this.#segments.splice(this.#segments.indexOf(segment), 1)
    await segment.remove()
  }

  /** After what is being written. */
  async remove(): Promise<void> {
    await this.#stored.catch(() => undefined) // who waited was told
    for (const segment of this.#segments.splice(0)) await segment.remove()
    if (this.#hasFolder) await rm(this.#folder, { recursive: true, force: true })
  }

  async #append(bytes: Uint8Array): Promise<FilePlace> {
    let segment = this.#segments.at(-1)
    if (segment === undefined || segment.sizeBytes >= SEGMENT_BYTES) {
      if (!this.#hasFolder) await mkdir(this.#folder, { recursive: true })
      this.#hasFolder = true
      segment = await SpoolSegment.create(join(this.#folder, String(this.#segmentCount++)))
      this.#segments.push(segment)
    }
    return { kind: 'file', segment, at: await segment.append(bytes) }
  }
}
