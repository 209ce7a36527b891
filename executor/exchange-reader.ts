/**
 * Brings the files of a task's inputs within reach of DuckDB: its own as they are, those of an executor on the same
 * disk by a hard link, others by gRPC into a file. Links keep a file alive while the task reads it, and leave one
 * folder for the fence to name. What cannot be had is INPUT_LOST with the executors that should have it.
 *
 * Links are made synchronously: each takes microseconds, and a tenth of the CPU of the same call on another thread.
 */

import { linkSync, statSync } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { asQueryError, QueryError } from '../proto/errors.ts'
import type { ExchangeFile, ExchangeSource, Input } from '../proto/gen/executor_pb.js'
import type { ExecutorId, QueryId } from '../proto/ids.ts'
import type { ExchangeFiles, TaskPlace } from './exchange-files.ts'

/** Opens the byte stream of an exchange file on another executor. */
export type FetchExchange =
  (address: string, queryId: QueryId, path: string, signal: AbortSignal) => AsyncIterable<{ readonly data: Uint8Array }>

/** Streams a task reads at once: enough to keep several executors busy, few enough for their memory. */
const PARALLEL_FETCHES = 4

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
  readonly place: TaskPlace
  /** Which input of the task, and which file of it. */
  readonly position: readonly [input: number, file: number]
}

export class ExchangeReader {
  readonly #files: ExchangeFiles
  readonly #fetch: FetchExchange
  /** By marker token: whether its disk is ours. A token is one start of one executor, so the answer does not change. */
  readonly #shared = new Map<string, Promise<boolean>>()
  /** What was fetched for running tasks: bytes of their own, not only links. */
  readonly #copies = new Map<TaskPlace, string[]>()

  constructor(files: ExchangeFiles, fetch: FetchExchange) {
    this.#files = files
    this.#fetch = fetch
  }

  /** Local paths of the files of each input, in their order. */
  async locate(inputs: readonly Input[], place: TaskPlace, signal: AbortSignal): Promise<string[][]> {
    const wanted = inputs.map((input, i) => input.files.map((file, k): Wanted => {
      if (file.source === undefined) throw new QueryError('INTERNAL', `input ${input.name} has a file without a source`)
      return { file, source: file.source, place, position: [i, k] }
    }))
    const paths = await this.#bringAll(wanted.flat(), place.queryId, signal)
    return wanted.map(list => list.map(one => paths.get(one) ?? ''))
  }

  /** The task is over: bytes that were fetched for it go now, links with their query. `place` as it was located. */
  async release(place: TaskPlace): Promise<void> {
    const copies = this.#copies.get(place) ?? []
    this.#copies.delete(place)
    for (const path of copies) await rm(path, { force: true })
  }

  /** Tries every file, so that a failure names all executors that lost one. */
  async #bringAll(wanted: readonly Wanted[], queryId: QueryId, signal: AbortSignal): Promise<Map<Wanted, string>> {
    const paths = new Map<Wanted, string>()
    const failures: QueryError[] = []
    const queue = [...wanted]
    const turn = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        try {
          paths.set(next, await this.#bring(next, queryId, signal))
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

  async #bring(wanted: Wanted, queryId: QueryId, signal: AbortSignal): Promise<string> {
    const { file, source, place, position } = wanted
    try {
      if (this.#isOwn(source)) {
        const path = this.#files.pathOf(queryId, file.path)
        statSync(path)
        return path
      }
      const target = this.#files.inputFile(place, ...position)
      if (await this.#sharesDisk(source) && linked(source, file, target)) return target
      this.#copies.set(place, [...this.#copies.get(place) ?? [], target])
      await this.#download(wanted, target, signal)
      return target
    } catch (error) {
      if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled', { cause: error })
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

  async #download({ file, source, place: { queryId } }: Wanted, target: string, signal: AbortSignal): Promise<void> {
    const out = await open(target, 'wx')
    try {
      let written = 0
      for await (const { data } of this.#fetch(source.address, queryId, file.path, signal)) {
        await out.writeFile(data)
        written += data.length
      }
      if (written !== Number(file.sizeBytes)) throw new Error(`${written} bytes instead of ${file.sizeBytes}`)
    } finally {
      await out.close()
    }
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
