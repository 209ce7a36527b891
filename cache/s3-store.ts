/**
 * A bucket that is reached by the S3 protocol: AWS, R2, GCS, and their like. The one door to the SDK, of which only
 * signing, credentials and XML are used: ranges, limits, retries and deadlines are ours.
 *
 * Every read carries the etag of its file: what was replaced meanwhile is FILE_CHANGED, never a mix of two versions. An
 * answer counts only if it is the range that was asked for, to the byte. A store that answers with another etag in
 * spite of the condition is asked again, and then believed.
 */

import { Readable } from 'node:stream'
import type * as Sdk from '@aws-sdk/client-s3'
import type { RemoteBucketConfig } from '../proto/config-bucket.ts'
import { QueryError } from '../proto/errors.ts'
import { required } from '../proto/required.ts'
import type { ListOptions, ObjectStore, StoredObject, Waited } from './object-store.ts'
import type { RequestLimit } from './request-limit.ts'
import { Again, retry, type Attempt, type RetryPolicy, type RetryPorts } from './retry.ts'
import { StoreHealth } from './store-health.ts'
import { changedText, s3Error, type S3Place } from './s3-errors.ts'

const { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } =
  required<typeof Sdk>('@aws-sdk/client-s3')

/** One request: long enough that its fixed cost is small, short enough that losing one costs little. */
const PART_BYTES = 8 * 1024 * 1024
/** Parts of one range at once: more do not make one file come faster. */
const PARTS_AT_ONCE = 8
/** Above the limit on requests, so that none waits for a socket. */
const MAX_SOCKETS = 128
const CONNECT_MS = 5000
/** A store that ignores the condition says the same each time. */
const ATTEMPTS_WITH_OTHER_ETAG = 3
/** For a person who waits: one attempt. */
const CHECK_MS = 10_000

export interface S3StoreOptions extends RetryPorts {
  /** The bucket's name in the configuration. */
  readonly name: string
  readonly config: RemoteBucketConfig
  /** Of the whole process, shared with the other stores. */
  readonly limit: RequestLimit
  readonly policy: RetryPolicy
}

export class S3Store implements ObjectStore {
  readonly #options: S3StoreOptions
  readonly #health: StoreHealth
  readonly #place: S3Place
  readonly #client: Sdk.S3Client

  constructor(options: S3StoreOptions) {
    this.#options = options
    this.#health = new StoreHealth(options.policy)
    const { bucket, region, endpoint } = options.config
    const host = endpoint === null ? `s3.${region}.amazonaws.com` : endpoint.replace(/^https?:\/\//, '')
    this.#place = { name: options.name, bucket, host, region }
    this.#client = connect(options.config)
  }

  async head(key: string): Promise<StoredObject> {
    const { ETag, ContentLength } = await this.#ask(key, signal =>
      this.#client.send(new HeadObjectCommand({ ...this.#bucket, Key: key }), { abortSignal: signal }))
    return this.#stored(key, ETag, ContentLength)
  }

  async readRange(
    key: string, from: number, to: number, etag: string, signal?: AbortSignal, waited?: Waited,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(to - from)
    const parts = Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, i) => i * PART_BYTES)
    const stop = new AbortController()
    const ends = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
    const turn = async (): Promise<void> => {
      for (let at = parts.shift(); at !== undefined; at = parts.shift()) {
        await this.#readPart(key, from + at, bytes.subarray(at, at + PART_BYTES), etag, ends, waited)
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, parts.length) }, turn))
    } catch (error) {
      stop.abort()
      throw error
    }
    return bytes
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<StoredObject> {
    let token: string | undefined
    do {
      const page = await this.#ask(undefined, signal => this.#client.send(new ListObjectsV2Command({
        ...this.#bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }),
      }), { abortSignal: signal }))
      for (const { Key, ETag, Size } of page.Contents ?? []) {
        // a key that ends in / is a folder's mark
        if (Key === undefined || Key.endsWith('/') || options.wants?.(Key) === false) continue
        yield this.#stored(Key, ETag, Size)
      }
      if (page.IsTruncated === true && page.NextContinuationToken === token) throw this.#odd('a list that does not end')
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  /** Asks the bucket for one key, once, and on a connection of its own: rejects with what is wrong. */
  async check(): Promise<void> {
    const client = connect(this.#options.config)
    const controller = new AbortController()
    const { host, name } = this.#place
    const cancel = this.#options.clock.after(CHECK_MS, () => controller.abort())
    try {
      await client.send(new ListObjectsV2Command({ ...this.#bucket, MaxKeys: 1 }), { abortSignal: controller.signal })
    } catch (error) {
      if (controller.signal.aborted) {
        throw new QueryError('UNAVAILABLE', `bucket ${name}: ${host} does not answer within ${CHECK_MS} ms`)
      }
      const known = s3Error(error, this.#place)
      throw known instanceof Again ? known.error : known
    } finally {
      cancel()
      client.destroy()
    }
  }

  close(): void {
    this.#client.destroy()
  }

  get #bucket(): { readonly Bucket: string } {
    return { Bucket: this.#place.bucket }
  }

  async #readPart(
    key: string, from: number, into: Uint8Array, etag: string, signal: AbortSignal,
    waited: Waited | undefined,
  ): Promise<void> {
    await this.#ask(key, async (ends, heard) => {
      const answer = await this.#client.send(new GetObjectCommand({
        ...this.#bucket, Key: key, Range: `bytes=${from}-${from + into.length - 1}`, IfMatch: etag,
      }), { abortSignal: ends })
      heard()
      await this.#fill(into, answer, from, key, etag, ends, heard)
    }, signal, waited)
  }

  /** Takes what is exactly the range that was asked for, of the version that was asked for. */
  async #fill(
    into: Uint8Array, { Body, ContentRange, ETag }: Sdk.GetObjectCommandOutput, from: number, key: string, etag: string,
    signal: AbortSignal, heard: () => void,
  ): Promise<void> {
    if (!(Body instanceof Readable)) throw this.#odd('an answer without a body')
    const destroy = (): void => void Body.destroy()
    signal.addEventListener('abort', destroy, { once: true })
    if (signal.aborted) destroy() // its time was over when the answer began
    try {
      if (bare(ETag ?? '') !== bare(etag)) {
        const text = changedText(`'${key}' in bucket ${this.#place.name}`)
        throw new Again(new QueryError('FILE_CHANGED', text), ATTEMPTS_WITH_OTHER_ETAG)
      }
      const range = /^bytes (\d+)-(\d+)\//.exec(ContentRange ?? '')
      if (Number(range?.[1]) !== from || Number(range?.[2]) !== from + into.length - 1) {
        throw this.#odd(`the range '${ContentRange ?? 'none'}' for ${from}-${from + into.length - 1}`)
      }
      let filled = 0
      for await (const piece of Body as AsyncIterable<Uint8Array>) { // no encoding is set, so it gives bytes
        if (signal.aborted) return // another attempt has the place by now
        heard()
        if (filled + piece.length > into.length) throw this.#odd(`more than the ${into.length} bytes asked for`)
        into.set(piece, filled)
        filled += piece.length
      }
      if (filled < into.length) throw this.#odd(`${filled} of the ${into.length} bytes asked for`)
    } finally {
      signal.removeEventListener('abort', destroy)
      Body.destroy()
    }
  }

  #ask<T>(
    key: string | undefined, request: Attempt<T>, signal?: AbortSignal, waited?: Waited,
  ): Promise<T> {
    const { limit, name, clock } = this.#options
    const what = key === undefined ? `bucket ${name}` : `'${key}' in bucket ${name}`
    const attempt: Attempt<T> = async (ends, heard) => {
      try {
        return await request(ends, heard)
      } catch (error) {
        throw s3Error(error, this.#place, key)
      }
    }
    const { elsewhereMs, inLineSinceMs } = waited ?? { elsewhereMs: 0, inLineSinceMs: clock.nowMs() }
    return limit.run(() => {
      const cause = this.#health.failedSince(inLineSinceMs)
      if (cause !== null) throw new QueryError(cause.code, cause.message, { cause })
      return this.#patiently(what, attempt, elsewhereMs, signal) // its time begins when its turn comes
    })
  }

  async #patiently<T>(what: string, attempt: Attempt<T>, waitedMs: number, signal?: AbortSignal): Promise<T> {
    const { clock } = this.#options
    const wait = this.#health.begin(clock.nowMs(), waitedMs)
    try {
      const answer = await retry(what, attempt, wait.policy, this.#options, signal)
      this.#health.answered(clock.nowMs())
      return answer
    } catch (error) {
      if (error instanceof QueryError && error.code === 'UNAVAILABLE') this.#health.failed(wait, clock.nowMs(), error)
      else if (signal?.aborted !== true) this.#health.answered(clock.nowMs())
      throw error
    } finally {
      wait.end()
    }
  }

  #odd(what: string): Again {
    return new Again(new QueryError('UNAVAILABLE', `${this.#place.host} sent ${what}`))
  }

  #stored(key: string, etag: string | undefined, sizeBytes: number | undefined): StoredObject {
    if (etag === undefined || sizeBytes === undefined) {
      throw new QueryError('UNAVAILABLE', `${this.#place.host} gives '${key}' no etag or no size`)
    }
    return { key, etag: `"${bare(etag)}"`, sizeBytes }
  }
}

/** Some stores write it without quotes, or as a weak one. */
function bare(etag: string): string {
  return etag.replace(/^W\//, '').replaceAll('"', '')
}

function connect({ region, endpoint, pathStyle, credentials }: RemoteBucketConfig): Sdk.S3Client {
  // it would be printed over the answers of the command line; docs/decisions/0001 says which version comes when
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  const config: Sdk.S3ClientConfig = {
    region, forcePathStyle: pathStyle, maxAttempts: 1,
    // its default adds trailers to uploads, which some stores keep as data
    requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS }, httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
    ...(endpoint === null ? {} : { endpoint }),
  }
  if (credentials === null) return new S3Client(config)
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const given = { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) }
  return new S3Client({ ...config, credentials: given })
}
