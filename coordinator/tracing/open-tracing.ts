/** Traces of queries, if the configuration says where they go. */

import type { Config } from '../../proto/config.ts'
import { asQueryError } from '../../proto/errors.ts'
import type { KeptQuery } from '../explain-query.ts'
import type { Log } from '../log.ts'
import { querySpans, type SpanPorts } from './query-spans.ts'
import { SpanExporter } from './span-exporter.ts'

export interface Tracing {
  /** Told of each query at its end. */
  readonly traced: (query: KeptQuery) => void
  readonly lost: () => number
  readonly close: () => Promise<void>
}

export function openTracing(config: Config['tracing'], ports: SpanPorts, log: Log): Tracing {
  if (config === null) return { traced: () => undefined, lost: () => 0, close: () => Promise.resolve() }
  const exporter = new SpanExporter({
    ...config, onFault: reason => log.warn({ reason: asQueryError(reason).message }, 'spans are not taken'),
  })
  return {
    traced: query => exporter.send(querySpans(query, ports)), lost: () => exporter.lost, close: () => exporter.close(),
  }
}
