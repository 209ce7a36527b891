/** An S3 server of the test's own and a store over its bucket `lake`, with short pauses. */

import type { Test } from 'tap'
import { RequestLimit } from '../../cache/request-limit.ts'
import type { RetryPolicy } from '../../cache/retry.ts'
import { S3Store } from '../../cache/s3-store.ts'
import { systemClock } from '../../proto/clock.ts'
import type { RemoteBucketConfig } from '../../proto/config-bucket.ts'
import { mulberry32 } from '../random.ts'
import { S3Server, type S3ServerOptions } from '../s3-server.ts'

/** Requests of the store. */
export const AT_ONCE = 16
/** A slow machine makes no request twice. */
export const patient: RetryPolicy = { deadlineMs: 60_000, attemptMs: 30_000, pauseMs: 1, maxPauseMs: 10 }

export interface RemoteBucket {
  readonly server: S3Server
  readonly store: S3Store
  open(more?: Partial<RemoteBucketConfig>, policy?: RetryPolicy): S3Store
  put(key: string, body: Buffer | string): { readonly key: string; readonly etag: string; readonly sizeBytes: number }
}

export function bucketAt(server: S3Server): RemoteBucketConfig {
  return {
    provider: 'custom', bucket: 'lake', region: 'us-east-1', endpoint: server.endpoint, pathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'testsecret', sessionToken: null },
  }
}

export async function openRemoteBucket(t: Test, options?: S3ServerOptions): Promise<RemoteBucket> {
  const server = await S3Server.start(options)
  t.teardown(() => server.close())
  const open: RemoteBucket['open'] = (more = {}, policy = patient) => {
    const store = new S3Store({
      name: 'prod', config: { ...bucketAt(server), ...more }, limit: new RequestLimit(AT_ONCE), policy,
      clock: systemClock, random: mulberry32(1),
    })
    t.teardown(() => store.close())
    return store
  }
  return {
    server, open, store: open(),
    put: (key, body) => {
      const { etag, body: { length: sizeBytes } } = server.objects.put('lake', key, Buffer.from(body))
      return { key, etag, sizeBytes }
    },
  }
}
