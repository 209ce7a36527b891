/**
 * The configuration file: YAML to `Config`. The parser knows nothing of the machine or of the disk but what it is
 * given. Every wrong key gives one line that names the file and the key: `skein.yaml: catalogs.tpch.bucket: no bucket
 * named 'lak'`; all of them together are the message of one INVALID_CONFIG.
 */

import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import type { core } from 'zod'
import { type BucketConfig, bucketConfig, bucketContradictions } from './config-bucket.ts'
import { type DatabaseConfig, databaseConfig, databaseContradictions } from './config-database.ts'
import { type ConfigFile, configSchema } from './config-schema.ts'
import { groupContradictions, resourceGroups } from './config-groups.ts'
import { type TableConfig, tableConfig, tableContradictions } from './config-table.ts'
import { isLoopback, splitAddress } from './address.ts'
import { QueryError } from './errors.ts'
import type { ResourceGroup } from './resource-group.ts'
import type { Machine } from './machine.ts'

/** Paths are absolute. */
export interface Config {
  readonly dataDir: string
  readonly buckets: Readonly<Record<string, BucketConfig>>
  readonly catalogs: Readonly<Record<string, CatalogConfig>>
  /** Catalogs that are DuckDB files. */
  readonly databases: Readonly<Record<string, DatabaseConfig>>
  /** DuckDB's own `memory` if there are no catalogs. */
  readonly defaultCatalog: string
  readonly node: NodeConfig
  /** Of a result, before its first row goes out: until then a lost executor costs time alone. */
  readonly resultHoldBytes: number
  /** In the order in which users are looked up; the default group is the last. */
  readonly resourceGroups: readonly ResourceGroup[]
  readonly listen: ListenConfig
  /** null: one box, the store is embedded. */
  readonly store: EtcdConfig | null
  /** How long new queries are taken while the store is away. */
  readonly storeGraceMs: number
  /** Seals what the store holds that is secret. */
  readonly secretKeyFile: string | null
  /** Between nodes, and for operators. */
  readonly tls: TlsFiles | null
  /** For the doors of clients. */
  readonly clientTls: DoorTlsFiles | null
  /** Whether clients have to log in; none is for doors that no other host reaches, and the default there. */
  readonly auth: 'none' | 'users'
  /** Users who see in the tables of catalog `skein` what operators see; without logins everybody does. */
  readonly admins: readonly string[]
  /** Where spans of queries go, by OTLP over HTTP; null: nowhere. */
  readonly tracing: { readonly endpoint: string } | null
}

export interface EtcdConfig {
  readonly hosts: readonly string[]
  readonly tls: TlsFiles | null
  /** A name that every member's certificate has; null: each has that of its host. */
  readonly serverName: string | null
  /** Before every key. */
  readonly prefix: string
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export interface DoorTlsFiles extends TlsFiles {
  readonly clientsCa: string | null
}

export interface CatalogConfig {
  readonly type: 'bucket_tables'
  readonly bucket: string
  readonly assumeImmutable: boolean
  /** How long a list of its files counts as the present, in milliseconds. */
  readonly listingTtlMs: number
  readonly tables: Readonly<Record<string, TableConfig>>
}

/** Of all executors of one `skein start` together; each has a default from the machine. */
export interface NodeConfig {
  readonly threads: number
  readonly memoryBytes: number
  readonly spillBytes: number
  readonly cacheBytes: number
  /** Of results that are kept for queries that ask the same; 0: none are. */
  readonly resultCacheBytes: number
  /** After SIGTERM: how long an executor goes on for the queries that it has. */
  readonly drainMs: number
  readonly labels: Readonly<Record<string, string>>
  /** host:port at which the other nodes reach this one; null: one box. Port 0: the one that it listens on. */
  readonly advertise: string | null
}

/** host:port of each door; port 0 takes any free one. */
export interface ListenConfig {
  readonly http: string
  readonly flight: string
  readonly admin: string
  /** An executor's own port; null: the one that it advertises. */
  readonly node: string | null
  /** An executor's port at which clients read parts of results; null: it has none. */
  readonly results: string | null
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The rest is for the operating system, the coordinator and the clients. */
const MEMORY_SHARE = 0.6
/** Of the free disk, each: half of it stays free. */
const SPILL_SHARE = 0.25
const CACHE_SHARE = 0.25
/** Some thousand answers of a dashboard; a larger result than an eighth of it is not kept. */
const RESULT_CACHE_BYTES = 512 * 1024 * 1024
const RESULT_CACHE_SHARE = 0.02
/** Held by the coordinator for each query whose result is being made. */
export const RESULT_HOLD_BYTES = 32 * 1024 * 1024
const LOCAL_LISTING_TTL_MS = 1000
/** A list is a request that is paid for, and each page of 1,000 keys takes some 50 ms. */
const REMOTE_LISTING_TTL_MS = 10_000
/** A configuration is written by hand. */
const MAX_CONFIG_CHARACTERS = 1024 * 1024

/** How long a list of a bucket's files counts as the present, if nothing else is said. */
export function listingTtlMs(provider: BucketConfig['provider'] | undefined): number {
  return provider === 'local' ? LOCAL_LISTING_TTL_MS : REMOTE_LISTING_TTL_MS
}

/** Reads the file at `path`; relative paths in it start at its folder. */
export async function loadConfig(
  path: string, env: Environment, readFile: (path: string) => Promise<string>, machine: Machine,
): Promise<Config> {
  let text: string
  try {
    text = await readFile(path)
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new QueryError('INVALID_CONFIG', `${path}: ${missing ? 'no such file' : String(error)}`, { cause: error })
  }
  return parseConfig(text, { name: path, folder: dirname(resolve(path)), env, machine })
}

export interface ConfigSource {
  /** The file as its messages name it. */
  readonly name: string
  /** Absolute; where relative paths start. */
  readonly folder: string
  readonly env: Environment
  readonly machine: Machine
}

/** An empty text is a configuration without tables. */
export function parseConfig(text: string, source: ConfigSource): Config {
  const { value, problems } = withEnvironment(readYaml(text, source.name), source.env)
  if (problems.length > 0) throw invalid(source.name, problems)
  const parsed = configSchema.safeParse(value ?? {}, { reportInput: true })
  if (!parsed.success) throw invalid(source.name, parsed.error.issues.flatMap(describe))
  const wrong = contradictions(parsed.data)
  if (wrong.length > 0) throw invalid(source.name, wrong)
  return toConfig(parsed.data, source)
}

function invalid(name: string, problems: readonly string[]): QueryError {
  return new QueryError('INVALID_CONFIG', problems.map(problem => `${name}: ${problem}`).join('\n'))
}

function readYaml(text: string, name: string): unknown {
  if (text.length > MAX_CONFIG_CHARACTERS) throw invalid(name, [`more than ${MAX_CONFIG_CHARACTERS} characters`])
  const document = parseDocument(text, { prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const before = text.slice(0, error.pos[0]).split('\n')
    throw invalid(name, [`line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${error.message}`])
  }
  try {
    return document.toJS()
  } catch (error) {
    throw invalid(name, [error instanceof Error ? error.message : String(error)])
  }
}

/** Puts the values of `${NAME}` in, in every text of the tree but not in keys. */
function withEnvironment(tree: unknown, env: Environment): { value: unknown; problems: string[] } {
  const problems: string[] = []
  const replace = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'string') {
      return value.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
        const found = env[name]
        if (found === undefined) problems.push(`${path.join('.')}: no environment variable named '${name}'`)
        return found ?? ''
      })
    }
    if (Array.isArray(value)) return value.map((item, i) => replace(item, [...path, String(i)]))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replace(child, [...path, key])]))
  }
  return { value: replace(tree, []), problems }
}

/** One line for each key that an issue of the schema is about. */
function describe(issue: core.$ZodIssue): string[] {
  const at = (path: readonly PropertyKey[]) => path.length === 0 ? '' : `${path.map(String).join('.')}: `
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => `${at([...issue.path, key])}no such key`)
  if (issue.code === 'invalid_key') return issue.issues.flatMap(inner => `${at(issue.path)}${inner.message}`)
  return [`${at(issue.path)}${issue.input === undefined ? 'is missing' : message(issue)}`]
}

function message(issue: core.$ZodIssue): string {
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) return issue.message
  const mapping = issue.expected === 'object' || issue.expected === 'record'
  return mapping ? 'must be a mapping' : `must be a ${issue.expected}`
}

/** What one key says against another. */
function contradictions(file: ConfigFile): string[] {
  const wrong: string[] = []
  for (const [name, bucket] of Object.entries(file.buckets)) {
    wrong.push(...bucketContradictions(bucket).map(problem => `buckets.${name}.${problem}`))
  }
  for (const [name, catalog] of Object.entries(file.catalogs)) {
    if (!Object.hasOwn(file.buckets, catalog.bucket)) {
      wrong.push(`catalogs.${name}.bucket: no bucket named '${catalog.bucket}'`)
    }
    if (catalog.type === 'duckdb') {
      const problems = databaseContradictions(catalog, file.buckets[catalog.bucket]?.provider)
      wrong.push(...problems.map(problem => `catalogs.${name}.${problem}`))
      continue
    }
    for (const [table, definition] of Object.entries(catalog.tables)) {
      const problems = tableContradictions(definition, catalog.file_format)
      wrong.push(...problems.map(problem => `catalogs.${name}.tables.${table}.${problem}`))
    }
    wrong.push(...twins(Object.keys(catalog.tables), `catalogs.${name}.tables`))
  }
  wrong.push(...twins(Object.keys(file.catalogs), 'catalogs'))
  wrong.push(...groupContradictions(file.resource_groups))
  if (file.auth === 'none') {
    wrong.push(...openDoors(file).map(door => `auth: none: listen.${door} is open to other hosts: it needs users`))
  }
  const names = Object.keys(file.catalogs)
  if (file.default_catalog === undefined && names.length > 1) {
    wrong.push(`default_catalog: is missing: one of ${names.join(', ')}`)
  }
  if (file.default_catalog !== undefined && !Object.hasOwn(file.catalogs, file.default_catalog)) {
    wrong.push(`default_catalog: no catalog named '${file.default_catalog}'`)
  }
  return wrong
}

/** Doors of clients that other hosts reach. */
function openDoors({ listen }: ConfigFile): string[] {
  return (['http', 'flight', 'results'] as const).filter(door => {
    const address = listen[door]
    return address !== undefined && !isLoopback(splitAddress(address).host)
  })
}

/** DuckDB's names do not differ by case. */
function twins(names: readonly string[], path: string): string[] {
  const seen = new Map<string, string>()
  return names.flatMap(name => {
    const twin = seen.get(name.toLowerCase())
    seen.set(name.toLowerCase(), name)
    return twin === undefined ? [] : [`${path}.${name}: differs from '${twin}' by case only`]
  })
}

function toConfig(file: ConfigFile, { folder, machine }: ConfigSource): Config {
  const dataDir = resolve(folder, file.data_dir)
  const buckets = mapValues(file.buckets, bucket => bucketConfig(bucket, folder))
  const { threads, memory, spill, cache, result_cache: resultCache, drain_timeout: drainMs, labels } = file.node
  return {
    dataDir,
    buckets,
    databases: mapValues(only(file.catalogs, 'duckdb'), database => databaseConfig(database, buckets)),
    catalogs: mapValues(only(file.catalogs, 'bucket_tables'), catalog => ({
      type: catalog.type,
      bucket: catalog.bucket,
      assumeImmutable: catalog.assume_immutable,
      listingTtlMs: catalog.listing_ttl ?? listingTtlMs(file.buckets[catalog.bucket]?.provider),
      tables: mapValues(catalog.tables, table => tableConfig(table, catalog.file_format)),
    })),
    defaultCatalog: file.default_catalog ?? Object.keys(file.catalogs)[0] ?? 'memory',
    node: {
      threads: threads ?? machine.threads,
      memoryBytes: memory ?? Math.floor(machine.memoryBytes * MEMORY_SHARE),
      spillBytes: spill ?? Math.floor(machine.freeDiskBytes(dataDir) * SPILL_SHARE),
      cacheBytes: cache ?? Math.floor(machine.freeDiskBytes(dataDir) * CACHE_SHARE),
      resultCacheBytes: resultCache ?? Math.floor(Math.min(
        RESULT_CACHE_BYTES, machine.freeDiskBytes(dataDir) * RESULT_CACHE_SHARE)),
      drainMs, labels, advertise: file.node.advertise ?? null,
    },
    resultHoldBytes: file.result_hold_bytes ?? RESULT_HOLD_BYTES,
    resourceGroups: resourceGroups(file.resource_groups),
    listen: {
      http: file.listen.http, flight: file.listen.flight, admin: file.listen.admin, node: file.listen.node ?? null,
      results: file.listen.results ?? null,
    },
    store: file.store === undefined ? null
      : {
        hosts: file.store.etcd, tls: tlsFiles(file.store.tls, folder), serverName: file.store.server_name ?? null,
        prefix: file.store.prefix,
      },
    storeGraceMs: file.store_grace,
    secretKeyFile: file.secret_key_file === undefined ? null : resolve(folder, file.secret_key_file),
    tls: tlsFiles(file.tls, folder),
    clientTls: doorTlsFiles(file.client_tls, folder),
    admins: file.admins, tracing: file.tracing ?? null,
    auth: file.auth ?? (openDoors(file).length === 0 ? 'none' : 'users'),
  }
}

/** A server whose clients show no certificate needs no CA but its own. */
function tlsFiles(
  files: { readonly cert: string; readonly key: string; readonly ca?: string | undefined } | undefined, folder: string,
): TlsFiles | null {
  if (files === undefined) return null
  const { cert, key, ca = cert } = files
  return { cert: resolve(folder, cert), key: resolve(folder, key), ca: resolve(folder, ca) }
}

function doorTlsFiles(files: ConfigFile['client_tls'], folder: string): DoorTlsFiles | null {
  const paths = tlsFiles(files, folder)
  const clientsCa = files?.clients_ca
  return paths === null ? null : { ...paths, clientsCa: clientsCa === undefined ? null : resolve(folder, clientsCa) }
}

type CatalogFile = ConfigFile['catalogs'][string]

function only<Type extends CatalogFile['type']>(
  catalogs: ConfigFile['catalogs'], type: Type,
): Record<string, Extract<CatalogFile, { readonly type: Type }>> {
  const isIt = (entry: [string, CatalogFile]): entry is [string, Extract<CatalogFile, { readonly type: Type }>] =>
    entry[1].type === type
  return Object.fromEntries(Object.entries(catalogs).filter(isIt))
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
