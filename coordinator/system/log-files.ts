/**
 * The log of queries on disk: a journal of starts and ends, and behind it Parquet files of the queries that have ended,
 * the oldest of which go when all together are too large. A row is of one query; a start whose end was never written
 * is a query that died with its coordinator, and becomes a row that says so at the next start.
 *
 *   journal-7 ── is long enough ──▶ journal-8 begins with the starts that are open ──▶ queries-7.parquet ──▶ 7 goes
 *
 * A crash between two of these steps loses nothing and doubles nothing: what the last Parquet file has or a later
 * journal begins with is not taken from an older journal. Writing never waits and never fails a query; what a disk does
 * not take is counted.
 */

import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Row, rowFile, rowsIn, type RowColumn } from '../../catalog/row-file.ts'

/** Of all Parquet files together: some 30,000 queries, which take half a second to read. */
const MAX_LOG_BYTES = 4 * 1024 * 1024
/** A file is read and written as a whole, 30 µs a row, while nothing else is done; a journal is read at a start. */
const MAX_ROWS_OF_FILE = 2_000
const MAX_JOURNAL_BYTES = 8 * 1024 * 1024
/** Of records that wait for the disk. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024

export interface LogFilesOptions {
  /** Absolute; this process's alone. */
  readonly folder: string
  readonly columns: readonly RowColumn[]
  /** Position of the column that names a query. */
  readonly id: number
  /** The row of a query that died, from that of its start. */
  readonly died: (start: Row) => Row
  /** The disk does not take it, or a file cannot be read. */
  readonly onFault: (reason: unknown) => void
  /** For tests. */
  readonly limits?: { readonly logBytes?: number; readonly rowsOfFile?: number }
}

interface Record {
  readonly kind: 'start' | 'end'
  readonly row: Row
  readonly line: string
}

export class LogFiles {
  readonly #options: LogFilesOptions
  readonly #logBytes: number
  readonly #rowsOfFile: number
  /** Not on disk yet. */
  #waiting: Record[] = []
  #waitingBytes = 0
  /** In the journal. */
  #ended: Row[] = []
  #open = new Map<string, Row>()
  #journal = 0
  #journalBytes = 0
  #turn: Promise<void> = Promise.resolve()
  #isScheduled = false
  #lost = 0

  private constructor(options: LogFilesOptions) {
    this.#options = options
    this.#logBytes = options.limits?.logBytes ?? MAX_LOG_BYTES
    this.#rowsOfFile = options.limits?.rowsOfFile ?? MAX_ROWS_OF_FILE
  }

  /** Makes the folder; what an earlier process left is in order afterwards. */
  static async open(options: LogFilesOptions): Promise<LogFiles> {
    const files = new LogFiles(options)
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    await files.#recover()
    return files
  }

  /** Records that were not written, since the start. */
  get lost(): number {
    return this.#lost
  }

  start(row: Row): void {
    this.#say('start', row)
  }

  end(row: Row): void {
    this.#say('end', row)
  }

  /** Resolves when what was said is on disk, or lost. */
  flush(): Promise<void> {
    this.#schedule()
    return this.#turn
  }

  /** The queries that have ended, file by file, oldest first. */
  async *ended(): AsyncGenerator<readonly Row[]> {
    const { columns, onFault, folder } = this.#options
    const written = await this.#parquetFiles()
    const recent = [...this.#ended, ...this.#waiting.flatMap(({ kind, row }) => kind === 'end' ? [row] : [])]
    for (const { name } of written) {
      try {
        yield await rowsIn(await readFile(join(folder, name)), columns)
      } catch (error) {
        if (!isMissing(error)) onFault(error) // one that went meanwhile was the oldest
      }
    }
    yield recent
  }

  #say(kind: Record['kind'], row: Row): void {
    const line = `${JSON.stringify({ [kind]: row })}\n`
    if (this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.#lost++
      return
    }
    this.#waiting.push({ kind, row, line })
    this.#waitingBytes += line.length
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#turn = this.#turn.then(() => this.#write())
  }

  async #write(): Promise<void> {
    this.#isScheduled = false
    const records = this.#waiting
    if (records.length === 0) return
    const text = records.map(({ line }) => line).join('')
    let isWritten = true
    try {
      await appendFile(this.#journalPath(this.#journal), text)
      this.#journalBytes += text.length
    } catch (error) {
      isWritten = false
      this.#lost += records.length
      this.#options.onFault(error)
    }
    this.#waiting = this.#waiting.slice(records.length)
    this.#waitingBytes -= text.length
    for (const { kind, row } of records) {
      if (isWritten) this.#take(kind, row)
      else this.#open.delete(String(row[this.#options.id]))
    }
    const tooMany = this.#ended.length - 2 * this.#rowsOfFile // the disk takes no file of them
    if (tooMany > 0) this.#lost += this.#ended.splice(0, tooMany).length
    if (this.#ended.length < this.#rowsOfFile && this.#journalBytes < MAX_JOURNAL_BYTES) return
    await this.#turnOver().catch((error: unknown) => this.#options.onFault(error)) // tried again with the next record
  }

  #take(kind: Record['kind'], row: Row): void {
    const id = String(row[this.#options.id])
    if (kind === 'start') this.#open.set(id, row)
    else {
      this.#open.delete(id)
      this.#ended.push(row)
    }
  }

  /** The rows that have ended become a file. */
  async #turnOver(): Promise<void> {
    const last = this.#journal
    const rows = this.#ended
    await this.#begin(last + 1)
    await this.#writeRows(last, rows)
    this.#ended = this.#ended.slice(rows.length)
    await rm(this.#journalPath(last), { force: true })
    await this.#removeOld()
  }

  /** A journal that begins with what is open. */
  async #begin(number: number): Promise<void> {
    const head = [{ columns: this.#options.columns.map(({ name }) => name) }, ...[...this.#open.values()]
      .map(start => ({ start }))].map(line => `${JSON.stringify(line)}\n`).join('')
    await this.#replace(this.#journalPath(number), Buffer.from(head))
    this.#journal = number
    this.#journalBytes = head.length
  }

  async #writeRows(number: number, rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return
    await this.#replace(join(this.#options.folder, parquetName(number)), rowFile(this.#options.columns, rows))
  }

  /** Whole or not at all, also after a crash. */
  async #replace(path: string, bytes: Uint8Array): Promise<void> {
    const unfinished = `${path}.unfinished`
    const file = await open(unfinished, 'w', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  }

  async #recover(): Promise<void> {
    const { folder, died } = this.#options
    const names = await readdir(folder)
    for (const name of names) if (name.endsWith('.unfinished')) await rm(join(folder, name), { force: true })
    const last = (await this.#parquetFiles()).at(-1)?.number ?? 0
    const journals = names.flatMap(name => numberIn(name, JOURNAL) ?? []).sort((a, b) => a - b)
    for (const number of journals) {
      if (number <= last) continue
      for (const { kind, row } of await this.#read(number)) this.#take(kind, row)
    }
    const rows = [...this.#ended, ...[...this.#open.values()].map(died)]
    this.#open = new Map()
    this.#ended = []
    const newest = Math.max(last, ...journals)
    await this.#writeRows(newest, rows)
    for (const number of journals) await rm(this.#journalPath(number), { force: true })
    await this.#removeOld()
    await this.#begin(newest + 1)
  }

  /** What can be read of a journal: its last line may be cut off. */
  async #read(number: number): Promise<{ kind: Record['kind']; row: Row }[]> {
    const { columns } = this.#options
    const lines = (await readFile(this.#journalPath(number), 'utf8')).split('\n')
    let names = columns.map(({ name }) => name)
    return lines.flatMap(line => {
      const value = parsed(line)
      if (value?.columns !== undefined) names = value.columns
      const row = value?.start ?? value?.end
      if (row === undefined) return []
      const kind = value?.start === undefined ? 'end' as const : 'start' as const
      return [{ kind, row: columns.map(({ name }) => row[names.indexOf(name)] ?? null) }]
    })
  }

  async #removeOld(): Promise<void> {
    const { folder } = this.#options
    let left = this.#logBytes
    for (const { name } of (await this.#parquetFiles()).reverse()) {
      left -= (await stat(join(folder, name))).size
      if (left < 0) await rm(join(folder, name), { force: true })
    }
  }

  /** Oldest first. */
  async #parquetFiles(): Promise<{ name: string; number: number }[]> {
    const names = await readdir(this.#options.folder)
    return names.flatMap(name => {
      const number = numberIn(name, PARQUET)
      return number === undefined ? [] : [{ name, number }]
    }).sort((a, b) => a.number - b.number)
  }

  #journalPath(number: number): string {
    return join(this.#options.folder, `journal-${padded(number)}`)
  }
}

const JOURNAL = /^journal-(\d+)$/
const PARQUET = /^queries-(\d+)\.parquet$/

function parquetName(number: number): string {
  return `queries-${padded(number)}.parquet`
}

function padded(number: number): string {
  return String(number).padStart(8, '0')
}

function numberIn(name: string, pattern: RegExp): number | undefined {
  const [, digits] = pattern.exec(name) ?? []
  return digits === undefined ? undefined : Number(digits)
}

interface Line { readonly columns?: string[]; readonly start?: Row; readonly end?: Row }

function parsed(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line // we wrote it, or a crash has cut it
  } catch {
    return undefined
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
