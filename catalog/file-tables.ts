/**
 * Tables that statements make of addresses of files. The same files with the same options are one definition, so that
 * they are looked at as seldom as tables of the configuration; the least recently named are forgotten.
 */

import type { BucketConfig } from '../proto/config-bucket.ts'
import { QueryError } from '../proto/errors.ts'
import { parseAddress } from './addresses.ts'
import type { TableDefinition } from './definitions.ts'
import { parseGlob } from './glob.ts'
import { type OptionValue, readerOptions } from './reader-options.ts'
import type { FileFormat, TableName } from './table.ts'

/** A table of some thousand files takes some MB. */
const MAX_TABLES = 500

/** Files as a statement names them. */
export interface FilesOfText {
  readonly format: FileFormat
  /** Addresses, with patterns; at least one. */
  readonly paths: readonly string[]
  readonly options: readonly (readonly [name: string, value: OptionValue])[]
  /** Where in the text, in characters. */
  readonly start: number
}

export interface FileTableOptions {
  readonly buckets: Readonly<Record<string, BucketConfig>>
  /** How long a list of the bucket's files counts as the present. */
  readonly ttlMs: (bucket: string) => number
  readonly onForget: (definition: TableDefinition) => void
}

export class FileTables {
  readonly #options: FileTableOptions
  /** The least recently used first. */
  readonly #known = new Map<string, TableDefinition>()

  constructor(options: FileTableOptions) {
    this.#options = options
  }

  /** The definition, always the same for the same files under the same name. */
  define(name: TableName, { format, paths, options: given, start }: FilesOfText): TableDefinition {
    const { buckets, ttlMs, onForget } = this.#options
    const key = JSON.stringify([name, format, paths, given])
    const known = this.#known.get(key)
    this.#known.delete(key)
    const definition = known ?? define()
    this.#known.set(key, definition)
    const [oldest] = this.#known
    if (this.#known.size > MAX_TABLES && oldest !== undefined) {
      this.#known.delete(oldest[0])
      onForget(oldest[1])
    }
    return definition

    function define(): TableDefinition {
      const sources = paths.map(path => parseAddress(path, buckets, start))
      for (const { glob } of sources) checkGlob(glob, start)
      const refuse = (option: string, why: string): never => {
        throw new QueryError('UNSUPPORTED_STATEMENT', `the option ${option} ${why}`, { position: start })
      }
      const own = given.filter(([option], i) => given.findLastIndex(([other]) => other === option) === i)
      return {
        name, label: paths.map(path => `'${path}'`).join(', '), format, sources,
        options: readerOptions(format, new Map(own), refuse),
        prefixes: Object.fromEntries(sources.map(({ bucket, prefix }) => [bucket, prefix])),
        assumeImmutable: false, listingTtlMs: Math.min(...sources.map(({ bucket }) => ttlMs(bucket))),
      }
    }
  }

  all(): readonly TableDefinition[] {
    return [...this.#known.values()]
  }
}

function checkGlob(glob: string, position: number): void {
  try {
    parseGlob(glob)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    throw new QueryError('INVALID_REQUEST', error.message, { position, cause: error })
  }
}
