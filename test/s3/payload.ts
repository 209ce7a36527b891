/**
 * The bytes that a client puts: taken out of `aws-chunked` framing, and checked against the hash, the length and the
 * CRC32 that it sent with them.
 */

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { header, S3Error, type S3Request } from './request.ts'

export function payloadOf(request: S3Request, raw: Buffer): Buffer {
  const chunked = (header(request, 'content-encoding') ?? '').includes('aws-chunked')
  const { body, trailerCrc } = chunked ? unchunked(request, raw) : { body: raw, trailerCrc: undefined }
  const hash = header(request, 'x-amz-content-sha256') ?? ''
  if (/^[0-9a-f]{64}$/.test(hash) && hash !== createHash('sha256').update(raw).digest('hex')) {
    throw new S3Error(400, 'XAmzContentSHA256Mismatch')
  }
  const crc = header(request, 'x-amz-checksum-crc32') ?? trailerCrc
  if (crc !== undefined && crc !== crcText(body)) throw new S3Error(400, 'BadDigest')
  return body
}

function unchunked(request: S3Request, raw: Buffer): { body: Buffer; trailerCrc: string | undefined } {
  const pieces: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', at)
    if (lineEnd === -1) throw new S3Error(400, 'IncompleteBody')
    const size = Number.parseInt(raw.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) break
    pieces.push(raw.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  const body = Buffer.concat(pieces)
  const length = header(request, 'x-amz-decoded-content-length')
  if (length !== undefined && Number(length) !== body.length) throw new S3Error(400, 'IncompleteBody')
  return { body, trailerCrc: /x-amz-checksum-crc32:(\S+)/.exec(raw.toString('latin1', at))?.[1] }
}

function crcText(body: Buffer): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(body))
  return bytes.toString('base64')
}
