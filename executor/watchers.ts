/**
 * The streams on which coordinators watch their tasks. A stream begins with the last status of every task that is not
 * released, then carries changes and a heartbeat each second; of a task with several changes in wait only the last is
 * sent, so a slow reader costs a bounded amount of memory. A coordinator without a stream for ORPHAN_AFTER_MS, or one
 * that came back as another process, is gone: `onGone` is told once.
 */

import type { Clock } from '../proto/clock.ts'
import type { CoordinatorId, Incarnation, TaskId } from '../proto/ids.ts'
import type { TaskEventInit, TaskStatusInit } from './task-status.ts'

const HEARTBEAT_MS = 1_000
/** Longer than a lost connection takes to come back. */
const ORPHAN_AFTER_MS = 10_000

interface Watched {
  readonly streams: Set<WatchStream>
  /** Of the coordinator's process; undefined until it has opened a stream. */
  incarnation: Incarnation | undefined
  cancelOrphan: () => void
}

export class Watchers {
  readonly #clock: Clock
  readonly #onGone: (coordinator: CoordinatorId) => void
  readonly #watched = new Map<CoordinatorId, Watched>()

  constructor(clock: Clock, onGone: (coordinator: CoordinatorId) => void) {
    this.#clock = clock
    this.#onGone = onGone
  }

  /** Work came from this coordinator: it has to be watching soon. */
  expect(coordinator: CoordinatorId): void {
    this.#of(coordinator)
  }

  publish(coordinator: CoordinatorId, status: TaskStatusInit): void {
    for (const stream of this.#watched.get(coordinator)?.streams ?? []) stream.put(status)
  }

  /** `statuses` is asked after an earlier process of this coordinator has been declared gone. */
  async *open(
    coordinator: CoordinatorId, incarnation: Incarnation, statuses: () => readonly TaskStatusInit[],
    signal: AbortSignal,
  ): AsyncGenerator<TaskEventInit> {
    const watched = this.#of(coordinator)
    if (watched.incarnation !== undefined && watched.incarnation !== incarnation) this.#onGone(coordinator)
    watched.incarnation = incarnation
    watched.cancelOrphan()
    const stream = new WatchStream(this.#clock, signal)
    watched.streams.add(stream)
    for (const status of statuses()) stream.put(status)
    try {
      yield* stream.events()
    } finally {
      watched.streams.delete(stream)
      if (watched.streams.size === 0) this.#startOrphan(coordinator, watched)
    }
  }

  /** Whoever watches has to come again, and hears who this is now. */
  endStreams(): void {
    for (const { streams } of this.#watched.values()) for (const stream of streams) stream.end()
  }

  close(): void {
    for (const { cancelOrphan } of this.#watched.values()) cancelOrphan()
    this.#watched.clear()
  }

  #of(coordinator: CoordinatorId): Watched {
    const known = this.#watched.get(coordinator)
    if (known !== undefined) return known
    const watched: Watched = { streams: new Set(), incarnation: undefined, cancelOrphan: () => undefined }
    this.#watched.set(coordinator, watched)
    this.#startOrphan(coordinator, watched)
    return watched
  }

  #startOrphan(coordinator: CoordinatorId, watched: Watched): void {
    watched.cancelOrphan()
    watched.cancelOrphan = this.#clock.after(ORPHAN_AFTER_MS, () => {
      if (this.#watched.get(coordinator) !== watched || watched.streams.size > 0) return
      this.#watched.delete(coordinator)
      this.#onGone(coordinator)
    })
  }
}

class WatchStream {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #pending = new Map<TaskId, TaskStatusInit>()
  #wake: () => void = () => undefined
  #ended = false

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  put(status: TaskStatusInit): void {
    this.#pending.delete(status.taskId)
    this.#pending.set(status.taskId, status)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *events(): AsyncGenerator<TaskEventInit> {
    const aborted = (): void => this.#wake()
    this.#signal.addEventListener('abort', aborted)
    try {
      while (!this.#signal.aborted && !this.#ended) {
        const [next] = this.#pending.values()
        if (next !== undefined) {
          this.#pending.delete(next.taskId)
          yield { event: { case: 'status', value: next } }
        } else if (await this.#quiet()) {
          yield { event: { case: 'heartbeat', value: {} } }
        }
      }
    } finally {
      this.#signal.removeEventListener('abort', aborted)
    }
  }

  /** True after a second in which nothing came. */
  #quiet(): Promise<boolean> {
    return new Promise(resolve => {
      const done = (quiet: boolean): void => {
        cancel()
        this.#wake = () => undefined
        resolve(quiet)
      }
      const cancel = this.#clock.after(HEARTBEAT_MS, () => done(true))
      this.#wake = () => done(false)
    })
  }
}
