/** The S3 server of the tests, asked by the AWS SDK: a judge that must be right itself. */

import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand,
  DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand,
  ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand, type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { systemClock } from '../proto/clock.ts'
import { S3Server } from './s3-server.ts'
import type { FaultKind } from './s3/faults.ts'
import { verifySignature } from './s3/signature.ts'

const Bucket = 'lake'
const plain = { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' } as const

async function open(t: Test) {
  const server = await S3Server.start()
  t.teardown(() => server.close())
  const connect = (more: Partial<S3ClientConfig> = {}): S3Client => {
    const client = new S3Client({
      endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1,
      credentials: { accessKeyId: 'test', secretAccessKey: 'testsecret' }, ...more,
    })
    t.teardown(() => client.destroy())
    return client
  }
  const client = connect(plain)
  const get = async (Key: string, more: { Range?: string; IfMatch?: string } = {}, using = client) => {
    const { Body } = await using.send(new GetObjectCommand({ Bucket, Key, ...more }))
    return Body?.transformToString()
  }
  return { server, connect, client, get }
}

/** The name and status of a failure. */
async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'accepted'
  } catch (error) {
    return nameOf(error)
  }
}

function nameOf(error: unknown): string {
  const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } }
  return `${name} ${$metadata?.httpStatusCode ?? ''}`.trim()
}

t.test('what was put is got again, with and without the checksums of the SDK', async t => {
  const { connect, client, get } = await open(t)
  for (const using of [connect(), client]) {
    await using.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello world' }))
    t.equal(await get('k', {}, using), 'hello world')
    const Body = Readable.from([Buffer.alloc(70_000, 97)])
    await using.send(new PutObjectCommand({ Bucket, Key: 's', Body, ContentLength: 70_000 }))
    t.equal((await using.send(new HeadObjectCommand({ Bucket, Key: 's' }))).ContentLength, 70_000)
  }
  t.equal(await failure(get('gone')), 'NoSuchKey 404')
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
  t.equal(await failure(get('k')), 'NoSuchKey 404')
})

t.test('ranges are the bytes asked for, and past the end is refused', async t => {
  const { server, client, get } = await open(t)
  server.objects.put(Bucket, 'k', Buffer.from('hello world'))
  const part = await client.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=6-10' }))
  t.strictSame([await part.Body?.transformToString(), part.ContentRange, part.$metadata.httpStatusCode],
    ['world', 'bytes 6-10/11', 206])
  t.equal(await get('k', { Range: 'bytes=-5' }), 'world')
  t.equal(await get('k', { Range: 'bytes=-99' }), 'hello world')
  t.equal(await get('k', { Range: 'bytes=6-99' }), 'world')
  t.equal(await failure(get('k', { Range: 'bytes=11-12' })), 'InvalidRange 416')
  const errorBytes = Buffer.byteLength(errorText('InvalidRange'))
  t.strictSame(server.traffic('get'), { requests: 5, bytes: 5 + 5 + 11 + 5 + errorBytes })
  t.strictSame(server.seen[0], { kind: 'get', bucket: Bucket, key: 'k', range: 'bytes=6-10', ifMatch: undefined })
})

function errorText(code: string): string {
  return `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`
}

t.test('conditions are kept: on reads, on writes, and by exactly one of many writers', async t => {
  const { server, client, get } = await open(t)
  const { etag } = server.objects.put(Bucket, 'k', Buffer.from('x'))
  t.equal(await get('k', { IfMatch: etag }), 'x')
  t.equal(await failure(get('k', { IfMatch: '"no"' })), 'PreconditionFailed 412')
  const put = (Key: string, more: object) =>
    failure(client.send(new PutObjectCommand({ Bucket, Key, Body: 'y', ...more })))
  t.equal(await put('k', { IfNoneMatch: '*' }), 'PreconditionFailed 412')
  t.equal(await put('k', { IfMatch: '"no"' }), 'PreconditionFailed 412')
  t.equal(await put('k', { IfMatch: etag }), 'accepted')
  t.equal(await put('gone', { IfMatch: etag }), 'NoSuchKey 404')
  const race = await Promise.all(Array.from({ length: 20 }, () => put('race', { IfNoneMatch: '*' })))
  t.equal(race.filter(outcome => outcome === 'accepted').length, 1)
})

t.test('lists come by pages, in order, with odd keys, and by folders', async t => {
  const { server, client } = await open(t)
  for (let i = 24; i >= 0; i--) server.objects.put(Bucket, `l/${String(i).padStart(3, '0')} é+&<`, Buffer.from('x'))
  server.objects.put(Bucket, 'l/sub/a', Buffer.from('x'))
  server.objects.put(Bucket, 'l/sub/b', Buffer.from('x'))
  server.objects.put(Bucket, 'm', Buffer.from('x'))
  const pages: string[][] = []
  let ContinuationToken: string | undefined
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'l/', MaxKeys: 10, ContinuationToken }))
    pages.push((page.Contents ?? []).map(({ Key = '' }) => Key))
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
  t.strictSame(pages.map(page => page.length), [10, 10, 7])
  t.equal(pages[0]?.[3], 'l/003 é+&<')
  t.strictSame(pages.flat(), [...pages.flat()].sort())
  const folders = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 26 }))
  t.strictSame([folders.CommonPrefixes?.map(({ Prefix }) => Prefix), folders.IsTruncated], [['l/sub/'], false])
  const after = await client.send(new ListObjectsV2Command({ Bucket, StartAfter: 'l/sub/a' }))
  t.strictSame(after.Contents?.map(({ Key }) => Key), ['l/sub/b', 'm'])
})

t.test('keys with .. and // are themselves', async t => {
  const { client, get } = await open(t)
  await client.send(new PutObjectCommand({ Bucket, Key: 'a/../b//c d', Body: 'x' }))
  t.equal(await get('a/../b//c d'), 'x')
})

t.test('an upload in parts has its order, its sizes and its etag checked', async t => {
  const { client } = await open(t)
  const Key = 'm'
  const begin = async () => (await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId
  const part = async (UploadId: string | undefined, PartNumber: number, size: number) => {
    const Body = Buffer.alloc(size, PartNumber)
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
    return { PartNumber, ETag }
  }
  const complete = (UploadId: string | undefined, Parts: { PartNumber: number; ETag: string | undefined }[]) =>
    client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
  const id = await begin()
  const [first, second] = [await part(id, 1, 5 << 20), await part(id, 2, 10)]
  t.equal(await failure(complete(id, [second, first])), 'InvalidPartOrder 400')
  t.equal(await failure(complete(id, [first, { ...second, ETag: '"no"' }])), 'InvalidPart 400')
  t.match(await complete(id, [first, second]), { ETag: /-2"$/ })
  t.equal((await client.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength, (5 << 20) + 10)
  t.equal(await failure(complete(id, [first, second])), 'NoSuchUpload 404')
  const small = await begin()
  t.equal(await failure(complete(small, [await part(small, 1, 10), await part(small, 2, 10)])), 'EntityTooSmall 400')
  const dropped = await begin()
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: dropped }))
  t.equal(await failure(part(dropped, 1, 10)), 'NoSuchUpload 404')
})

t.test('copies, and deletes of several', async t => {
  const { server, client } = await open(t)
  server.objects.put(Bucket, 'k', Buffer.from('x'))
  await client.send(new CopyObjectCommand({ Bucket, Key: 'c&1', CopySource: 'lake/k' }))
  t.equal(server.objects.get(Bucket, 'c&1')?.body.toString(), 'x')
  const { Deleted } = await client.send(new DeleteObjectsCommand({
    Bucket, Delete: { Objects: [{ Key: 'c&1' }, { Key: 'k' }] },
  }))
  t.equal(Deleted?.length, 2)
  t.equal(server.objects.get(Bucket, 'c&1'), undefined)
})

t.test('who may not ask is told why', async t => {
  const { connect, server } = await open(t)
  const ask = (more: Partial<S3ClientConfig>) =>
    failure(connect({ ...plain, ...more }).send(new ListObjectsV2Command({ Bucket })))
  t.equal(await ask({ credentials: { accessKeyId: 'test', secretAccessKey: 'no' } }), 'SignatureDoesNotMatch 403')
  t.equal(await ask({ credentials: { accessKeyId: 'nobody', secretAccessKey: 'no' } }), 'InvalidAccessKeyId 403')
  t.equal(await ask({ systemClockOffset: 3_600_000 }), 'RequestTimeTooSkewed 403')
  t.equal(await ask({ region: 'eu-west-1' }), 'AuthorizationHeaderMalformed 400')
  t.equal(await failure(connect().send(new HeadBucketCommand({ Bucket: 'other' }))), 'NotFound 404')
  t.equal((await fetch(`${server.endpoint}/lake/k`)).status, 403)
})

t.test('a presigned URL is checked as AWS describes it', async t => {
  // the example of the S3 API reference, "Authenticating Requests: Using Query Parameters"
  const url = {
    method: 'GET', path: '/test.txt', bucket: 'examplebucket', key: 'test.txt',
    headers: { host: 'examplebucket.s3.amazonaws.com' },
    query: [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'],
      ['X-Amz-Date', '20130524T000000Z'], ['X-Amz-Expires', '86400'], ['X-Amz-SignedHeaders', 'host'],
      ['X-Amz-Signature', 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'],
    ],
  } as const
  const secrets = { AKIAIOSFODNN7EXAMPLE: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
  const verifier = { secrets, region: 'us-east-1', nowMs: Date.UTC(2013, 4, 24, 12) }
  verifySignature(url, verifier)
  t.throws(() => verifySignature({ ...url, path: '/other.txt' }, verifier), { message: 'SignatureDoesNotMatch' })
  t.throws(() => verifySignature(url, { ...verifier, nowMs: Date.UTC(2013, 4, 26) }), { message: 'AccessDenied' })
})

t.test('each fault is what it says', async t => {
  const { server, get } = await open(t)
  server.objects.put(Bucket, 'k', Buffer.from('hello world'))
  const struck = async (fault: FaultKind, ask: Promise<string | undefined>): Promise<string> => {
    const outcome = await Promise.race([ask.catch(nameOf), late()])
    return `${fault}: ${outcome}`
  }
  const late = () => new Promise<string>(resolve => { systemClock.after(200, () => resolve('late')) })
  const faults: FaultKind[] = ['error-500', 'slow-down', 'reset', 'cut', 'short', 'flip', 'silence']
  const outcomes: string[] = []
  for (const fault of faults) {
    server.faults.rules.push({ kind: 'get', key: /^k$/, fault, times: 1 })
    outcomes.push(await struck(fault, get('k')))
  }
  t.match(outcomes, [
    'error-500: InternalError 500', 'slow-down: SlowDown 503', /^reset: (TimeoutError|Error)/,
    /^cut: (Error|TimeoutError)/, 'short: hello worl', 'flip: hello0world', 'silence: late',
  ])
  t.equal(server.faults.struck, faults.length)
  t.equal(await get('k'), 'hello world', 'a rule that is used up strikes nobody')
})

t.test('a share of faults is drawn from its seed', async t => {
  const { server } = await open(t)
  const draw = (seed: number) => {
    server.faults.spread({ seed, share: 0.1, faults: ['error-500', 'reset'], kinds: ['get'] })
    return Array.from({ length: 1000 }, () => server.faults.of('get', 'k') ?? '')
  }
  const first = draw(7)
  t.strictSame(draw(7), first)
  t.notSame(draw(8), first)
  t.ok(Math.abs(first.filter(fault => fault !== '').length - 100) < 40)
  t.equal(server.faults.of('list', ''), undefined)
})

t.test('latency and bandwidth are those that were set', async t => {
  const { server, get } = await open(t)
  server.objects.put(Bucket, 'k', Buffer.alloc(48 * 1024))
  server.latencyMs = 30
  server.bytesPerSecond = 1024 * 1024
  const startedMs = systemClock.nowMs()
  await get('k')
  t.ok(systemClock.nowMs() - startedMs >= 70, '30 ms before it and 48 ms for it')
})
