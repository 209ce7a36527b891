/** A plain node:http client for tests. */

import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The connection ended before the answer did. */
  readonly broken: boolean
}

export interface SendOptions {
  readonly headers?: Record<string, string>
  readonly body?: string
}

export function open(port: number, method: string, path: string, { headers = {}, body }: SendOptions = {}):
  { request: ClientRequest; response: Promise<IncomingMessage> } {
  const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  request.end(body)
  return { request, response }
}

export async function send(port: number, method: string, path: string, options: SendOptions = {}): Promise<HttpAnswer> {
  const response = await open(port, method, path, options).response
  const pieces: Buffer[] = []
  let broken = false
  try {
    for await (const piece of response as AsyncIterable<Buffer>) pieces.push(piece)
  } catch {
    broken = true
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces), broken }
}

/** POST /query. */
export function ask(port: number, fields: object, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return send(port, 'POST', '/query', { headers, body: JSON.stringify(fields) })
}

/** The values of an NDJSON body. */
export function linesOf({ body }: HttpAnswer): unknown[] {
  const lines = body.toString().split('\n')
  if (lines.pop() !== '') throw new Error('the last line has no end')
  return lines.map(line => JSON.parse(line) as unknown)
}
