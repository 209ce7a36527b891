/**
 * What a coordinator counts, and its text for Prometheus (exposition format 0.0.4). Names and labels are few and
 * bounded: nothing of a statement, a user or a file is a label.
 */

import { errorCodes } from '../proto/errors.ts'
import type { QueryState } from './running-query.ts'
import type { ExecutorView } from './fleet-actor.ts'

/** Upper bounds of the buckets of durations, in seconds: from a small query to a long one. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800]
const EXECUTOR_STATES = ['connecting', 'active', 'draining', 'drained', 'lost'] as const

/** One query that has ended. */
export interface EndedQuery {
  readonly state: QueryState
  /** Of the error table; empty: it has none. */
  readonly code: string
  readonly elapsedMs: number
  readonly planMs: number
  readonly bytesFetched: number
  readonly bytesCached: number
  readonly exchangeBytes: number
}

/** What is so now. */
export interface Gauges {
  readonly running: number
  readonly waiting: number
  readonly executors: readonly ExecutorView[]
  readonly residentBytes: number
  readonly cpuSeconds: number
  readonly uptimeSeconds: number
  /** Since the start: records of the log of queries, and spans of traces. */
  readonly lostRecords: number
  readonly lostSpans: number
}

class Histogram {
  readonly #counts = BUCKETS_S.map(() => 0)
  #count = 0
  #sum = 0

  observe(seconds: number): void {
    this.#count++
    this.#sum += seconds
    BUCKETS_S.forEach((bound, i) => { if (seconds <= bound) this.#counts[i] = (this.#counts[i] ?? 0) + 1 })
  }

  lines(name: string): string[] {
    return [
      ...BUCKETS_S.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.#counts[i]}`),
      `${name}_bucket{le="+Inf"} ${this.#count}`, `${name}_sum ${this.#sum}`, `${name}_count ${this.#count}`,
    ]
  }
}

export class Metrics {
  /** By state and code; all are there from the start, for a counter that begins with 1 has never increased. */
  readonly #ended = new Map<string, number>([
    ['finished', ''], ['cancelled', 'CANCELLED'], ...errorCodes.map(code => ['failed', code]),
  ].map(([state = '', code = '']) => [labelsOf(state, code), 0]))
  readonly #elapsed = new Histogram()
  readonly #planning = new Histogram()
  #refused = 0
  #bytes = { fetched: 0, cached: 0, exchanged: 0 }

  ended({ state, code, elapsedMs, planMs, bytesFetched, bytesCached, exchangeBytes }: EndedQuery): void {
    const labels = labelsOf(state, code)
    this.#ended.set(labels, (this.#ended.get(labels) ?? 0) + 1)
    this.#elapsed.observe(elapsedMs / 1000)
    if (planMs > 0) this.#planning.observe(planMs / 1000)
    const { fetched, cached, exchanged } = this.#bytes
    this.#bytes = {
      fetched: fetched + bytesFetched, cached: cached + bytesCached, exchanged: exchanged + exchangeBytes,
    }
  }

  /** A statement was turned away at the door. */
  refused(): void {
    this.#refused++
  }

  text({ running, waiting, executors, residentBytes, cpuSeconds, uptimeSeconds, ...lost }: Gauges): string {
    const active = executors.filter(({ state }) => state === 'active')
    const { fetched, cached, exchanged } = this.#bytes
    return [
      ...family('skein_queries_ended_total', 'counter', 'Queries that have ended, by their state and error code.',
        [...this.#ended].map(([labels, count]) => `skein_queries_ended_total{${labels}} ${count}`)),
      ...single('skein_queries_refused_total', 'counter', 'Statements refused because too many wait.', this.#refused),
      ...single('skein_queries_running', 'gauge', 'Queries that have been admitted and run.', running),
      ...single('skein_queries_waiting', 'gauge', 'Queries that are planned or wait for memory and slots.', waiting),
      ...family('skein_query_seconds', 'histogram', 'From acceptance to the end of a query.',
        this.#elapsed.lines('skein_query_seconds')),
      ...family('skein_planning_seconds', 'histogram', 'From acceptance to the plan.',
        this.#planning.lines('skein_planning_seconds')),
      ...single('skein_bytes_fetched_total', 'counter', 'Bytes that came from buckets for ended queries.', fetched),
      ...single('skein_bytes_cached_total', 'counter', 'Bytes that ended queries found in caches.', cached),
      ...single('skein_exchange_bytes_total', 'counter', 'Bytes of exchange files that ended queries read.', exchanged),
      ...family('skein_executors', 'gauge', 'Executors as this coordinator sees them.', EXECUTOR_STATES.map(state =>
        `skein_executors{state="${state}"} ${executors.filter(one => one.state === state).length}`)),
      ...single('skein_slots', 'gauge', 'Slots of active executors.', sum(active.map(({ info }) => info.slots))),
      ...single('skein_memory_bytes', 'gauge', 'DuckDB memory of active executors.',
        sum(active.map(({ info }) => Number(info.memoryBytes)))),
      ...single('skein_query_log_lost_total', 'counter', 'Records of the log of queries that the disk did not take.',
        lost.lostRecords),
      ...single('skein_spans_lost_total', 'counter', 'Spans of traces that no collector took.', lost.lostSpans),
      ...single('process_resident_memory_bytes', 'gauge', 'Memory of the coordinator.', residentBytes),
      ...single('process_cpu_seconds_total', 'counter', 'CPU time of the coordinator.', cpuSeconds),
      ...single('skein_uptime_seconds', 'gauge', 'Since the start of the coordinator.', uptimeSeconds),
    ].join('\n') + '\n'
  }
}

function labelsOf(state: string, code: string): string {
  return `state="${state}",code="${code}"`
}

function family(name: string, type: string, help: string, lines: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

function single(name: string, type: string, help: string, value: number): string[] {
  return family(name, type, help, [`${name} ${value}`])
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
