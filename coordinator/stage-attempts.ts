/** When each attempt of a stage was launched, with which inputs, and how far it is; and who is slow by that. */

import type { Stage } from './stage.ts'
import { stragglers } from './stragglers.ts'
import type { StageInputs } from './task-definition.ts'

interface Launch {
  readonly atMs: number
  readonly given: StageInputs
  fraction: number
  /** Its executor has begun it. */
  isBegun: boolean
}

export class StageAttempts {
  /** By partition and attempt. */
  readonly #launches = new Map<string, Launch>()
  readonly #doneMs: number[] = []

  launched(partition: number, attempt: number, given: StageInputs, nowMs: number): void {
    this.#launches.set(`${partition}.${attempt}`, { atMs: nowMs, given, fraction: 0, isBegun: false })
  }

  /** It runs; `fraction` of it is done, 0 to 1. */
  progressed(partition: number, attempt: number, fraction: number): void {
    const launch = this.#launches.get(`${partition}.${attempt}`)
    if (launch === undefined) return
    launch.fraction = fraction
    launch.isBegun = true
  }

  isBegun(partition: number, attempt: number): boolean {
    return this.#launches.get(`${partition}.${attempt}`)?.isBegun === true
  }

  succeeded(partition: number, attempt: number, nowMs: number): void {
    const launch = this.#launches.get(`${partition}.${attempt}`)
    if (launch !== undefined) this.#doneMs.push(nowMs - launch.atMs)
  }

  /** What a task takes is known. */
  get areKnown(): boolean {
    return this.#doneMs.length > 0
  }

  /** What the attempt was to read. */
  given(partition: number, attempt: number): StageInputs {
    return this.#launches.get(`${partition}.${attempt}`)?.given ?? []
  }

  /** Partitions that are to be begun a second time. Nothing is while a first attempt waits for room. */
  slow({ life, partitions }: Stage, nowMs: number): readonly number[] {
    if (life.state !== 'running' || partitions.some(({ now }) => now.state === 'waiting')) return []
    let twice = 0
    const alone = partitions.flatMap(({ now }, partition) => {
      if (now.state === 'running' && now.second !== null) twice++
      const launch = now.state !== 'running' || now.second !== null || now.first.phase !== 'runs' ? undefined
        : this.#launches.get(`${partition}.${now.first.attempt}`)
      return launch === undefined ? [] : [{ partition, elapsedMs: nowMs - launch.atMs, fraction: launch.fraction }]
    })
    return stragglers(this.#doneMs, alone, twice, partitions.length)
  }
}
