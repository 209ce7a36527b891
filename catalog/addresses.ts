/**
 * Addresses of files, `s3://bucket/key`: which of the registered buckets they mean, and no other. The bucket is one's
 * name in the configuration, under any scheme; or else its name at the store, under the scheme of its provider, if only
 * one has it.
 */

import type { BucketConfig } from '../proto/config-bucket.ts'
import { QueryError } from '../proto/errors.ts'
import type { FilePattern } from './definitions.ts'

export interface Address extends FilePattern {
  /** What stands before the key, as it was written. */
  readonly prefix: string
}

/** Which schemes name buckets of a provider by their names at the store. */
const schemesOf: Readonly<Record<BucketConfig['provider'], readonly string[]>> = {
  local: [], s3: ['s3', 's3a', 's3n'], custom: ['s3', 's3a', 's3n'], r2: ['r2', 's3'], gcs: ['gs', 'gcs'],
}

/** PERMISSION_DENIED for what is in no registered bucket; `position` is its place in a text. */
export function parseAddress(
  address: string, buckets: Readonly<Record<string, BucketConfig>>, position?: number,
): Address {
  const refuse = (why: string): never => {
    throw new QueryError('PERMISSION_DENIED', `'${address}' ${why}`, { position })
  }
  const [, start = '', scheme = '', authority = '', key = ''] =
    /^(([a-z0-9]+):\/\/([^/]*)\/)(.+)$/is.exec(address) ?? []
  if (start === '') return refuse('is not the address of a file in a registered bucket: s3://bucket/key')
  const named = Object.keys(buckets).filter(name => name === authority)
  const found = named.length > 0 ? named : Object.entries(buckets).flatMap(([name, bucket]) => {
    const isMeant = bucket.provider !== 'local' && bucket.bucket === authority
      && schemesOf[bucket.provider].includes(scheme.toLowerCase())
    return isMeant ? [name] : []
  })
  const [bucket, ...others] = found
  if (bucket === undefined) return refuse(`is in no registered bucket: none is named '${authority}'`)
  if (others.length > 0) return refuse(`may mean the buckets ${found.join(', ')}: use one of these names`)
  return { bucket, glob: key, prefix: start }
}
