/**
 * Runs one task from its definition to its files or its spool: brings its inputs near, takes a connection, makes its
 * views, runs its SQL. A cancel interrupts DuckDB until it has stopped. Whatever the end, the connection is closed and
 * borrowed inputs are gone; what a task wrote that succeeded stays until nobody reads it, of one that failed nothing.
 */

import type { Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import {
  TaskDefinition_SqlKind as SqlKind, type ExchangeOutput, type TaskDefinition,
} from '../proto/gen/executor_pb.js'
import type { QueryId, TaskId } from '../proto/ids.ts'
import type { BodyPool } from '../proto/body-pool.ts'
import type { CpuShare } from './cpu-share.ts'
import { DuckError, isFatal, taskError } from './duck-error.ts'
import { isDiskFull, type Troubles } from './troubles.ts'
import type { ExchangeFiles, TaskPlace } from './exchange-files.ts'
import { InputLost, type ExchangeReader } from './exchange-reader.ts'
import { ExchangeMeter } from './exchange-meter.ts'
import { writeExchange, type WrittenFile } from './exchange-writer.ts'
import type { InstanceSet, TaskConnection } from './instance-set.ts'
import type { DuckConnection } from './instances.ts'
import type { Use } from './managed-instance.ts'
import { afterFirstStep, beginnings } from './read-steps.ts'
import { sampleKeys, type SampledKey } from './sampled-keys.ts'
import type { ResultSpool } from './result-spool.ts'
import { resultShape, writeResult } from './result-writer.ts'
import { ScanFiles, wantedFiles, type FilePort } from './scan-files.ts'
import type { TaskEvent, TaskStats } from './task.ts'
import type { TableReads } from './table-reads.ts'
import { originalSetup, settingsSql, taskSql } from './task-setup.ts'

/** An interrupt is lost on a statement that has not quite begun, so it is repeated. */
const INTERRUPT_EVERY_MS = 50

export interface TaskRunnerOptions {
  readonly clock: Clock
  readonly instances: InstanceSet
  readonly exchangeFiles: ExchangeFiles
  readonly exchangeReader: ExchangeReader
  readonly files: FilePort
  readonly pool: BodyPool
  readonly reads: TableReads
  readonly cpu: CpuShare
  readonly troubles: Pick<Troubles, 'diskFull' | 'duckdbFailed'>
}

export type TaskOutcome = Extract<TaskEvent, { kind: 'succeeded' | 'failed' }>

/** What a task reads, on this disk. */
interface InputPaths {
  readonly scanPaths: readonly (readonly string[])[]
  readonly inputPaths: readonly (readonly string[])[]
}

/** What a task reads: all that it has to, or a beginning that is enough. */
interface Reading {
  readonly task: TaskDefinition
  readonly scanned: ScanFiles
  /** Fetched before, of beginnings that were too little. */
  readonly bytesFetched: number
}

interface Output {
  readonly files: readonly WrittenFile[]
  readonly sample: readonly SampledKey[]
  readonly rowCount: number
  readonly outputBytes: number
}

interface Ran extends Pick<Output, 'files' | 'sample'> {
  readonly stats: Pick<TaskStats, 'rowCount' | 'outputBytes' | 'peakBytes' | 'spilled'>
}

/** What was seen of a task on its instance. */
export type Seen = Pick<Use, 'fraction' | 'peakBytes' | 'spilled'>

export class TaskRunner {
  readonly #options: TaskRunnerOptions
  /** Of running tasks. */
  readonly #seen = new Map<TaskId, Seen>()

  constructor(options: TaskRunnerOptions) {
    this.#options = options
  }

  /** How far a running task is, 0 to 1, by DuckDB's guess. */
  fractionOf(taskId: TaskId): number {
    return this.#seen.get(taskId)?.fraction ?? 0
  }

  /** Never rejects. `spool` is there for a task that makes the result; it is complete when the task has succeeded. */
  async run(task: TaskDefinition, spool: ResultSpool | undefined, signal: AbortSignal): Promise<TaskOutcome> {
    const { clock, cpu } = this.#options
    const endCpu = cpu.begin()
    const place = { ...task, queryId: task.queryId as QueryId }
    const read: string[] = []
    let scanned: ScanFiles | undefined
    try {
      const inputPaths = await this.#options.exchangeReader.locate(task.inputs, place, signal)
      const reading = await this.#read(task, inputPaths, signal)
      scanned = reading.scanned
      this.#options.reads.add(reading.task.scans, scanned.files)
      read.push(...scanned.paths.flat(), ...inputPaths.flat())
      const paths: InputPaths = { scanPaths: scanned.paths, inputPaths }
      const output = await this.#onConnection(reading.task, paths, signal, async (sql, { connection, use }) =>
        ran(await this.#execute(reading.task, sql, connection, spool, signal), use))
      if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled')
      spool?.complete()
      const stats = { ...output.stats, ...readStats(reading), cpuMs: endCpu() }
      return { kind: 'succeeded', nowMs: clock.nowMs(), files: output.files, sample: output.sample, stats }
    } catch (error) {
      this.#tellTroubles(error)
      const own = placed(taskError(error, read), task)
      const cause = await scanned?.explain(own) ?? own
      spool?.fail(cause)
      return { kind: 'failed', cause, lostExecutors: error instanceof InputLost ? error.executors : [] }
    } finally {
      endCpu()
      await this.#options.exchangeReader.release(place).catch(() => undefined) // goes with the query
      await scanned?.release().catch(() => undefined) // what is left of a file goes at the next start
    }
  }

  #tellTroubles(error: unknown): void {
    const { instances, troubles } = this.#options
    if (isDiskFull(error)) troubles.diskFull(taskError(error, []))
    if (!isFatal(error)) return
    instances.replaceShared()
    troubles.duckdbFailed(taskError(error, []))
  }

  /** Brings its remote files while it waits for a slot. What fails will fail the task itself, or not by then. */
  prefetch(task: TaskDefinition, signal: AbortSignal): void {
    const [{ scans } = task] = beginnings(task)
    this.#options.files.prefetch(wantedFiles(scans, task.carried), signal).catch(() => undefined)
  }

  /** The first beginning that gives rows enough, if the rest would have to come from a bucket; or all of it. */
  async #read(task: TaskDefinition, inputPaths: InputPaths['inputPaths'], signal: AbortSignal): Promise<Reading> {
    const { files } = this.#options
    const isRestHere = await files.areHere(wantedFiles(afterFirstStep(task), task.carried))
    let bytesFetched = 0
    for (const beginning of isRestHere ? [] : beginnings(task)) {
      const scanned = await ScanFiles.open(beginning.scans, task.carried, files, signal)
      const paths = { scanPaths: scanned.paths, inputPaths }
      try {
        const rows = await this.#onConnection(beginning, paths, signal, (sql, { connection }) =>
          countRows(connection, sql))
        if (rows >= task.enoughRows) return { task: beginning, scanned, bytesFetched }
      } catch (error) {
        await scanned.release()
        if (signal.aborted) throw error
        bytesFetched += scanned.bytesFetched
        break // it will fail the task itself, or not by then
      }
      await scanned.release()
      bytesFetched += scanned.bytesFetched
    }
    return { task, scanned: await ScanFiles.open(task.scans, task.carried, files, signal), bytesFetched }
  }

  async #onConnection<T>(
    task: TaskDefinition, { scanPaths, inputPaths }: InputPaths, signal: AbortSignal,
    run: (sql: string, taken: TaskConnection) => Promise<T>,
  ): Promise<T> {
    const taken = await this.#connect(task, scanPaths, signal)
    const stopInterrupts = this.#interruptOn(signal, taken.connection)
    this.#seen.set(task.taskId as TaskId, taken.use)
    let isClean = false
    try {
      if (task.sqlKind === SqlKind.ORIGINAL) await taken.connection.run(originalSetup(task, scanPaths))
      if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled')
      const output = await run(taskSql(task, scanPaths, inputPaths), taken)
      isClean = !signal.aborted // an interrupt may still come to it
      return output
    } finally {
      stopInterrupts()
      this.#seen.delete(task.taskId as TaskId)
      await taken.done(isClean)
    }
  }

  #connect(
    task: TaskDefinition, scanPaths: InputPaths['scanPaths'], signal: AbortSignal,
  ): Promise<TaskConnection> {
    const { instances } = this.#options
    const [queryId, memoryBytes] = [task.queryId as QueryId, Number(task.memoryBytes)]
    switch (task.sqlKind) {
      case SqlKind.EMITTED:
        return instances.emitted(queryId, task.preserveOrder, memoryBytes, settingsSql(task), signal)
      case SqlKind.ORIGINAL:
        return instances.original(queryId, task.taskId as TaskId, scanPaths.flat(), memoryBytes, signal)
      default: throw new QueryError('INTERNAL', `task ${task.taskId} has an unknown kind of SQL`)
    }
  }

  async #execute(
    task: TaskDefinition, sql: string, connection: DuckConnection, spool: ResultSpool | undefined, signal: AbortSignal,
  ): Promise<Output> {
    const { pool } = this.#options
    const { output } = task
    switch (output.case) {
      case 'exchange': return this.#writeExchange(task, output.value, sql, connection)
      case 'result': {
        if (spool === undefined) throw new Error(`task ${task.taskId} has no spool`)
        const { maxRows } = output.value
        const shape = resultShape(output.value)
        const totals = await writeResult(connection, sql, shape, Number(maxRows), spool, pool, signal)
        return { files: [], sample: [], rowCount: totals.rowCount, outputBytes: totals.byteCount }
      }
      case 'sample': {
        const sample = await sampleKeys(connection, sql, output.value)
        return { files: [], sample, rowCount: sample.length, outputBytes: sum(sample.map(({ key }) => key.length)) }
      }
      default: throw new QueryError('INTERNAL', `task ${task.taskId} has no output`)
    }
  }

  /** Within the disk of the executor; nothing is left of a task that fails. */
  async #writeExchange(
    task: TaskDefinition, output: ExchangeOutput, sql: string, connection: DuckConnection,
  ): Promise<Output> {
    const { exchangeFiles, clock } = this.#options
    const place: TaskPlace = { ...task, queryId: task.queryId as QueryId }
    const interrupt = (): void => connection.interrupt()
    const meter = new ExchangeMeter({ files: exchangeFiles, place, clock, interrupt })
    try {
      const files = await writeExchange(connection, sql, output, exchangeFiles, place)
      meter.end()
      const [rows, bytes] = [files.map(file => file.rowCount), files.map(file => file.sizeBytes)]
      const outputBytes = sum(bytes)
      if (meter.full || !exchangeFiles.accountOutput(place, outputBytes)) throw exchangeFiles.diskFull('an exchange')
      return { files, sample: [], rowCount: sum(rows), outputBytes }
    } catch (error) {
      const cause = meter.full ? exchangeFiles.diskFull('an exchange') : error
      await exchangeFiles.removeOutput(place)
      throw cause
    } finally {
      meter.end()
    }
  }

  #interruptOn(signal: AbortSignal, connection: DuckConnection): () => void {
    let cancelTimer = (): void => undefined
    const interrupt = (): void => {
      connection.interrupt()
      cancelTimer = this.#options.clock.after(INTERRUPT_EVERY_MS, interrupt)
    }
    if (signal.aborted) interrupt()
    else signal.addEventListener('abort', interrupt, { once: true })
    return () => {
      signal.removeEventListener('abort', interrupt)
      cancelTimer()
    }
  }
}

function ran({ files, sample, rowCount, outputBytes }: Output, { peakBytes, spilled }: Use): Ran {
  return { files, sample, stats: { rowCount, outputBytes, peakBytes, spilled } }
}

async function countRows(connection: DuckConnection, sql: string): Promise<bigint> {
  const [row] = await connection.texts(`SELECT count(*) FROM (${sql})`, [0])
  return BigInt(row?.[0] ?? 0)
}

function readStats(
  { task, scanned, bytesFetched: before }: Reading,
): Pick<TaskStats, 'bytesFetched' | 'bytesCached' | 'exchangeBytes'> {
  return {
    bytesFetched: before + scanned.bytesFetched,
    bytesCached: Math.max(0, scanned.bytesCached - before), // what the steps before have brought is here by now
    exchangeBytes: sum(task.inputs.flatMap(input => input.files.map(file => Number(file.sizeBytes)))),
  }
}

/** With its place in the user's text, in bytes. A place in emitted text means nothing to whoever wrote another. */
function placed(error: QueryError, { sqlKind, sql }: TaskDefinition): QueryError {
  const { code, message, position, cause } = error
  if (position === undefined) return error
  const isInside = position >= 0 && position <= Buffer.byteLength(sql)
  const own = isInside ? position : undefined
  const origin = cause instanceof DuckError ? cause.origin?.offset : undefined
  return new QueryError(code, message, { cause: error, position: sqlKind === SqlKind.ORIGINAL ? own : origin })
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
