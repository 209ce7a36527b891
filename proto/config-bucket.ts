/**
 * Buckets in the configuration: which keys each provider takes, and what they become. Every remote provider speaks the
 * S3 protocol; they differ in where they are and what they must be told.
 *
 *   local    path
 *   s3       bucket, region; endpoint if it is not AWS's own
 *   r2       bucket, account_id
 *   gcs      bucket; keys of its S3 interoperability
 *   custom   bucket, endpoint
 *
 * Credentials are `access_key_id` and `secret_access_key` (and `session_token`), or none of them: then they come from
 * the environment, the profile, or the role of the machine. No message ever holds one.
 */

import { resolve } from 'node:path'
import { z } from 'zod'
import { unreachable } from './errors.ts'

export type BucketConfig = LocalBucketConfig | RemoteBucketConfig

export interface LocalBucketConfig {
  readonly provider: 'local'
  /** Absolute. */
  readonly path: string
}

export interface RemoteBucketConfig {
  readonly provider: 's3' | 'r2' | 'gcs' | 'custom'
  /** Its name at the store. */
  readonly bucket: string
  readonly region: string
  /** Without a slash at the end; null: AWS's own. */
  readonly endpoint: string | null
  /** True: `endpoint/bucket/key`; false: the bucket is a part of the host's name. */
  readonly pathStyle: boolean
  /** Null: those of the environment, the profile or the machine. */
  readonly credentials: BucketCredentials | null
}

export interface BucketCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | null
}

const text = z.string('must be a text').min(1, 'must not be empty')
/** Of AWS and of those who follow it; also a bound on what goes into a host's name. */
const remoteName = z.string('must be a text').regex(
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket has 3 to 63 small letters, digits, - and . in its name',
)
const region = z.string('must be a text').regex(/^[a-z0-9-]{1,40}$/, 'must be a region such as eu-west-1')
const accountId = z.string('must be a text').regex(/^[0-9a-f]{32}$/, 'must have 32 hexadecimal digits')
const endpoint = z.string('must be a text').transform((value, context) => {
  if (/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/?$|^https?:\/\/\[[0-9a-fA-F:]+\](:\d{1,5})?\/?$/.test(value)) {
    return value.replace(/\/$/, '')
  }
  context.addIssue({ code: 'custom', message: 'must be http://host:port or https://host:port' })
  return z.NEVER
})

const credentials = {
  access_key_id: text.optional(),
  secret_access_key: text.optional(),
  session_token: text.optional(),
}

export const bucketSchema = z.discriminatedUnion('provider', [
  z.strictObject({ provider: z.literal('local'), path: text }),
  z.strictObject({
    provider: z.literal('s3'), bucket: remoteName, region, endpoint: endpoint.optional(), ...credentials,
  }),
  z.strictObject({ provider: z.literal('r2'), bucket: remoteName, account_id: accountId, ...credentials }),
  z.strictObject({ provider: z.literal('gcs'), bucket: text, ...credentials }),
  z.strictObject({
    provider: z.literal('custom'), bucket: text, endpoint, region: region.default('us-east-1'), ...credentials,
  }),
], { error: issue => issue.code === 'invalid_union' ? 'must be local, s3, r2, gcs or custom' : undefined })

type BucketFile = z.output<typeof bucketSchema>

/** What one key of a bucket says against another; as `key: problem`. */
export function bucketContradictions(bucket: BucketFile): string[] {
  if (bucket.provider === 'local') return []
  const { access_key_id: id, secret_access_key: secret, session_token: session } = bucket
  const missing = (key: string): string => `${key}: is missing: credentials need both keys, or neither`
  if (id === undefined && secret !== undefined) return [missing('access_key_id')]
  if (id !== undefined && secret === undefined) return [missing('secret_access_key')]
  return session !== undefined && id === undefined ? [missing('access_key_id')] : []
}

/** Relative paths start at `folder`. */
export function bucketConfig(bucket: BucketFile, folder: string): BucketConfig {
  switch (bucket.provider) {
    case 'local': return { provider: 'local', path: resolve(folder, bucket.path) }
    case 's3': return {
      ...remote(bucket), region: bucket.region, endpoint: bucket.endpoint ?? null,
      pathStyle: bucket.endpoint !== undefined,
    }
    case 'r2': return {
      ...remote(bucket), region: 'auto', endpoint: `https://${bucket.account_id}.r2.cloudflarestorage.com`,
      pathStyle: true,
    }
    case 'gcs': return {
      ...remote(bucket), region: 'auto', endpoint: 'https://storage.googleapis.com', pathStyle: true,
    }
    case 'custom': return { ...remote(bucket), region: bucket.region, endpoint: bucket.endpoint, pathStyle: true }
    default: return unreachable(bucket)
  }
}

function remote(bucket: Exclude<BucketFile, { provider: 'local' }>) {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = bucket
  return {
    provider: bucket.provider, bucket: bucket.bucket,
    credentials: accessKeyId === undefined || secretAccessKey === undefined
      ? null : { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? null },
  }
}
