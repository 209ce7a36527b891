/** A request to the S3 test server, taken apart; and the errors that S3 answers with. */

import type { IncomingMessage } from 'node:http'

export interface S3Request {
  readonly method: string
  readonly headers: IncomingMessage['headers']
  /** Encoded as a signature wants it. */
  readonly path: string
  readonly bucket: string
  /** Empty for a request about the bucket itself. */
  readonly key: string
  /** Decoded, in the order of the URL. */
  readonly query: readonly (readonly [name: string, value: string])[]
}

/** What is counted apart. */
export const requestKinds = ['get', 'head', 'list', 'put', 'copy', 'delete', 'multipart', 'bucket'] as const
export type RequestKind = typeof requestKinds[number]

export class S3Error extends Error {
  readonly status: number
  readonly code: string
  readonly details: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number, code: string, details: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code)
    this.status = status
    this.code = code
    this.details = details
    this.headers = headers
  }
}

/** Of the raw URL: the URL class would fold `..` and `//`, which are legal in keys. */
export function readRequest({ method = 'GET', url = '/', headers }: IncomingMessage): S3Request {
  const [path = '/', search = ''] = url.split('?', 2)
  const parts = path.split('/').map(decodeURIComponent)
  const query = search === '' ? [] : search.split('&').map(pair => {
    const [name = '', ...value] = pair.split('=')
    return [decodeURIComponent(name), decodeURIComponent(value.join('='))] as const
  })
  return {
    method, headers, query,
    path: parts.map(encodeStrictly).join('/'), bucket: parts[1] ?? '', key: parts.slice(2).join('/'),
  }
}

export function parameter(request: S3Request, name: string): string | undefined {
  return request.query.find(([found]) => found === name)?.[1]
}

export function header(request: S3Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

export function kindOf(request: S3Request): RequestKind {
  const { method, key } = request
  if (parameter(request, 'uploadId') !== undefined || parameter(request, 'uploads') !== undefined) return 'multipart'
  if (method === 'POST') return 'delete'
  if (key === '') return method === 'GET' && parameter(request, 'location') === undefined ? 'list' : 'bucket'
  switch (method) {
    case 'GET': return 'get'
    case 'HEAD': return 'head'
    case 'PUT': return header(request, 'x-amz-copy-source') === undefined ? 'put' : 'copy'
    default: return 'delete'
  }
}

/** As RFC 3986 has it: encodeURIComponent leaves five signs that a signature encodes. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

const entities: Readonly<Record<string, string>> = { '<': 'lt', '>': 'gt', '&': 'amp', '"': 'quot' }

export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, sign => `&${entities[sign] ?? ''};`)
}

export function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|lt|gt|amp|quot|apos);/gi, (entity, hex?: string, decimal?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    return { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"', '&apos;': '\'' }[entity] ?? entity
  })
}
