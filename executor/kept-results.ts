/**
 * Results that outlive their queries, for others that ask the same, each of one task, which may have made a part of its
 * query's result: complete ones, copied out of their spools, each into a file or, if it is small, into memory. Within a
 * budget of bytes; the longest unread goes first. A frame is given only if it has the checksum that it was copied with.
 * What is kept goes with its coordinator, which alone knows of it; nothing survives a restart.
 */

import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { QueryError } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { CoordinatorId, QueryId, TaskId } from '../proto/ids.ts'
import type { ResultSpool } from './result-spool.ts'

/** Kept in memory: a file would take longer to open than to read. */
const SMALL_BYTES = 64 * 1024
/** Of small ones. */
const MEMORY_BYTES = 32 * 1024 * 1024
/** Of the budget, a single result at most: it would drive out too many others. */
const LARGEST_SHARE = 1 / 8
/** Each takes some hundred bytes besides its rows. */
const MAX_RESULTS = 10_000

interface KeptFrame {
  readonly header: Uint8Array
  /** In the file or in `memory`. */
  readonly from: number
  readonly byteCount: number
  readonly checksum: number
}

interface Kept {
  readonly coordinator: CoordinatorId
  readonly query: QueryId
  readonly bytes: number
  /** Null: in memory. */
  readonly path: string | null
  /** Rejects if it could not be copied. */
  readonly copied: Promise<Copy>
}

interface Copy {
  readonly frames: readonly KeptFrame[]
  readonly memory: Buffer
}

export interface KeptStatus {
  readonly results: number
  readonly resultBytes: number
  readonly resultBudgetBytes: number
  /** How often one was read to its end, since the start. */
  readonly resultHits: number
}

export class KeptResults {
  readonly #folder: string
  readonly #budgetBytes: number
  /** The longest unread first. */
  readonly #kept = new Map<TaskId, Kept>()
  #bytes = 0
  #memoryBytes = 0
  #hits = 0

  /** `folder`: its own. A budget of 0 keeps nothing. */
  constructor(folder: string, budgetBytes: number) {
    this.#folder = folder
    this.#budgetBytes = budgetBytes
  }

  status(): KeptStatus {
    return {
      results: this.#kept.size, resultBytes: this.#bytes, resultBudgetBytes: this.#budgetBytes, resultHits: this.#hits,
    }
  }

  /** Readers find it from now on. Resolves when `spool` is not needed any more, also if there is no room for it. */
  async keep(coordinator: CoordinatorId, query: QueryId, task: TaskId, spool: ResultSpool): Promise<void> {
    const bytes = spool.wholeBytes
    if (bytes === null || bytes > LARGEST_SHARE * this.#budgetBytes || this.#kept.has(task)) return
    const path = bytes <= SMALL_BYTES ? null : join(this.#folder, task)
    const copied = copy(spool, bytes, path)
    const kept: Kept = { coordinator, query, bytes, path, copied }
    this.#kept.set(task, kept)
    this.#bytes += bytes
    if (path === null) this.#memoryBytes += bytes
    this.#makeRoom()
    await copied.catch(() => this.#drop(task, kept))
  }

  /** What a task made; undefined: it is not here. */
  read(query: QueryId, task: TaskId, fromFrame: number): AsyncGenerator<RawFlightData> | undefined {
    const kept = this.#kept.get(task)
    if (kept?.query !== query) return undefined
    this.#kept.delete(task)
    this.#kept.set(task, kept)
    return this.#frames(task, kept, fromFrame)
  }

  /** Those of one coordinator; null: of all. */
  forget(coordinator: CoordinatorId | null): void {
    for (const [task, kept] of this.#kept) {
      if (coordinator === null || kept.coordinator === coordinator) this.#drop(task, kept)
    }
  }

  async *#frames(task: TaskId, kept: Kept, fromFrame: number): AsyncGenerator<RawFlightData> {
    const gone = (cause: unknown): QueryError => {
      this.#drop(task, kept)
      return new QueryError('NOT_FOUND', `the result of query ${kept.query} is not kept any more`, { cause })
    }
    const { frames, memory } = await kept.copied.catch((reason: unknown) => { throw gone(reason) })
    const file = kept.path === null ? null
      : await open(kept.path, 'r').catch((reason: unknown) => { throw gone(reason) })
    try {
      for (const frame of frames.slice(fromFrame)) {
        const body = file === null ? memory.subarray(frame.from, frame.from + frame.byteCount)
          : await bytesAt(file, frame)
        if (crc32(body) !== frame.checksum) throw gone('its bytes have changed')
        yield { dataHeader: frame.header, dataBody: body }
      }
      this.#hits++
    } finally {
      await file?.close()
    }
  }

  #makeRoom(): void {
    for (const [task, kept] of this.#kept) {
      const fits = this.#bytes <= this.#budgetBytes && this.#kept.size <= MAX_RESULTS
      if (fits && this.#memoryBytes <= MEMORY_BYTES) return
      if (!fits || kept.path === null) this.#drop(task, kept)
    }
  }

  /** Who reads it goes on: its file is open. */
  #drop(task: TaskId, kept: Kept): void {
    if (this.#kept.get(task) !== kept) return
    this.#kept.delete(task)
    this.#bytes -= kept.bytes
    const { path } = kept
    if (path === null) this.#memoryBytes -= kept.bytes
    else void kept.copied.catch(() => undefined).then(() => rm(path, { force: true })).catch(() => undefined)
  }
}

async function copy(spool: ResultSpool, bytes: number, path: string | null): Promise<Copy> {
  const frames: KeptFrame[] = []
  const memory = Buffer.alloc(path === null ? bytes : 0)
  if (path !== null) await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
  const file = path === null ? null : await open(path, 'wx', 0o600)
  let from = 0
  try {
    for await (const { dataHeader, dataBody } of spool.read(0, new AbortController().signal)) {
      const byteCount = dataBody.length
      frames.push({ header: dataHeader, from, byteCount, checksum: crc32(dataBody) })
      if (file === null) memory.set(dataBody, from)
      else await file.writev([dataBody], from)
      from += byteCount
    }
  } finally {
    await file?.close()
  }
  return { frames, memory }
}

async function bytesAt(file: FileHandle, { from, byteCount }: KeptFrame): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(byteCount)
  const { bytesRead } = await file.read(bytes, 0, byteCount, from)
  return bytes.subarray(0, bytesRead)
}
