/**
 * The Arrow frames of a query's result, kept between the task that makes them and the clients that read them: in
 * memory first, then in files. Any number of readers tail it, each from the frame it names.
 *
 *   open ──▶ complete      every row is here: the only end that a reader may take for one
 *     └────▶ failed        readers end with its cause
 *
 * When memory is full, frames that every reader has passed go to the files, so who keeps up reads from memory; if there
 * are none, the new frame does. When there is no room on disk either, the writer waits until the slowest reader moves
 * on, and frames far enough behind it are dropped; if nobody moves for STALL_MS the result is RESULT_TOO_LARGE. Spools
 * of one query's result are a family: what was read of any of them makes room for all. What nobody reads leaves its
 * memory to others (spool-memory.ts). A frame's bytes are valid until its reader asks for the next one.
 */

import type { Clock } from '../proto/clock.ts'
import { QueryError, unreachable } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { PooledBody } from '../proto/body-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import { SpoolFiles, type FilePlace } from './spool-files.ts'
import type { MemoryHolder, SpoolMemory } from './spool-memory.ts'

/** Of one family: as much as is held back before the first row goes out, so a small result never touches the disk. */
const MEMORY_BYTES = 32 * 1024 * 1024
/** A client that takes nothing for so long is gone or stuck. */
const STALL_MS = 60_000
/** Of the disk, and at most a quarter of it: what waits for its turn leaves it to those that are read meanwhile. */
const RESERVED_BYTES = 64 * 1024 * 1024
/** Readers go back so far, after a break of the way, or to what they had no room for: see result-relay.ts. */
const KEEP_BEHIND_BYTES = 40 * 1024 * 1024

export interface SpoolOptions {
  /** Its own; made when memory is full, removed with the spool. */
  readonly folder: string
  readonly memory: SpoolMemory
  readonly disk: ByteBudget
  readonly clock: Clock
  /**
   * Where it enters itself until it is removed. Its members are read one after the other, so one that nobody has read
   * yet waits for its turn without an end of its own: the query's coordinator ends what no client takes. Absent: it is
   * alone, and read from its beginning on.
   */
  readonly family?: Set<ResultSpool>
  /** Told once: there is no room for all of it, see `hasOutgrown`. */
  readonly onOutgrown?: () => void
}

type State =
  | { readonly state: 'open' }
  | { readonly state: 'complete' }
  | { readonly state: 'failed'; readonly cause: QueryError }

type Place =
  | { readonly kind: 'memory'; readonly body: PooledBody }
  | FilePlace
  | { readonly kind: 'dropped' }

interface Frame {
  readonly header: Uint8Array
  readonly byteCount: number
  place: Place
}

interface Reader {
  /** The frame it reads or waits for. */
  at: number
  /** For bodies that come from a file, one after the other. */
  body: Buffer
}

export class ResultSpool implements MemoryHolder {
  readonly #options: SpoolOptions
  readonly #frames: Frame[] = []
  readonly #readers = new Set<Reader>()
  readonly #files: SpoolFiles
  /** Called and forgotten at every change: a frame, an end, a reader that moved. */
  #waiting: (() => void)[] = []
  #state: State = { state: 'open' }
  #memoryBytes = 0
  /** Of frames that are not dropped. */
  #heldBytes = 0
  /** Frames before it are dropped. */
  #firstFrame = 0
  /** Frames before it are not in memory. */
  #firstInMemory = 0
  /** A reader has come, or has been at its complete end. */
  #read: 'never' | 'begun' | 'ended' = 'never'
  #hasOutgrown = false
  /** A reader, or it was made. */
  #movedAtMs: number
  readonly #family: Set<ResultSpool>

  constructor(options: SpoolOptions) {
    this.#options = options
    this.#files = new SpoolFiles(options.folder)
    this.#family = options.family ?? new Set()
    this.#family.add(this)
    options.memory.enter(this)
    this.#movedAtMs = options.clock.nowMs()
  }

  get memoryBytes(): number {
    return this.#memoryBytes
  }

  get unreadMs(): number {
    for (const { at } of this.#readers) if (at >= this.#frames.length) return 0
    return this.#options.clock.nowMs() - this.#movedAtMs
  }

  /** It has waited for a reader, or dropped what was read: it may not be read from its beginning any more. */
  get hasOutgrown(): boolean {
    return this.#hasOutgrown
  }

  /** Takes the frame, and its body until it is dropped. Throws the spool's failure, or RESULT_TOO_LARGE. */
  async append(header: Uint8Array, body: PooledBody): Promise<void> {
    const byteCount = body.bytes.length
    const place = await this.#room(byteCount, body)
    this.#throwIfFailed()
    this.#frames.push({ header, byteCount, place })
    this.#heldBytes += byteCount
    this.#wake()
  }

  complete(): void {
    if (this.#state.state !== 'open') return
    this.#state = { state: 'complete' }
    this.#wake()
  }

  /** Also after it was completed: then it was released. */
  fail(cause: QueryError): void {
    if (this.#state.state === 'failed') return
    this.#state = { state: 'failed', cause }
    this.#wake()
  }

  /** Ends without a throw only if the spool is complete. */
  async *read(fromFrame: number, signal: AbortSignal): AsyncGenerator<RawFlightData> {
    if (fromFrame < this.#firstFrame) {
      throw new QueryError('NOT_FOUND', `frame ${fromFrame} of the result is not kept any more`)
    }
    const reader: Reader = { at: fromFrame, body: Buffer.alloc(0) }
    const wake = (): void => this.#wake()
    this.#readers.add(reader)
    this.#movedAtMs = this.#options.clock.nowMs()
    if (this.#read === 'never') this.#read = 'begun'
    signal.addEventListener('abort', wake)
    try {
      for (;;) {
        const frame = await this.#frameAt(reader.at, signal)
        if (frame === null) {
          this.#read = 'ended'
          return
        }
        yield { dataHeader: frame.header, dataBody: await bodyOf(frame, reader) }
        reader.at++
        this.#movedAtMs = this.#options.clock.nowMs()
        this.#wake()
      }
    } finally {
      signal.removeEventListener('abort', wake)
      this.#readers.delete(reader)
      this.#wake()
    }
  }

  /** Of all frames, if it is complete and none has been dropped; else null. */
  get wholeBytes(): number | null {
    if (this.#state.state !== 'complete' || this.#firstFrame > 0) return null
    return this.#frames.reduce((sum, { header, byteCount }) => sum + header.length + byteCount, 0)
  }

  /** Copies of all frames, if it is complete and they have at most `maxBytes`; else null. */
  whole(maxBytes: number): readonly RawFlightData[] | null {
    if (this.#state.state !== 'complete') return null
    const bytes = this.#frames.reduce((sum, { header, byteCount }) => sum + header.length + byteCount, 0)
    const bodies = this.#frames.flatMap(({ place }) => place.kind === 'memory' ? [place.body.bytes] : [])
    if (bytes > maxBytes || bodies.length < this.#frames.length) return null
    return this.#frames.map(({ header }, i) => ({ dataHeader: header, dataBody: new Uint8Array(bodies[i] ?? []) }))
  }

  /** A failure is for those to notice whose result it is. */
  moveUnread(): Promise<boolean> {
    return this.#moveFirst(this.#frames.length).catch(() => false)
  }

  /** Frees everything. Readers end with the failure, which must have been set. */
  async remove(): Promise<void> {
    const { memory, disk } = this.#options
    for (const frame of this.#frames) {
      if (frame.place.kind === 'memory' && this.#readers.size === 0) frame.place.body.release()
      if (frame.place.kind !== 'dropped') (frame.place.kind === 'memory' ? memory : disk).give(frame.byteCount)
      frame.place = { kind: 'dropped' }
    }
    this.#family.delete(this)
    memory.leave(this)
    await this.#files.remove()
  }

  /** The frame once it is there; null at the complete end. */
  async #frameAt(at: number, signal: AbortSignal): Promise<Frame | null> {
    for (;;) {
      this.#throwIfFailed()
      if (signal.aborted) throw new QueryError('CANCELLED', 'the reader of the result is gone')
      const frame = this.#frames[at]
      if (frame !== undefined) return frame
      if (this.#state.state === 'complete') return null
      await this.#change()
    }
  }

  async #room(byteCount: number, body: PooledBody): Promise<Place> {
    const { memory, disk, clock } = this.#options
    let movedAtMs = clock.nowMs()
    for (;;) {
      this.#throwIfFailed()
      if (this.#familyBytes + byteCount <= MEMORY_BYTES) {
        if (memory.take(byteCount)) {
          this.#memoryBytes += byteCount
          return { kind: 'memory', body }
        }
        if (await memory.reclaim(this)) continue
      }
      if (await this.#moveOfFamily()) continue
      const leftBytes = this.#waitsForTurn ? Math.min(RESERVED_BYTES, disk.totalBytes / 4) : 0
      if (disk.freeBytes >= byteCount + leftBytes && disk.take(byteCount)) {
        const place = await this.#store(body.bytes)
        body.release()
        return place
      }
      this.#outgrown()
      if (await this.#dropOfFamily()) {
        movedAtMs = clock.nowMs()
        continue
      }
      this.#throwIfFailed() // meanwhile: nobody would wake it
      if (this.#waitsForTurn) movedAtMs = clock.nowMs()
      const leftMs = movedAtMs + STALL_MS - clock.nowMs()
      if (leftMs <= 0) {
        const message = `the result outgrew the spool and no reader took anything for ${STALL_MS / 1000} s`
        throw new QueryError('RESULT_TOO_LARGE', message)
      }
      const cancel = clock.after(leftMs, () => this.#wake())
      await this.#change()
      cancel()
    }
  }

  /** All of the family: room for one is what another gives up. */
  #outgrown(): void {
    for (const spool of this.#family) {
      if (spool.#hasOutgrown) continue
      spool.#hasOutgrown = true
      spool.#options.onOutgrown?.()
    }
  }

  /** The room on disk is taken. */
  async #store(bytes: Uint8Array): Promise<FilePlace> {
    try {
      return await this.#files.store(bytes)
    } catch (error) {
      this.#options.disk.give(bytes.length)
      throw error
    }
  }

  get #familyBytes(): number {
    let bytes = 0
    for (const spool of this.#family) bytes += spool.#memoryBytes
    return bytes
  }

  async #moveOfFamily(): Promise<boolean> {
    for (const spool of this.#family) if (await spool.#moveFirst(spool.#passed)) return true
    return false
  }

  /** Moves the first frame in memory to the files, if it is before `passed`; false if not. */
  async #moveFirst(passed: number): Promise<boolean> {
    while (this.#frames[this.#firstInMemory]?.place.kind !== 'memory') {
      if (this.#firstInMemory >= passed) return false
      this.#firstInMemory++
    }
    const at = this.#firstInMemory
    const frame = this.#frames[at]
    const { memory, disk } = this.#options
    if (at >= passed || frame?.place.kind !== 'memory' || !disk.take(frame.byteCount)) return false
    const { body } = frame.place
    this.#firstInMemory++
    const place = await this.#store(body.bytes)
    if (frame.place.kind !== 'memory') { // dropped or removed meanwhile
      await this.#leaveFile(place, frame.byteCount)
      return true
    }
    frame.place = place
    if (![...this.#readers].some(reader => reader.at === at)) body.release() // else one that came since has it
    this.#memoryBytes -= frame.byteCount
    memory.give(frame.byteCount)
    return true
  }

  /** Every reader is past the frames before it. */
  get #passed(): number {
    if (this.#readers.size === 0) return this.#read === 'ended' ? this.#frames.length : 0
    return Math.min(...[...this.#readers].map(({ at }) => at))
  }

  get #waitsForTurn(): boolean {
    return this.#read === 'never' && this.#options.family !== undefined
  }

  async #dropOfFamily(): Promise<boolean> {
    for (const spool of this.#family) if (await spool.#dropRead()) return true
    return false
  }

  /** Drops what every reader has passed by enough; false if that is nothing. */
  async #dropRead(): Promise<boolean> {
    const before = this.#firstFrame
    const passed = this.#farBehind(this.#passed)
    while (this.#firstFrame < passed) {
      const frame = this.#frames[this.#firstFrame++]
      if (frame !== undefined) await this.#drop(frame)
    }
    return this.#firstFrame > before
  }

  /** The first frame to be kept for a reader at `at`. Never more than half of what is here: the other has to move. */
  #farBehind(at: number): number {
    const keepBytes = Math.min(KEEP_BEHIND_BYTES, this.#heldBytes / 2)
    let [first, bytes] = [at, 0]
    while (first > this.#firstFrame) {
      bytes += this.#frames[first - 1]?.byteCount ?? 0
      if (bytes > keepBytes) return first
      first--
    }
    return first
  }

  async #drop(frame: Frame): Promise<void> {
    const { place, byteCount } = frame
    frame.place = { kind: 'dropped' }
    this.#heldBytes -= byteCount
    switch (place.kind) {
      case 'memory':
        place.body.release()
        this.#memoryBytes -= byteCount
        this.#options.memory.give(byteCount)
        return
      case 'file': return this.#leaveFile(place, byteCount)
      case 'dropped': return
      default: unreachable(place)
    }
  }

  async #leaveFile(place: FilePlace, byteCount: number): Promise<void> {
    this.#options.disk.give(byteCount)
    await this.#files.leave(place)
  }

  #throwIfFailed(): void {
    if (this.#state.state === 'failed') throw this.#state.cause
  }

  #change(): Promise<void> {
    return new Promise(resolve => { this.#waiting.push(resolve) })
  }

  /** Of the whole family: what one reader has passed may be room for another's writer. */
  #wake(): void {
    for (const spool of this.#family) {
      const waiting = spool.#waiting
      spool.#waiting = []
      for (const resolve of waiting) resolve()
    }
  }
}

async function bodyOf({ place, byteCount }: Frame, reader: Reader): Promise<Uint8Array> {
  switch (place.kind) {
    case 'memory': return place.body.bytes
    case 'file': {
      if (reader.body.length < byteCount) reader.body = Buffer.allocUnsafeSlow(byteCount)
      const bytes = reader.body.subarray(0, byteCount)
      await place.segment.read(bytes, place.at)
      return bytes
    }
    case 'dropped': throw new QueryError('NOT_FOUND', 'the result is not kept any more')
    default: return unreachable(place)
  }
}
