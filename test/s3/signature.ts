/**
 * AWS Signature Version 4, checked: in the Authorization header and in the query of a presigned URL. Answers with S3's
 * own codes, so that a client's messages about a wrong secret, a wrong clock or a wrong region can be tested.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { encodeStrictly, header, parameter, S3Error, type S3Request } from './request.ts'

export interface Verifier {
  /** Secrets by access key. */
  readonly secrets: Readonly<Record<string, string>>
  readonly region: string
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** S3's own limit for a signature in a header. */
const MAX_SKEW_MS = 15 * 60_000

interface Signature {
  readonly credential: string
  readonly signedHeaders: string
  readonly signature: string
  readonly date: string
  readonly payload: string
}

export function verifySignature(request: S3Request, { secrets, region, nowMs }: Verifier): void {
  const found = inQuery(request) ?? inHeader(request)
  if (found === undefined) throw new S3Error(403, 'AccessDenied')
  const [access = '', day = '', signedRegion = '', service = ''] = found.credential.split('/')
  const secret = secrets[access]
  if (secret === undefined) throw new S3Error(403, 'InvalidAccessKeyId')
  if (signedRegion !== region) throw new S3Error(400, 'AuthorizationHeaderMalformed', { Region: region })
  checkTime(request, found.date, nowMs)
  const canonical = [
    request.method, request.path, canonicalQuery(request), canonicalHeaders(request, found.signedHeaders),
    found.signedHeaders, found.payload,
  ].join('\n')
  const scope = `${day}/${signedRegion}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', found.date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const key = [day, signedRegion, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`))
  const wanted = Buffer.from(hmac(key, text).toString('hex'))
  const given = Buffer.from(found.signature)
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) throw new S3Error(403, 'SignatureDoesNotMatch')
}

function inQuery(request: S3Request): Signature | undefined {
  const signature = parameter(request, 'X-Amz-Signature')
  if (signature === undefined) return undefined
  return {
    signature, credential: parameter(request, 'X-Amz-Credential') ?? '', date: parameter(request, 'X-Amz-Date') ?? '',
    signedHeaders: parameter(request, 'X-Amz-SignedHeaders') ?? '', payload: 'UNSIGNED-PAYLOAD',
  }
}

function inHeader(request: S3Request): Signature | undefined {
  const authorization = header(request, 'authorization') ?? ''
  const [, credential, signedHeaders, signature] =
    /Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(authorization) ?? []
  if (credential === undefined || signedHeaders === undefined || signature === undefined) return undefined
  const [date, payload] = [header(request, 'x-amz-date') ?? '', header(request, 'x-amz-content-sha256') ?? '']
  return { credential, signedHeaders, signature, date, payload }
}

function checkTime(request: S3Request, date: string, nowMs: number): void {
  const signedMs = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  const expires = parameter(request, 'X-Amz-Expires')
  if (expires !== undefined) {
    if (!(nowMs <= signedMs + 1000 * Number(expires))) throw new S3Error(403, 'AccessDenied')
  } else if (!(Math.abs(nowMs - signedMs) <= MAX_SKEW_MS)) {
    throw new S3Error(403, 'RequestTimeTooSkewed', { ServerTime: new Date(nowMs).toISOString() })
  }
}

function canonicalQuery({ query }: S3Request): string {
  return query.filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
    .map(pair => pair.join('=')).join('&')
}

function canonicalHeaders(request: S3Request, signedHeaders: string): string {
  return signedHeaders.split(';')
    .map(name => `${name}:${(header(request, name) ?? '').trim().replace(/ +/g, ' ')}\n`).join('')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
