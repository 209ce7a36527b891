/** Queries that need more memory than an executor has, all at once, with the executor watched from outside. */

import { readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { delay, systemClock } from '../../proto/clock.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { Skein } from './skein.ts'

export interface HeavyOptions {
  readonly folder: string
  readonly mode: 'whole' | 'spread'
  readonly rows: number
  readonly queries: number
  /** Of the one executor, as the configuration says it. */
  readonly memory: string
}

export interface HeavyRun {
  readonly answers: number
  /** Codes of the typed errors. */
  readonly refused: readonly string[]
  /** Wrong answers, errors that are not about memory, disk or waiting, an executor that was replaced. */
  readonly faults: readonly string[]
  /** Resident memory of the executor, as far as it was looked at. */
  readonly peakBytes: number
  /** Files of the executor's work folders at the end. */
  readonly left: readonly string[]
  readonly elapsedMs: number
}

/** What a query may say that had no room. */
export const allowed = new Set(['OUT_OF_MEMORY', 'DISK_FULL', 'EXECUTOR_FULL', 'QUERY_QUEUE_FULL', 'RESULT_TOO_LARGE'])
const FILES = 4
const LOOK_MS = 50
const REMOVED_WITHIN_MS = 10_000

export async function heavyRun({ folder, mode, rows, queries, memory }: HeavyOptions): Promise<HeavyRun> {
  await writeTable(join(folder, 'lake', 'wide'), rows)
  const skein = await Skein.start({
    folder, executors: 1, environment: mode === 'whole' ? {} : { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
    config: {
      buckets: { lake: { provider: 'local', path: join(folder, 'lake') } },
      catalogs: { c: { type: 'bucket_tables', bucket: 'lake', tables: { wide: 'wide/*.parquet' } } },
      node: { memory, spill: '20GB' },
    },
  })
  try {
    const pid = executorPid(skein)
    const watch = new MemoryWatch(pid)
    const startMs = systemClock.nowMs()
    const outcomes = await Promise.all(Array.from({ length: queries }, (_, i) => skein.query(heavySql(i))))
    const elapsedMs = systemClock.nowMs() - startMs
    watch.end()
    const faults: string[] = []
    const refused: string[] = []
    outcomes.forEach((outcome, i) => {
      if (outcome.kind === 'error') {
        if (allowed.has(outcome.code)) refused.push(outcome.code)
        else faults.push(`query ${i}: ${outcome.code} ${outcome.message}`)
        return
      }
      const wanted = `[[${rows},${rows}]]`
      const found = JSON.stringify(outcome.answer.rows.map(row => row.map(Number)))
      if (found !== wanted) faults.push(`query ${i}: ${found} instead of ${wanted}`)
    })
    if (executorPid(skein) !== pid) faults.push('the executor was replaced')
    if (skein.errors !== '') faults.push(skein.errors)
    return {
      answers: outcomes.length - refused.length - faults.length, refused, faults, peakBytes: watch.peakBytes,
      left: await leftIn(join(folder, 'data', 'executor-1')), elapsedMs,
    }
  } finally {
    await skein.stop()
  }
}

/** As many groups as rows, with keys that take room; each of its own text. */
export function heavySql(i: number): string {
  return `SELECT count(*) AS groups, sum(n) AS n FROM
    (SELECT word, id + ${i} AS id, count(*) AS n, max(other) AS m FROM wide GROUP BY ALL)`
}

/** `rows` rows in a few files: a key each, and a text that takes room. */
export async function writeTable(folder: string, rows: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  for (let i = 0; i < FILES; i++) {
    await connection.run(`COPY (
      SELECT i AS id, 'a word that does not fit inline ' || hash(i) AS word, hash(i + 1) AS other
      FROM range(${rows * i / FILES}, ${rows * (i + 1) / FILES}) numbers(i)) TO '${join(folder, `${i}.parquet`)}'`)
  }
  connection.closeSync()
  instance.closeSync()
}

function executorPid(skein: Skein): number {
  const [found] = executorPids(skein)
  if (found === undefined) throw new Error('no executor process')
  return found
}

export function executorPids(skein: Skein): number[] {
  return skein.processes().filter(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('executor'))
}

/** What is still there when executors have had time to remove it. */
async function leftIn(folder: string): Promise<string[]> {
  const untilMs = systemClock.nowMs() + REMOVED_WITHIN_MS
  while (workFiles(folder).length > 0 && systemClock.nowMs() < untilMs) await delay(systemClock, LOOK_MS)
  return workFiles(folder)
}

/** Not the marker, the id and the log. */
function workFiles(folder: string): string[] {
  return ['exchange', 'spill', 'spool'].flatMap(name => {
    try {
      return readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).map(file => join(name, file))
    } catch {
      return []
    }
  }).filter(path => !/^(exchange\/marker|spill\/(un)?ordered)$/.test(path))
}

export class MemoryWatch {
  peakBytes = 0
  readonly #pid: number
  #cancel: () => void = () => undefined

  constructor(pid: number) {
    this.#pid = pid
    this.#look()
  }

  end(): void {
    this.#cancel()
  }

  #look(): void {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(statusOf(this.#pid)) ?? []
    this.peakBytes = Math.max(this.peakBytes, Number(kilobytes) * 1024)
    this.#cancel = systemClock.after(LOOK_MS, () => this.#look())
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
