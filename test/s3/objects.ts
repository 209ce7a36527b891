/**
 * The buckets of the S3 test server, in memory, and what S3 answers about them: ranges, conditions, lists by pages,
 * uploads in parts, copies. No network, no signatures.
 */

import { createHash } from 'node:crypto'
import { escapeXml, header, parameter, S3Error, unescapeXml, type S3Request } from './request.ts'

export interface StoredBytes {
  readonly body: Buffer
  /** With its quotes, as in the header. */
  readonly etag: string
  readonly writtenMs: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** S3's own; the last part may be smaller. */
const MIN_PART_BYTES = 5 * 1024 * 1024
const MAX_KEYS = 1000
/** Sorts after every character that a key may go on with. */
const AFTER_ALL = '\u{10ffff}'

interface Bucket {
  readonly objects: Map<string, StoredBytes>
  /** In the order of UTF-8 bytes; null: to be sorted anew. */
  sorted: readonly string[] | null
}

export class Objects {
  readonly #buckets: ReadonlyMap<string, Bucket>
  readonly #uploads = new Map<string, Map<number, StoredBytes>>()
  readonly #nowMs: () => number

  constructor(buckets: readonly string[], nowMs: () => number) {
    this.#buckets = new Map(buckets.map(name => [name, { objects: new Map<string, StoredBytes>(), sorted: null }]))
    this.#nowMs = nowMs
  }

  put(bucketName: string, key: string, body: Buffer, etag = quoted(md5(body))): StoredBytes {
    const bucket = this.#bucket(bucketName)
    const stored = { body, etag, writtenMs: this.#nowMs() }
    if (!bucket.objects.has(key)) bucket.sorted = null
    bucket.objects.set(key, stored)
    return stored
  }

  get(bucketName: string, key: string): StoredBytes | undefined {
    return this.#bucket(bucketName).objects.get(key)
  }

  delete(bucketName: string, key: string): void {
    const bucket = this.#bucket(bucketName)
    if (bucket.objects.delete(key)) bucket.sorted = null
  }

  answer(request: S3Request, body: Buffer): Answer {
    const { bucket, key, method } = request
    this.#bucket(bucket)
    if (method === 'POST' && parameter(request, 'delete') !== undefined) return this.#deleteMany(bucket, body)
    if (method === 'POST' && parameter(request, 'uploads') !== undefined) return this.#startUpload(request)
    if (parameter(request, 'uploadId') !== undefined) return this.#upload(request, body)
    if (key === '') return method === 'GET' ? this.#list(request) : empty(200)
    switch (method) {
      case 'PUT': return this.#put(request, body)
      case 'DELETE': this.delete(bucket, key); return empty(204)
      case 'GET': case 'HEAD': return this.#read(request)
      default: throw new S3Error(405, 'MethodNotAllowed')
    }
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) throw new S3Error(404, 'NoSuchBucket')
    return bucket
  }

  #read(request: S3Request): Answer {
    const stored = this.get(request.bucket, request.key)
    if (stored === undefined) throw new S3Error(404, 'NoSuchKey')
    const { body, etag, writtenMs } = stored
    const wanted = header(request, 'if-match')
    if (wanted !== undefined && wanted !== '*' && quoted(wanted) !== etag) throw new S3Error(412, 'PreconditionFailed')
    if (header(request, 'if-none-match') === etag) return empty(304)
    const headers = { etag, 'last-modified': new Date(writtenMs).toUTCString(), 'accept-ranges': 'bytes' }
    const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header(request, 'range') ?? '') ?? []
    if (first === undefined || last === undefined) return { status: 200, headers, body }
    const from = first === '' ? Math.max(0, body.length - Number(last)) : Number(first)
    const to = first === '' || last === '' ? body.length : Math.min(body.length, Number(last) + 1)
    if (from >= to) throw new S3Error(416, 'InvalidRange')
    const range = `bytes ${from}-${to - 1}/${body.length}`
    return { status: 206, headers: { ...headers, 'content-range': range }, body: body.subarray(from, to) }
  }

  #put(request: S3Request, body: Buffer): Answer {
    this.#checkConditions(request)
    const source = header(request, 'x-amz-copy-source')
    if (source === undefined) return empty(200, { etag: this.put(request.bucket, request.key, body).etag })
    const [bucket = '', ...key] = decodeURIComponent(source).replace(/^\//, '').split('/')
    const original = this.get(bucket, key.join('/'))
    if (original === undefined) throw new S3Error(404, 'NoSuchKey')
    const { etag } = this.put(request.bucket, request.key, original.body)
    return xml(`<CopyObjectResult><ETag>${escapeXml(etag)}</ETag></CopyObjectResult>`)
  }

  #checkConditions(request: S3Request): void {
    const old = this.get(request.bucket, request.key)
    const match = header(request, 'if-match')
    if (header(request, 'if-none-match') === '*' && old !== undefined) throw new S3Error(412, 'PreconditionFailed')
    if (match === undefined) return
    if (old === undefined) throw new S3Error(404, 'NoSuchKey')
    if (quoted(match) !== old.etag) throw new S3Error(412, 'PreconditionFailed')
  }

  #deleteMany(bucket: string, body: Buffer): Answer {
    const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapeXml(key))
    for (const key of keys) this.delete(bucket, key)
    const deleted = keys.map(key => `<Deleted><Key>${escapeXml(key)}</Key></Deleted>`)
    return xml(`<DeleteResult>${deleted.join('')}</DeleteResult>`)
  }

  #startUpload({ bucket, key }: S3Request): Answer {
    const id = `upload-${this.#uploads.size + 1}`
    this.#uploads.set(id, new Map())
    return xml(`<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key>` +
      `<UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
  }

  #upload(request: S3Request, body: Buffer): Answer {
    const parts = this.#uploads.get(parameter(request, 'uploadId') ?? '')
    if (parts === undefined || parts.has(-1)) throw new S3Error(404, 'NoSuchUpload')
    switch (request.method) {
      case 'DELETE': this.#endUpload(parts); return empty(204)
      case 'PUT': {
        const part = { body, etag: quoted(md5(body)), writtenMs: this.#nowMs() }
        parts.set(Number(parameter(request, 'partNumber')), part)
        return empty(200, { etag: part.etag })
      }
      default: return this.#completeUpload(request, parts, body)
    }
  }

  #completeUpload(request: S3Request, parts: Map<number, StoredBytes>, body: Buffer): Answer {
    this.#checkConditions(request)
    const wanted = [...body.toString().matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) => ({
      number: Number(/<PartNumber>(\d+)/.exec(part)?.[1]), etag: unescapeXml(/<ETag>([^<]*)/.exec(part)?.[1] ?? ''),
    }))
    const found = wanted.map(({ number, etag }) => {
      const part = parts.get(number)
      if (part === undefined || part.etag !== quoted(etag)) throw new S3Error(400, 'InvalidPart')
      return part.body
    })
    if (found.length === 0) throw new S3Error(400, 'InvalidPart')
    const inOrder = wanted.every(({ number }, i) => number > (wanted[i - 1]?.number ?? 0))
    if (!inOrder) throw new S3Error(400, 'InvalidPartOrder')
    if (found.slice(0, -1).some(part => part.length < MIN_PART_BYTES)) throw new S3Error(400, 'EntityTooSmall')
    const etag = quoted(`${md5(Buffer.concat(found.map(part => Buffer.from(md5(part), 'hex'))))}-${found.length}`)
    this.put(request.bucket, request.key, Buffer.concat(found), etag)
    this.#endUpload(parts)
    return xml(`<CompleteMultipartUploadResult><ETag>${escapeXml(etag)}</ETag></CompleteMultipartUploadResult>`)
  }

  /** The id stays, so that no other upload gets it. */
  #endUpload(parts: Map<number, StoredBytes>): void {
    parts.clear()
    parts.set(-1, { body: Buffer.alloc(0), etag: '', writtenMs: 0 })
  }

  #list(request: S3Request): Answer {
    const bucket = this.#bucket(request.bucket)
    const prefix = parameter(request, 'prefix') ?? ''
    const delimiter = parameter(request, 'delimiter') ?? ''
    const limit = Math.min(MAX_KEYS, Number(parameter(request, 'max-keys') ?? MAX_KEYS))
    const token = parameter(request, 'continuation-token')
    let last = token === undefined
      ? parameter(request, 'start-after') ?? ''
      : Buffer.from(token, 'base64url').toString()
    bucket.sorted ??= [...bucket.objects.keys()].sort(byBytes)
    const lines: string[] = []
    let truncated = false
    const start = firstWhere(bucket.sorted, key => byBytes(key, last) > 0 && byBytes(key, prefix) >= 0)
    for (let i = start; i < bucket.sorted.length; i++) {
      const key = bucket.sorted[i] ?? ''
      if (!key.startsWith(prefix)) break
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      const folder = end === -1 ? undefined : key.slice(0, end + delimiter.length)
      if (folder !== undefined && last === folder + AFTER_ALL) continue
      if (lines.length >= limit) {
        truncated = true
        break
      }
      lines.push(folder === undefined ? contents(key, bucket.objects.get(key))
        : `<CommonPrefixes><Prefix>${escapeXml(folder)}</Prefix></CommonPrefixes>`)
      last = folder === undefined ? key : folder + AFTER_ALL
    }
    const next = `<NextContinuationToken>${Buffer.from(last).toString('base64url')}</NextContinuationToken>`
    return xml(`<ListBucketResult><Name>${request.bucket}</Name><Prefix>${escapeXml(prefix)}</Prefix>` +
      `<KeyCount>${lines.length}</KeyCount><MaxKeys>${limit}</MaxKeys><IsTruncated>${truncated}</IsTruncated>` +
      `${truncated ? next : ''}${lines.join('')}</ListBucketResult>`)
  }
}

function contents(key: string, stored: StoredBytes | undefined): string {
  const { body, etag, writtenMs } = stored ?? { body: Buffer.alloc(0), etag: '', writtenMs: 0 }
  return `<Contents><Key>${escapeXml(key)}</Key><LastModified>${new Date(writtenMs).toISOString()}</LastModified>` +
    `<ETag>${escapeXml(etag)}</ETag><Size>${body.length}</Size></Contents>`
}

/** Position of the first key that is `behind`, as all after it are; by halving. */
function firstWhere(sorted: readonly string[], behind: (key: string) => boolean): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (behind(sorted[middle] ?? '')) to = middle
    else from = middle + 1
  }
  return from
}

/** JavaScript's own order is another above U+FFFF only. */
function byBytes(a: string, b: string): number {
  if (/[\ud800-\udfff]/.test(a + b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : a > b ? 1 : 0
}

function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}

function empty(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: Buffer.alloc(0) }
}

function xml(text: string): Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
  return { status: 200, headers: { 'content-type': 'application/xml' }, body }
}
