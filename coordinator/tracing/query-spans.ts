/**
 * A query that has ended as spans of OpenTelemetry, in the JSON form of OTLP (ids in hexadecimal, times as text):
 *
 *   the caller's span, if there is one ── query ┬─ plan
 *                                               └─ stage 1 ┬─ task 1.0.0     in the resource of its executor
 *                                                          └─ task 1.1.0
 *
 * Executors tell their coordinator of every task anyway; so they export nothing themselves, and need no configuration.
 * Texts lose what looks secret.
 */

import type { Clock } from '../../proto/clock.ts'
import { asQueryError } from '../../proto/errors.ts'
import { withoutSecrets } from '../../proto/secret-words.ts'
import type { KeptQuery } from '../explain-query.ts'
import type { TimedReport } from '../task-board.ts'

/** Of one query; of more the first ones are told. */
const MAX_TASKS = 1_000
/** Of a text. */
const MAX_CHARACTERS = 4_000

/** One resource's spans of one query. */
export interface ResourceSpans {
  readonly service: 'skein-coordinator' | 'skein-executor'
  /** Its id. */
  readonly instance: string
  readonly spans: readonly Span[]
}

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code: number; readonly message?: string }
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string } | { readonly intValue: string } | { readonly doubleValue: number }
}

/** Source of the numbers: opentelemetry/proto/trace/v1/trace.proto. */
const INTERNAL = 1
const SERVER = 2
const OK = 1
const ERROR = 2

export interface SpanPorts {
  readonly clock: Clock
  readonly coordinator: string
  /** So many bytes by chance. */
  readonly chance: (byteCount: number) => Uint8Array
}

/** None if whoever began the trace does not want it. */
export function querySpans(query: KeptQuery, { clock, coordinator, chance }: SpanPorts): readonly ResourceSpans[] {
  const { request, query: { startedMs } } = query
  const { trace } = request
  if (trace?.sampled === false) return []
  const newId = (bytes: number): string => Buffer.from(chance(bytes)).toString('hex')
  const traceId = trace?.traceId ?? newId(16)
  const offsetMs = clock.wallMs() - clock.nowMs()
  const nanos = (nowMs: number): string => String(BigInt(Math.round((nowMs + offsetMs) * 1_000)) * 1_000n)
  const span = (
    name: string, parentSpanId: string, fromMs: number, toMs: number, kind: number,
    attributes: Readonly<Record<string, string | number>>, error: string | null,
  ): Span => ({
    traceId, spanId: newId(8), parentSpanId, name, kind, startTimeUnixNano: nanos(fromMs),
    endTimeUnixNano: nanos(Math.max(fromMs, toMs)), attributes: Object.entries(attributes).map(attribute),
    status: error === null ? { code: OK } : { code: ERROR, message: error },
  })
  const stats = query.stats()
  const failure = query.error()
  const all = query.timedTasks()
  const root = span('query', trace?.spanId ?? '', startedMs, startedMs + stats.elapsed_ms, SERVER, {
    'skein.query.id': query.id, 'skein.query.state': query.state(), 'skein.stages': stats.stages,
    'skein.tasks': all.length, 'skein.executors': stats.executors, 'skein.bytes_fetched': stats.bytes_fetched,
    'skein.bytes_cached': stats.bytes_cached, 'skein.exchange_bytes': stats.exchange_bytes,
    'enduser.id': request.principal, 'db.query.text': withoutSecrets(request.sql).slice(0, MAX_CHARACTERS),
  }, failure === null ? null : asQueryError(failure).code)
  const own: Span[] = [root]
  if (stats.plan_ms > 0) own.push(span('plan', root.spanId, startedMs, startedMs + stats.plan_ms, INTERNAL, {}, null))
  const byExecutor = new Map<string, Span[]>()
  for (const [stage, tasks] of byStage(all.slice(0, MAX_TASKS))) {
    const from = Math.min(...tasks.map(({ firstMs }) => firstMs))
    const to = Math.max(...tasks.map(({ lastMs }) => lastMs))
    const whole = span(`stage ${stage}`, root.spanId, from, to, INTERNAL, { 'skein.tasks': tasks.length }, null)
    own.push(whole)
    for (const { report, firstMs, lastMs } of tasks) {
      const { partition, attempt, executor, state, rows, bytesFetched, bytesCached, exchangeBytes, runMs } = report
      const task = span(`task ${stage}.${partition}.${attempt}`, whole.spanId, firstMs, lastMs, SERVER, {
        'skein.task.state': state, 'skein.task.rows': rows, 'skein.task.run_ms': runMs,
        'skein.bytes_fetched': bytesFetched, 'skein.bytes_cached': bytesCached, 'skein.exchange_bytes': exchangeBytes,
      }, state === 'failed' ? 'the attempt failed' : null)
      byExecutor.set(executor, [...byExecutor.get(executor) ?? [], task])
    }
  }
  return [
    { service: 'skein-coordinator', instance: coordinator, spans: own },
    ...[...byExecutor].map(([instance, spans]) => ({ service: 'skein-executor' as const, instance, spans })),
  ]
}

function byStage(tasks: readonly TimedReport[]): ReadonlyMap<number, readonly TimedReport[]> {
  const stages = new Map<number, TimedReport[]>()
  for (const task of tasks) stages.set(task.report.stage, [...stages.get(task.report.stage) ?? [], task])
  return stages
}

function attribute([key, value]: readonly [string, string | number]): Attribute {
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  return { key, value: Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
}
