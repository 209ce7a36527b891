/**
 * The folder of this executor's exchange files: `<query>/<stage>/<partition>.<attempt>/` for what its tasks write, and
 * `<query>/in/<task>/` for what they read from elsewhere. A query's folder goes when the query is released, everything
 * at the start of the process. A marker file with a random token proves to a reader that it shares this disk.
 */

import { mkdir, realpath, rm, writeFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { QueryError } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'

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

  private constructor(root: string, markerToken: string) {
    this.root = root
    this.markerPath = join(root, 'marker')
    this.markerToken = markerToken
  }

  /** Removes what an earlier process left in `folder`. */
  static async open(folder: string, markerToken: string): Promise<ExchangeFiles> {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const files = new ExchangeFiles(await realpath(folder), markerToken)
    await writeFile(files.markerPath, markerToken)
    return files
  }

  /** Where a task writes; not made yet. */
  outputFolder({ queryId, stage, partition, attempt }: TaskPlace): string {
    return join(this.#query(queryId), String(stage), `${partition}.${attempt}`)
  }

  /** Where a task's inputs from other executors lie; not made yet. */
  inputFolder({ queryId, stage, partition, attempt }: TaskPlace): string {
    return join(this.#query(queryId), 'in', `${stage}.${partition}.${attempt}`)
  }

  async removeInputs(place: TaskPlace): Promise<void> {
    await rm(this.inputFolder(place), { recursive: true, force: true })
  }

  async removeQuery(queryId: QueryId): Promise<void> {
    await rm(this.#query(queryId), { recursive: true, force: true })
  }

  /** The absolute path of a file of `queryId`; NOT_FOUND for a path that is not below the query's folder. */
  pathOf(queryId: QueryId, path: string): string {
    const absolute = resolve(this.root, path)
    if (absolute.startsWith(this.#query(queryId) + sep) && !path.includes('\0')) return absolute
    throw new QueryError('NOT_FOUND', `no exchange file ${path} of query ${queryId}`)
  }

  #query(queryId: QueryId): string {
    if (SAFE_NAME.test(queryId)) return join(this.root, queryId)
    throw new QueryError('INVALID_REQUEST', `query id ${JSON.stringify(queryId)} is not a name`)
  }
}
