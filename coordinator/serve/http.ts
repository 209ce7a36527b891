/**
 * The HTTP door: routes, request ids, limits, and errors that a handler throws. What a path means is in the files named
 * http-*. Every answer carries x-request-id: the client's own, or a new one. An error that a handler throws before it
 * has answered becomes the HTTP status of its code with a JSON body; after that it can only break the connection, so
 * that nobody takes a shortened answer for a complete one.
 */

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { TLSSocket } from 'node:tls'
import { asQueryError, QueryError } from '../../proto/errors.ts'
import { peerOf, refuseUnknown, type DoorTls, type Peer } from '../../proto/tls.ts'

/** A request is SQL text; longer ones are not written by people. */
const MAX_BODY_BYTES = 16 * 1024 * 1024
/** One a client that waits for rows; each costs a socket and a few KiB. */
const MAX_CONNECTIONS = 10_000
/** An idle connection is its client's to end, or a load balancer's, after a minute: else both meet on the way. */
const KEEP_ALIVE_MS = 75_000
/** Said to a client that may try again, when the error does not know better. */
const DEFAULT_RETRY_MS = 1_000
/** Longest x-request-id that is taken over from a client. */
const MAX_REQUEST_ID = 128

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Segments that begin with `:` match anything and are named so in `parameters`. */
  readonly path: string
  readonly handle: (exchange: HttpExchange) => Promise<void>
}

export interface HttpOptions {
  readonly routes: readonly Route[]
  readonly newId: () => string
  /** Absent: plain text. */
  readonly tls?: DoorTls | null
  /** Is told of faults of our own (INTERNAL). */
  readonly onFault: (error: QueryError, requestId: string) => void
}

export class HttpServer {
  readonly #options: HttpOptions
  readonly #server: Server
  /** Requests that are not answered wholly. */
  #open = 0
  #isLeaving = false
  #left: (() => void)[] = []

  constructor(options: HttpOptions) {
    this.#options = options
    const serve = (request: IncomingMessage, response: ServerResponse): void => { void this.#serve(request, response) }
    const { tls = null } = options
    this.#server = tls === null ? createServer(serve) : tlsServer(tls, serve)
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS
  }

  /** Resolves to the port; `port` 0 takes any free one. Rejects with INVALID_CONFIG if the address cannot be bound. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', cause => {
        reject(new QueryError('INVALID_CONFIG', `cannot listen on ${host}:${port}: ${cause.message}`, { cause }))
      })
      this.#server.listen({ host, port }, () => {
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /** From now on connections end with their next answer, so that clients find another server. */
  endConnections(isLeaving: boolean): void {
    this.#isLeaving = isLeaving
  }

  /** Takes no new connection; resolves once all that was asked is answered, and sent. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    this.#server.close()
    this.#server.closeIdleConnections()
    if (this.#open > 0) await new Promise<void>(resolve => { this.#left.push(resolve) })
  }

  /** Takes no new call; running ones are cut off. */
  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = headerOf(request, 'x-request-id').slice(0, MAX_REQUEST_ID) || this.#options.newId()
    response.setHeader('x-request-id', requestId)
    this.#open++
    response.once('close', () => {
      if (--this.#open === 0) for (const resolve of this.#left.splice(0)) resolve()
    })
    if (this.#isLeaving) response.setHeader('connection', 'close')
    response.on('error', () => undefined) // the client went away: 'close' follows and ends what serves it
    try {
      const url = new URL(request.url ?? '/', 'http://door')
      const { route, parameters } = find(this.#options.routes, request.method ?? '', url.pathname)
      await route.handle(new HttpExchange(request, response, url.searchParams, parameters))
    } catch (thrown) {
      const error = asQueryError(thrown)
      if (error.code === 'INTERNAL' && !response.destroyed) this.#options.onFault(error, requestId)
      if (response.headersSent) response.destroy()
      else sendError(response, error, thrown instanceof HttpStatus ? thrown.status : error.class.http)
    }
  }
}

/** A QueryError whose HTTP status is not that of its code. */
export class HttpStatus extends QueryError {
  readonly status: number

  constructor(status: number, message: string) {
    super('INVALID_REQUEST', message)
    this.status = status
  }
}

type PathParameters = Readonly<Record<string, string>>

/** One request and its answer. */
export class HttpExchange {
  readonly parameters: PathParameters
  readonly query: URLSearchParams
  /** Who has logged in; null: nobody has to. */
  user: string | null = null
  /** Aborted when the client goes away before its answer is complete. */
  readonly gone: AbortSignal
  readonly #request: IncomingMessage
  readonly #response: ServerResponse

  constructor(
    request: IncomingMessage, response: ServerResponse, query: URLSearchParams, parameters: PathParameters,
  ) {
    this.#request = request
    this.#response = response
    this.query = query
    this.parameters = parameters
    const controller = new AbortController()
    this.gone = controller.signal
    response.once('close', () => { if (!response.writableFinished) controller.abort() })
  }

  /** Where the caller is. */
  get address(): string {
    return this.#request.socket.remoteAddress ?? ''
  }

  /** That the caller has shown; null: none. */
  get certificate(): Peer | null {
    const { socket } = this.#request
    return socket instanceof TLSSocket && socket.authorized ? peerOf(socket.getPeerCertificate()) : null
  }

  /** Empty if it is absent. */
  header(name: string): string {
    return headerOf(this.#request, name)
  }

  async body(): Promise<Buffer> {
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of this.#request as AsyncIterable<Buffer>) {
      length += piece.length
      if (length > MAX_BODY_BYTES) {
        this.#response.setHeader('connection', 'close') // the rest of the body is not read
        throw new HttpStatus(413, `a request of more than ${MAX_BODY_BYTES} bytes`)
      }
      pieces.push(piece)
    }
    return Buffer.concat(pieces)
  }

  json(status: number, value: unknown): void {
    send(this.#response, status, 'application/json', JSON.stringify(value))
  }

  text(status: number, text: string): void {
    send(this.#response, status, 'text/plain; charset=utf-8', text)
  }

  /** Starts an answer of unknown length; the client sees it at once. */
  start(contentType: string): void {
    this.#response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' })
    this.#response.flushHeaders()
  }

  /**
   * Resolves when there is room for more, or the client is gone. Always lets the event loop turn once: a socket that
   * takes everything at once drains before any timer or other client has had its turn.
   */
  async write(piece: string | Uint8Array): Promise<void> {
    if (this.gone.aborted) return
    if (!this.#response.write(piece)) await this.#drained()
    await new Promise<void>(resolve => { setImmediate(resolve) })
  }

  #drained(): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#response.off('drain', done).off('close', done)
        resolve()
      }
      this.#response.on('drain', done).on('close', done)
    })
  }

  end(): void {
    this.#response.end()
  }

  /** Breaks the connection: what was sent must not be taken for the whole. */
  destroy(): void {
    this.#response.destroy()
  }
}

function tlsServer({ cert, key, clientsCa }: DoorTls, serve: RequestListener): Server {
  if (clientsCa === null) return createTlsServer({ cert, key }, serve)
  const server = createTlsServer({ cert, key, ca: clientsCa, requestCert: true, rejectUnauthorized: false }, serve)
  return server.prependListener('secureConnection', refuseUnknown)
}

function find(
  routes: readonly Route[], method: string, path: string,
): { readonly route: Route; readonly parameters: PathParameters } {
  const matching = routes.flatMap(route => {
    const parameters = match(route.path, path)
    return parameters === undefined ? [] : [{ route, parameters }]
  })
  const found = matching.find(({ route }) => route.method === method)
  if (found !== undefined) return found
  if (matching.length > 0) throw new HttpStatus(405, `${path} does not take ${method}`)
  throw new HttpStatus(404, `nothing at ${path}`)
}

function match(pattern: string, path: string): PathParameters | undefined {
  const names = pattern.split('/')
  const values = path.split('/')
  if (names.length !== values.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    const value = decode(values[i] ?? '')
    if (name.startsWith(':') && value !== '') parameters[name.slice(1)] = value
    else if (name !== value) return undefined
  }
  return parameters
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment // a stray percent sign: it names nothing of ours
  }
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

function sendError(response: ServerResponse, error: QueryError, status: number): void {
  const { code, message, position } = error
  const { retryAfterMs = DEFAULT_RETRY_MS } = error
  if (error.class.retryable) response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  send(response, status, 'application/json', JSON.stringify({ error: { code, message, position } }))
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
