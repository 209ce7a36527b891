/**
 * Sends spans to a collector by OTLP over HTTP, in JSON, a message at a time. Nothing waits for it: what does not fit
 * the queue, and what the collector does not take, is lost and counted.
 */

import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { packageVersion } from '../../proto/package-version.ts'
import type { ResourceSpans } from './query-spans.ts'

/** That wait: some 600 bytes each. */
const MAX_WAITING = 20_000
/** Of one message: a few megabytes at most, which every collector takes. */
const MAX_TOGETHER = 2_000
/** Beyond it the collector is not there; a stop waits for it once. */
const ANSWER_WITHIN_MS = 3_000

export interface SpanExporterOptions {
  /** http://host:4318/v1/traces. */
  readonly endpoint: string
  /** Once, until it is taken again: why it was not. */
  readonly onFault: (reason: unknown) => void
}

export class SpanExporter {
  readonly #options: SpanExporterOptions
  #waiting: ResourceSpans[] = []
  #waitingSpans = 0
  #sending: Promise<void> | null = null
  #lost = 0
  #isFaulty = false
  #isClosed = false

  constructor(options: SpanExporterOptions) {
    this.#options = options
  }

  /** Spans that nobody got, since the start. */
  get lost(): number {
    return this.#lost
  }

  send(resources: readonly ResourceSpans[]): void {
    const count = spanCount(resources)
    if (count === 0) return
    if (this.#isClosed || this.#waitingSpans + count > MAX_WAITING) {
      this.#lost += count
      return
    }
    this.#waiting.push(...resources)
    this.#waitingSpans += count
    this.#sending ??= this.#run()
  }

  /** What waits is sent, if the collector answers. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#sending
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      try {
        await post(this.#options.endpoint, message(batch))
        this.#isFaulty = false
      } catch (reason) {
        this.#lost += spanCount(batch)
        if (!this.#isFaulty) this.#options.onFault(reason)
        this.#isFaulty = true
        if (this.#isClosed) this.#giveUp()
      }
    }
    this.#sending = null
  }

  #take(): ResourceSpans[] {
    let [count, spans] = [0, 0]
    for (const one of this.#waiting) {
      if (count > 0 && spans + one.spans.length > MAX_TOGETHER) break
      count++
      spans += one.spans.length
    }
    this.#waitingSpans -= spans
    return this.#waiting.splice(0, count)
  }

  #giveUp(): void {
    this.#lost += this.#waitingSpans
    this.#waiting = []
    this.#waitingSpans = 0
  }
}

function spanCount(resources: readonly ResourceSpans[]): number {
  return resources.reduce((sum, { spans }) => sum + spans.length, 0)
}

function message(resources: readonly ResourceSpans[]): string {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
  return JSON.stringify({
    resourceSpans: resources.map(({ service, instance, spans }) => ({
      resource: { attributes: [
        text('service.name', service), text('service.instance.id', instance), text('service.version', packageVersion()),
      ] },
      scopeSpans: [{ scope: { name: 'skein' }, spans }],
    })),
  })
}

/** Rejects with why the collector has not taken it. */
function post(endpoint: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = new URL(endpoint)
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }, response => {
      response.resume()
      response.on('error', reject)
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 300) response.on('end', () => { resolve() })
      else reject(new Error(`the collector answers ${statusCode}`))
    })
    request.on('error', reject)
    request.end(body)
  })
}
