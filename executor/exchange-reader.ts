/**
 * Brings the files of a task's inputs within reach of DuckDB: its own as they are, those of an executor on the same
 * disk by a hard link, others by gRPC into a file. Links keep a file alive while the task reads it, and leave one
 * folder for the fence to name; they go with the task. A fetch that breaks goes on where it broke. What cannot be had
 * is INPUT_LOST with the executors that should have it.
 *
 * Links are made synchronously: each takes microseconds, and a tenth of the CPU of the same call on another thread.
 */

import { linkSync, statSync } from 'node:fs'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { delay, type Clock } from '../proto/clock.ts'
import { asQueryError, QueryError, type ErrorCode } from '../proto/errors.ts'
import type { ExchangeFile, ExchangeSource, Input } from '../proto/gen/executor_pb.js'
import type { ExecutorId, QueryId } from '../proto/ids.ts'
import type { ExchangeFiles, TaskPlace } from './exchange-files.ts'

/** Where the bytes of a file are asked for, and from which byte on. */
export interface ExchangeRequest {
  readonly address: string
  readonly queryId: QueryId
  readonly path: string
  readonly offset: number
}

/** Opens the byte stream of an exchange file on another executor. */
export type FetchExchange =
  (request: ExchangeRequest, signal: AbortSignal) => AsyncIterable<{ readonly data: Uint8Array }>

/** Streams a task reads at once: enough to keep several executors busy, few enough for their memory. */
const PARALLEL_FETCHES = 4

/** Tries to go on after a break without a new byte, and the pause before each. */
const MAX_RESUMES = 5
const RESUME_PAUSE_MS = 100
/** A break of the way. */
const transient: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'CANCELLED', 'DEADLINE_EXCEEDED', 'INTERNAL'])

/** Answers about markers that are kept; one is a hundred bytes and a file read. */
const MAX_KNOWN_MARKERS = 1_000

/** INPUT_LOST, and who lost it. */
export class InputLost extends QueryError {
  readonly executors: readonly ExecutorId[]

  constructor(executors: readonly ExecutorId[], message: string, options?: ErrorOptions) {
    super('INPUT_LOST', message, options)
    this.executors = executors
  }
}

interface Wanted {
  readonly file: ExchangeFile
  readonly source: ExchangeSource
  /** Which input of the task, and which file of it. */
  readonly position: readonly [input: number, file: number]
}

/** What one task reads. */
interface Reading {
  readonly place: TaskPlace
  readonly signal: AbortSignal
  /** What was brought for it, and goes with it. */
  readonly links: string[]
  readonly copies: string[]
  /** Addresses that gave nothing at any try: not tried again and again for each of their files. */
  readonly gone: Set<string>
}

export class ExchangeReader {
  readonly #files: ExchangeFiles
  readonly #fetch: FetchExchange
  readonly #clock: Clock
  /** By marker token: whether its disk is ours. A token is one start of one executor, so the answer does not change. */
  readonly #shared = new Map<string, Promise<boolean>>()
  /** Of running tasks. */
  readonly #readings = new Map<TaskPlace, Reading>()

  constructor(files: ExchangeFiles, fetch: FetchExchange, clock: Clock) {
    this.#files = files
    this.#fetch = fetch
    this.#clock = clock
  }

  /** Local paths of the files of each input, in their order. */
  async locate(inputs: readonly Input[], place: TaskPlace, signal: AbortSignal): Promise<string[][]> {
    const wanted = inputs.map((input, i) => input.files.map((file, k): Wanted => {
      if (file.source === undefined) throw new QueryError('INTERNAL', `input ${input.name} has a file without a source`)
      return { file, source: file.source, position: [i, k] }
    }))
    const reading: Reading = { place, signal, links: [], copies: [], gone: new Set() }
    if (wanted.flat().some(({ source }) => !this.#isOwn(source))) this.#readings.set(place, reading)
    const paths = await this.#bringAll(wanted.flat(), reading)
    return wanted.map(list => list.map(one => paths.get(one) ?? ''))
  }

  /**
   * The task is over; `place` as it was located. Links go too: one would keep the bytes of a file that its writer has
   * removed.
   */
  async release(place: TaskPlace): Promise<void> {
    const reading = this.#readings.get(place)
    this.#readings.delete(place)
    if (reading !== undefined) await this.#files.removeInputs(place, reading.links, reading.copies)
  }

  /** Tries every file, so that a failure names all executors that lost one. */
  async #bringAll(wanted: readonly Wanted[], reading: Reading): Promise<Map<Wanted, string>> {
    const paths = new Map<Wanted, string>()
    const failures: QueryError[] = []
    const queue = [...wanted]
    const turn = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        try {
          paths.set(next, await this.#bring(next, reading))
        } catch (error) {
          failures.push(asQueryError(error))
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(PARALLEL_FETCHES, queue.length) }, turn))
    const [first] = failures
    if (first === undefined) return paths
    const lost = failures.filter(error => error instanceof InputLost)
    if (lost.length < failures.length) throw failures.find(error => !(error instanceof InputLost)) ?? first
    throw new InputLost([...new Set(lost.flatMap(error => error.executors))], first.message, { cause: first })
  }

  async #bring(wanted: Wanted, reading: Reading): Promise<string> {
    const { file, source, position } = wanted
    const { place, signal } = reading
    try {
      if (this.#isOwn(source)) {
        const path = this.#files.pathOf(place.queryId, file.path)
        statSync(path)
        return path
      }
      const target = this.#files.inputFile(place, ...position)
      if (await this.#sharesDisk(source) && linked(source, file, target)) {
        reading.links.push(target)
        return target
      }
      await this.#download(wanted, target, reading)
      return target
    } catch (error) {
      if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled', { cause: error })
      if (error instanceof QueryError && error.code === 'DISK_FULL') throw error
      const reason = error instanceof Error ? error.message : String(error)
      const message = `cannot read ${file.path} of executor ${source.executorId}: ${reason}`
      throw new InputLost([source.executorId as ExecutorId], message, { cause: error })
    }
  }

  #isOwn(source: ExchangeSource): boolean {
    return source.markerToken === this.#files.markerToken
  }

  #sharesDisk(source: ExchangeSource): Promise<boolean> {
    const known = this.#shared.get(source.markerToken)
    if (known !== undefined) return known
    if (this.#shared.size >= MAX_KNOWN_MARKERS) this.#shared.clear()
    const asked = readFile(source.markerPath, 'utf8').then(token => token === source.markerToken, () => false)
    this.#shared.set(source.markerToken, asked)
    return asked
  }

  async #download(wanted: Wanted, target: string, reading: Reading): Promise<void> {
    const { place, copies } = reading
    const size = Number(wanted.file.sizeBytes)
    if (!this.#files.accountInput(place, size)) throw this.#files.diskFull(`an exchange file of ${size} bytes`)
    copies.push(target)
    const out = await open(target, 'wx')
    try {
      const written = await this.#copy(wanted, out, reading)
      if (written !== size) throw new Error(`${written} bytes instead of ${size}`)
    } finally {
      await out.close()
    }
  }

  /** The bytes that came, to their end. */
  async #copy({ file, source: { address } }: Wanted, out: FileHandle, reading: Reading): Promise<number> {
    const { place: { queryId }, signal, gone } = reading
    let offset = 0
    for (let resumes = 0; ;) {
      const from = offset
      try {
        for await (const { data } of this.#fetch({ address, queryId, path: file.path, offset }, signal)) {
          await write(out, data)
          offset += data.length
        }
        return offset
      } catch (error) {
        resumes = offset > from ? 0 : resumes + 1
        const { code } = asQueryError(error)
        if (signal.aborted || !transient.has(code) || gone.has(address)) throw error
        if (resumes > MAX_RESUMES) {
          gone.add(address)
          throw error
        }
        await delay(this.#clock, RESUME_PAUSE_MS)
      }
    }
  }
}

async function write(out: FileHandle, data: Uint8Array): Promise<void> {
  try {
    await out.writeFile(data)
  } catch (error) {
    const message = `cannot write an exchange file: ${error instanceof Error ? error.message : String(error)}`
    throw new QueryError('DISK_FULL', message, { cause: error })
  }
}

/** False if the file system has no hard links between the two places; throws if the file is not there. */
function linked(source: ExchangeSource, file: ExchangeFile, target: string): boolean {
  const path = resolve(source.folder, file.path)
  if (!path.startsWith(resolve(source.folder) + sep)) throw new Error('its path leaves the exchange folder')
  try {
    linkSync(path, target)
    return true
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : undefined
    if (reason === 'EXDEV' || reason === 'EPERM' || reason === 'EMLINK' || reason === 'ENOTSUP') return false
    throw error
  }
}
