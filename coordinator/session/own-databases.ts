/**
 * Catalogs that are DuckDB files, as sessions use them: which of them a text names, who may change them, and which
 * executors can reach their files.
 */

import { rank } from '../../cache/affinity.ts'
import { splitAddress } from '../../proto/address.ts'
import { mayWrite, type DatabaseConfig } from '../../proto/config-database.ts'
import { QueryError } from '../../proto/errors.ts'
import type { ExecutorInfo } from '../../proto/gen/cluster_pb.js'
import type { ExecutorId } from '../../proto/ids.ts'
import { identifier, meaningfulTokens } from '../../proto/sql-tokens.ts'
import { chainsIn } from './mentions.ts'

/** Catalogs that are the session's alone. */
const sessionOwn: readonly string[] = ['memory', 'temp']
/** It tells the paths of all that it lists. */
const TELLS_PATHS = 'duckdb_databases'

interface Named {
  readonly name: string
  readonly config: DatabaseConfig
}

export class OwnDatabases {
  readonly #all: readonly Named[]

  constructor(databases: Readonly<Record<string, DatabaseConfig>>) {
    this.#all = Object.entries(databases).map(([name, config]) => ({ name, config }))
  }

  get names(): readonly string[] {
    return this.#all.map(({ name }) => name)
  }

  has(catalog: string): boolean {
    return this.#all.some(({ name }) => isSame(name, catalog))
  }

  /** The text may name something in one of them. */
  concerns(sql: string, defaultCatalog: string): boolean {
    return this.#all.length > 0 && this.#named(sql, defaultCatalog).length > 0
  }

  /** What the executor has to attach. All of them for a list, but for one that would tell their paths. */
  toAttach(sql: string, defaultCatalog: string, principal: string, listing: boolean) {
    const tellsPaths = (): boolean =>
      meaningfulTokens(sql).some(token => identifier(token)?.toLowerCase() === TELLS_PATHS)
    const named = !listing ? this.#named(sql, defaultCatalog) : this.#all.length === 0 || tellsPaths() ? [] : this.#all
    return named.map(({ name, config }) => ({
      catalog: name, file: config.file, writable: mayWrite(config, principal), name: `${config.bucket}/${config.path}`,
    }))
  }

  /** Catalogs that the principal may change, in lower case. */
  writable(principal: string): ReadonlySet<string> {
    const own = this.#all.filter(({ config }) => mayWrite(config, principal)).map(({ name }) => name.toLowerCase())
    return new Set([...sessionOwn, ...own])
  }

  /** The refusal of a change of such a catalog; undefined: it is another one. */
  refusal(catalog: string, principal: string): QueryError | undefined {
    if (!this.has(catalog)) return undefined
    return new QueryError('PERMISSION_DENIED', `user ${principal} may not change catalog ${catalog}: see its writers`)
  }

  /**
   * Those of `executors` that reach the files which the text names, best first: all sessions prefer the same one, so
   * that its lock seldom moves. Others may be asked too. Throws where a file is out of reach.
   */
  within(executors: readonly ExecutorInfo[], sql: string, defaultCatalog: string): readonly ExecutorInfo[] {
    return this.#named(sql, defaultCatalog).reduce<readonly ExecutorInfo[]>(
      (left, { name, config }) => nearest(left, name, config), executors)
  }

  #named(sql: string, defaultCatalog: string): readonly Named[] {
    if (this.#all.length === 0) return []
    const first = new Set(chainsIn(sql).flatMap(chain => chain.length > 1 ? [chain[0]?.toLowerCase()] : []))
    return this.#all.filter(({ name }) => isSame(name, defaultCatalog) || first.has(name.toLowerCase()))
  }
}

function nearest(
  executors: readonly ExecutorInfo[], name: string, { bucket, path, host }: DatabaseConfig,
): readonly ExecutorInfo[] {
  const hosts = new Set(executors.map(hostOf))
  if (host === null && hosts.size > 1) {
    throw new QueryError('INVALID_CONFIG', `catalog ${name} is a file of one host, and there are ${hosts.size}: `
      + `catalogs.${name}.host says which`)
  }
  const there = executors.filter(info => host === null || hostOf(info) === host)
  if (there.length === 0) {
    throw new QueryError('NO_EXECUTOR', `no executor is on host ${host}, which has catalog ${name}`)
  }
  const order = rank({ bucket, key: path }, there.map(({ id }) => id as ExecutorId))
  return there.toSorted((a, b) => order.indexOf(a.id as ExecutorId) - order.indexOf(b.id as ExecutorId))
}

function hostOf({ address }: ExecutorInfo): string {
  return splitAddress(address).host
}

/** DuckDB's names do not differ by case. */
function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
