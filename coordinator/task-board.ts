/** What became of each task of one query, for pictures and for its numbers. */

import type { TaskReport } from './running-query.ts'

export interface TaskTotals {
  readonly tasks: number
  readonly executors: number
  readonly bytesFetched: number
  readonly bytesCached: number
  readonly exchangeBytes: number
}

/** When its attempt was launched, and when it was last heard of, by the clock. */
export interface TimedReport {
  readonly report: TaskReport
  readonly firstMs: number
  readonly lastMs: number
}

export class TaskBoard {
  readonly #reports = new Map<string, TimedReport>()
  /** The most that one task took at a time, by executor. */
  readonly #peaks = new Map<string, number>()
  #peakBytes = 0
  #runningShare = 0

  /** The latest report of an attempt counts. */
  add(report: TaskReport, nowMs: number): void {
    const key = `${report.stage}.${report.partition}.${report.attempt}`
    const known = this.#reports.get(key)
    this.#runningShare += shareOf(report) - shareOf(known?.report)
    this.#reports.set(key, { report, firstMs: known?.firstMs ?? nowMs, lastMs: nowMs })
    const before = this.#peaks.get(report.executor) ?? 0
    if (report.peakBytes <= before) return
    this.#peaks.set(report.executor, report.peakBytes)
    this.#peakBytes += report.peakBytes - before
  }

  /** Memory of all executors together that the query was seen to take. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  /** What is done of the tasks that run, each from 0 to 1. */
  get runningShare(): number {
    return this.#runningShare
  }

  get size(): number {
    return this.#reports.size
  }

  reports(): readonly TaskReport[] {
    return this.timed().map(({ report }) => report)
  }

  timed(): readonly TimedReport[] {
    return [...this.#reports.values()]
  }

  /** Attempts that failed count too: their bytes were moved. */
  totals(): TaskTotals {
    const reports = this.reports()
    const sum = (of: (report: TaskReport) => number): number => reports.reduce((total, report) => total + of(report), 0)
    return {
      tasks: reports.length,
      executors: new Set(reports.map(({ executor }) => executor)).size,
      bytesFetched: sum(({ bytesFetched }) => bytesFetched),
      bytesCached: sum(({ bytesCached }) => bytesCached),
      exchangeBytes: sum(({ exchangeBytes }) => exchangeBytes),
    }
  }
}

function shareOf(report?: TaskReport): number {
  return report?.state === 'running' ? report.progress : 0
}
