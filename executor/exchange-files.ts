/**
 * The folder of this executor's exchange files. Each query has one below it, made when it is first written to:
 *
 *   <query>/<stage>.<partition>.<attempt>.parquet    what a task wrote
 *   <query>/<stage>.<partition>.<attempt>/           the same by hash, a file or more for each partition
 *   <query>/in-<task>-<input>-<file>.parquet         what a task reads from another executor
 *
 * What is written goes when no stage will read it, at the latest with its query; what is read, with its task;
 * everything at the start of the process. Every byte counts against the executor's disk. A marker file with a random
 * token proves to a reader that it shares this disk. Folders are few because each costs a file system more than a file;
 * what takes microseconds is done synchronously, at a tenth of the CPU of the same call on another thread.
 */

import { existsSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { mkdir, realpath, rm, rmdir, writeFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { QueryError } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'
import type { ByteBudget } from './byte-budget.ts'
import { fileBytes, folderBytes } from './folder-size.ts'

/** A folder of so many entries is removed at once, some milliseconds at most; a larger one by other threads. */
const FEW_ENTRIES = 64
/** Ids become names of folders. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

export interface TaskPlace {
  readonly queryId: QueryId
  readonly stage: number
  readonly partition: number
  readonly attempt: number
}

export class ExchangeFiles {
  /** Absolute, free of links. */
  readonly root: string
  readonly markerPath: string
  readonly markerToken: string
  /** Queries that have a folder. */
  readonly #made = new Set<QueryId>()
  readonly #disk: ByteBudget
  /** Bytes taken from the disk, by query and by task, what it wrote and what it reads apart. */
  readonly #held = new Map<QueryId, Map<string, number>>()

  private constructor(root: string, markerToken: string, disk: ByteBudget) {
    this.#disk = disk
    this.root = root
    this.markerPath = join(root, 'marker')
    this.markerToken = markerToken
  }

  /** Removes what an earlier process left in `folder`. */
  static async open(folder: string, markerToken: string, disk: ByteBudget): Promise<ExchangeFiles> {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const files = new ExchangeFiles(await realpath(folder), markerToken, disk)
    await writeFile(files.markerPath, markerToken)
    return files
  }

  /** INVALID_REQUEST unless the id can name a folder. */
  checkId(queryId: QueryId): void {
    this.#query(queryId)
  }

  /** The one file that a task writes, in a folder that is there. */
  outputFile(place: TaskPlace): string {
    return join(this.#make(place.queryId), `${nameOf(place)}.parquet`)
  }

  /** Where a task writes a file for each partition: empty, and there. */
  outputFolder(place: TaskPlace): string {
    const folder = join(this.#make(place.queryId), nameOf(place))
    mkdirSync(folder)
    return folder
  }

  /** Where file `index` of a task's input goes, in a folder that is there. */
  inputFile(place: TaskPlace, input: number, index: number): string {
    return join(this.#make(place.queryId), `in-${nameOf(place)}-${input}-${index}.parquet`)
  }

  /** Bytes on disk of what a task has written so far. */
  async measureOutput(place: TaskPlace): Promise<number> {
    const { folder, files } = this.#outputs(place)
    let total = await folderBytes(folder)
    for (const file of files) total += await fileBytes(file)
    return total
  }

  /** What a task has written now counts as so much. False, and nothing changed, if the disk has no room for it. */
  accountOutput(place: TaskPlace, byteCount: number): boolean {
    return this.#account(place.queryId, nameOf(place), byteCount)
  }

  /** A task is about to read so much more from another disk. */
  accountInput(place: TaskPlace, byteCount: number): boolean {
    const name = `in-${nameOf(place)}`
    return this.#account(place.queryId, name, byteCount + (this.#held.get(place.queryId)?.get(name) ?? 0))
  }

  diskFull(what: string): QueryError {
    const of = `of the ${this.#disk.totalBytes} bytes of disk of this executor (node.spill)`
    return new QueryError('DISK_FULL', `${what} outgrew the ${this.#disk.freeBytes} that were left ${of}`)
  }

  async removeOutput(place: TaskPlace): Promise<void> {
    const { folder, files } = this.#outputs(place)
    for (const file of files) if (existsSync(file)) unlinkSync(file)
    if (existsSync(folder)) await remove(folder)
    this.#giveBack(place.queryId, nameOf(place))
  }

  /** `paths` were brought for a task that is over: links, or copies, whose bytes are free again. */
  async removeInputs(place: TaskPlace, links: readonly string[], copies: readonly string[]): Promise<void> {
    for (const path of links) rmSync(path, { force: true })
    for (const path of copies) await rm(path, { force: true })
    this.#giveBack(place.queryId, `in-${nameOf(place)}`)
  }

  async removeQuery(queryId: QueryId): Promise<void> {
    for (const name of [...this.#held.get(queryId)?.keys() ?? []]) this.#giveBack(queryId, name)
    this.#held.delete(queryId)
    if (!this.#made.delete(queryId)) return
    await remove(this.#query(queryId))
  }

  /** The absolute path of a file of `queryId`; NOT_FOUND for a path that is not below the query's folder. */
  pathOf(queryId: QueryId, path: string): string {
    const absolute = resolve(this.root, path)
    if (absolute.startsWith(this.#query(queryId) + sep) && !path.includes('\0')) return absolute
    throw new QueryError('NOT_FOUND', `no exchange file ${path} of query ${queryId}`)
  }

  /** All that a task may have written; also what DuckDB writes to before it gives the file its name. */
  #outputs(place: TaskPlace): { folder: string; files: readonly string[] } {
    const [folder, name] = [this.#query(place.queryId), nameOf(place)]
    return {
      folder: join(folder, name), files: [`${name}.parquet`, `tmp_${name}.parquet`].map(file => join(folder, file)),
    }
  }

  #account(queryId: QueryId, name: string, byteCount: number): boolean {
    const held = this.#held.get(queryId) ?? new Map<string, number>()
    const before = held.get(name) ?? 0
    if (byteCount > before && !this.#disk.take(byteCount - before)) return false
    if (byteCount < before) this.#disk.give(before - byteCount)
    this.#held.set(queryId, held.set(name, byteCount))
    return true
  }

  #giveBack(queryId: QueryId, name: string): void {
    const held = this.#held.get(queryId)
    this.#disk.give(held?.get(name) ?? 0)
    held?.delete(name)
  }

  #make(queryId: QueryId): string {
    const folder = this.#query(queryId)
    if (this.#made.has(queryId)) return folder
    mkdirSync(folder)
    this.#made.add(queryId)
    return folder
  }

  #query(queryId: QueryId): string {
    if (SAFE_NAME.test(queryId)) return join(this.root, queryId)
    throw new QueryError('INVALID_REQUEST', `query id ${JSON.stringify(queryId)} is not a name`)
  }
}

function nameOf({ stage, partition, attempt }: TaskPlace): string {
  return `${stage}.${partition}.${attempt}`
}

/** Others may remove parts of it meanwhile: outputs of tasks, while the query itself goes. */
async function remove(folder: string): Promise<void> {
  const isRemoved = await removedIfSmall(folder).catch(() => false)
  if (!isRemoved) await rm(folder, { recursive: true, force: true })
}

/** False, with some or all of it left, if there is more in it, or below it, than few files. */
async function removedIfSmall(folder: string): Promise<boolean> {
  const entries = readdirSync(folder, { withFileTypes: true })
  if (entries.length > FEW_ENTRIES) return false
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) unlinkSync(path)
    else if (!await removedIfSmall(path)) return false
  }
  await rmdir(folder) // may wait a millisecond for the file system's journal
  return true
}
