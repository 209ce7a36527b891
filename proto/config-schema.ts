/**
 * The shape of the configuration file: what its keys are called, and what each may hold. Strict: a key that is not
 * here is refused. What one key means for another (a catalog's bucket exists) is checked by `parseConfig`.
 */

import { z } from 'zod'
import { bucketSchema } from './config-bucket.ts'
import { databaseSchema } from './config-database.ts'
import { groupsSchema } from './config-groups.ts'
import { tableSchema } from './config-table.ts'
import { parseSize } from './sizes.ts'

/** Names of buckets: they become parts of cache keys and log lines. */
const BUCKET_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/
/** Catalogs that DuckDB itself has in every instance, and the one of the tables about the cluster. */
const RESERVED_CATALOGS = new Map([
  ['system', 'this name is DuckDB\'s own'], ['temp', 'this name is DuckDB\'s own'],
  ['memory', 'this name is DuckDB\'s own'], ['skein', 'this name is of the tables about the cluster'],
])
/** DuckDB takes any name; this keeps logs and paths of error messages readable. */
const MAX_NAME_LENGTH = 255

const text = z.string('must be a text').min(1, 'must not be empty')
const name = text.max(MAX_NAME_LENGTH, `must have at most ${MAX_NAME_LENGTH} characters`)
  // eslint-disable-next-line no-control-regex
  .regex(/^[^\u0000-\u001f]*$/, 'must not hold control characters')
const bucketName = z.string().regex(BUCKET_NAME, 'a bucket name has letters, digits, _ . and - only')
const catalogName = name.superRefine((value, context) => {
  const message = RESERVED_CATALOGS.get(value.toLowerCase())
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

const count = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)], 'must be a whole number')
  .refine(value => Number.isSafeInteger(value) && value > 0, 'must be a whole number above 0')
const flag = z.union(
  [z.boolean(), z.enum(['true', 'false']).transform(value => value === 'true')], 'must be true or false',
)

const sizeFrom = (least: number) => z.union([z.number(), z.string()], 'must be a size such as 16GB')
  .transform((value, context) => {
    const bytes = parseSize(String(value))
    if (bytes !== undefined && bytes >= least) return bytes
    context.addIssue({ code: 'custom', message: `'${value}' is not a size such as 16GB or 512MB` })
    return z.NEVER
  })
const size = sizeFrom(1)
/** 0: none. */
const sizeOrNone = sizeFrom(0)

const door = z.string('must be host:port').transform((value, context) => {
  const port = /^(?:[^:\s]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(value)?.[1]
  if (port !== undefined && Number(port) <= 65535) return value
  context.addIssue({ code: 'custom', message: `'${value}' is not host:port, with a port from 0 to 65535` })
  return z.NEVER
})

const duration = z.string('must be a time such as 30s').transform((value, context) => {
  const [, count, unit = ''] = /^(\d{1,6})(ms|s|m|h)$/.exec(value) ?? []
  if (count !== undefined) return Number(count) * (unitMs[unit] ?? 1)
  context.addIssue({ code: 'custom', message: `'${value}' is not a time such as 500ms, 30s, 5m or 1h` })
  return z.NEVER
})
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const etcdUrl = z.string().regex(/^https?:\/\/[^/\s]+:\d{1,5}$/, 'must be http://host:port or https://host:port')
const otlpUrl = z.string()
  .regex(/^https?:\/\/[^/\s@]+\/\S*$/, 'must be a URL such as http://127.0.0.1:4318/v1/traces, without a password')
const tlsFiles = z.strictObject({ cert: text, key: text, ca: text })

/** A key of the design that this version does not serve: any value is refused, with that reason. */
const notServed = z.unknown().refine(value => value === undefined, 'not served by this version').optional()

const bucketTables = z.strictObject({
  type: z.literal('bucket_tables'),
  bucket: text,
  file_format: z.enum(['parquet', 'csv', 'json'], 'must be parquet, csv or json').default('parquet'),
  assume_immutable: flag.default(false),
  listing_ttl: duration.optional(),
  tables: z.record(name, tableSchema),
})
const catalog = z.discriminatedUnion('type', [bucketTables, databaseSchema], {
  error: issue => issue.code === 'invalid_union' ? 'must be bucket_tables or duckdb' : undefined,
})

/** SIGTERM ends a process within 10 s, unless the configuration allows more. */
const DRAIN_MS = 3_000

export const configSchema = z.strictObject({
  data_dir: text.default('./skein-data'),
  buckets: z.record(bucketName, bucketSchema).default({}),
  catalogs: z.record(catalogName, catalog).default({}),
  default_catalog: text.optional(),
  node: z.strictObject({
    advertise: door.optional(),
    threads: count.optional(),
    memory: size.optional(),
    spill: size.optional(),
    cache: size.optional(),
    result_cache: sizeOrNone.optional(),
    drain_timeout: duration.default(DRAIN_MS),
    labels: z.record(name, text).default({}),
  }).prefault({}),
  result_hold_bytes: size.optional(),
  resource_groups: groupsSchema(duration),
  listen: z.strictObject({
    http: door.default('127.0.0.1:4280'),
    flight: door.default('127.0.0.1:4281'),
    postgres: notServed,
    admin: door.default('127.0.0.1:4283'),
    node: door.optional(),
    results: door.optional(),
  }).prefault({}),
  store: z.strictObject({
    etcd: z.array(etcdUrl, 'must be a list of addresses').min(1, 'must name one address at least'),
    tls: tlsFiles.optional(),
    prefix: text.default('skein/'),
    server_name: text.optional(),
  }).optional(),
  auth: z.enum(['none', 'users'], 'must be none or users').optional(),
  admins: z.array(name, 'must be a list of names').default([]),
  store_grace: duration.default(60_000),
  secret_key_file: text.optional(),
  tracing: z.strictObject({ endpoint: otlpUrl }).optional(),
  tls: tlsFiles.optional(),
  client_tls: tlsFiles.extend({ ca: text.optional(), clients_ca: text.optional() }).optional(),
})

export type ConfigFile = z.output<typeof configSchema>
