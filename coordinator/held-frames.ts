/** The frames of a result that a relay holds, in the order in which they go out, and their size. */

import type { RawFlightData } from '../proto/flight-data.ts'
import { bytesOf, releaseFrame } from '../proto/wire-frame.ts'
import type { ResultPart } from './result-part.ts'

/** `part`: null for the lead. */
export interface Held {
  readonly frame: RawFlightData
  readonly part: ResultPart | null
}

export class HeldFrames {
  #frames: Held[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#frames.length
  }

  at(index: number): Held | undefined {
    return this.#frames.at(index)
  }

  /** Nothing but the lead. */
  reset(lead: readonly RawFlightData[]): void {
    this.#frames = lead.map(frame => ({ frame, part: null }))
    this.#bytes = lead.reduce((sum, frame) => sum + bytesOf(frame), 0)
  }

  /** Gives their memory to others. */
  release(): void {
    for (const { frame } of this.#frames) releaseFrame(frame)
  }

  /** Behind all others, or `isInOrder`: behind those of its part and of parts before it. */
  add(frame: RawFlightData, part: ResultPart, isInOrder: boolean): void {
    // in order, what came with the news of a later part may be here already
    const behind = isInOrder ? this.#frames.findLastIndex(held => (held.part?.index ?? -1) <= part.index)
      : this.#frames.length - 1
    this.#frames.splice(behind + 1, 0, { frame, part })
    this.#bytes += bytesOf(frame)
  }

  takeFirst(): Held | undefined {
    return this.#taken(this.#frames.shift())
  }

  takeLast(): Held | undefined {
    return this.#taken(this.#frames.pop())
  }

  drop(part: ResultPart): void {
    this.#frames = this.#frames.filter(held => held.part !== part)
    this.#bytes = this.#frames.reduce((sum, { frame }) => sum + bytesOf(frame), 0)
  }

  #taken(held: Held | undefined): Held | undefined {
    if (held !== undefined) this.#bytes -= bytesOf(held.frame)
    return held
  }
}
