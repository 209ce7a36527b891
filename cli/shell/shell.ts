/**
 * `skein shell`: statements of one session, one after the other, and what the shell itself can do. Where its lines come
 * from, a terminal or a pipe, is not its business.
 *
 * The session is closed at the end: what it has made is gone then.
 */

import type { Clock } from '../../proto/clock.ts'
import { withLine } from '../../proto/error-place.ts'
import { QueryError, unreachable } from '../../proto/errors.ts'
import { meaningfulTokens } from '../../proto/sql-tokens.ts'
import { timeZone, UTC, type TimeZone } from '../../proto/time-zone.ts'
import { writeAnswer, type Write } from '../answer.ts'
import type { HttpClient } from '../http-client.ts'
import { ProgressBar } from '../progress-bar.ts'
import { readCommand, SHELL_HELP, type ShellFormat } from './shell-command.ts'
import type { ShellEntry } from './statement-buffer.ts'

export interface ShellPorts {
  readonly client: HttpClient
  readonly clock: Clock
  readonly newId: () => string
  /** Answers. */
  readonly write: Write
  /** What is said besides answers. */
  readonly note: (text: string) => void
  /** Someone looks at notes as they come: there is a progress bar. */
  readonly isWatched: boolean
}

export interface ShellSettings {
  readonly format: ShellFormat
  /** False: no kept result answers. */
  readonly cache: boolean
  /** What statements are written in. */
  readonly dialect: string
}

/** What ends sooner shows no progress. */
const PROGRESS_AFTER_MS = 500

export class Shell {
  readonly #ports: ShellPorts
  readonly #cache: boolean
  readonly #sessionId: string
  #format: ShellFormat
  #dialect: string
  #timing = false
  #zone: TimeZone = UTC
  /** For \explain. */
  #last: string | null = null
  #running: AbortController | null = null

  constructor(ports: ShellPorts, { format, cache, dialect }: ShellSettings) {
    this.#ports = ports
    this.#cache = cache
    this.#format = format
    this.#dialect = dialect
    this.#sessionId = ports.newId()
  }

  /** False: the user wants the end. Rejects with what the statement fails with, its place in the message. */
  async run(entry: ShellEntry): Promise<boolean> {
    if (entry.kind === 'statement') {
      this.#last = entry.sql
      await this.#statement(entry.sql, this.#dialect)
      return true
    }
    const command = readCommand(entry.line)
    switch (command.kind) {
      case 'quit': return false
      case 'help': this.#ports.note(SHELL_HELP); return true
      case 'timing':
        this.#timing = command.on ?? !this.#timing
        this.#ports.note(`timing is ${this.#timing ? 'on' : 'off'}\n`)
        return true
      case 'format': this.#format = command.format; return true
      case 'dialect':
        this.#dialect = command.dialect ?? this.#dialect
        this.#ports.note(`the dialect is ${this.#dialect}\n`)
        return true
      case 'explain': {
        const sql = command.sql ?? this.#last
        if (sql === null) throw new QueryError('INVALID_REQUEST', 'no statement to explain yet')
        await this.#statement(`EXPLAIN ${command.analyze ? 'ANALYZE ' : ''}${sql}`, this.#dialect)
        return true
      }
      case 'statement': await this.#statement(command.sql); return true
      default: return unreachable(command)
    }
  }

  /** The running statement ends as CANCELLED; false: none runs. */
  cancel(): boolean {
    this.#running?.abort()
    return this.#running !== null
  }

  /** What may stand at the end of `text`: words, and where they begin. */
  async complete(text: string): Promise<{ readonly words: readonly string[]; readonly start: number }> {
    const found = await this.#ports.client.complete(text, this.#sessionId)
    // DuckDB suggests what is written alike, too: for a person at a terminal, what goes on from what is there
    const goesOn = found.filter(({ suggestion, suggestion_start: start }) =>
      suggestion.toLowerCase().startsWith(text.slice(start).toLowerCase()))
    const start = Math.max(0, ...goesOn.map(each => each.suggestion_start))
    const words = goesOn.filter(each => each.suggestion_start === start).map(({ suggestion }) => suggestion)
    return { words: [...new Set(words)], start }
  }

  async close(): Promise<void> {
    await this.#ports.client.closeSession(this.#sessionId).catch(() => undefined) // it ends unused, by and by
  }

  async #statement(sql: string, dialect = 'duckdb'): Promise<void> {
    const { client, clock, newId, note, write, isWatched } = this.#ports
    const queryId = newId()
    const startMs = clock.nowMs()
    const bar = !isWatched ? null : new ProgressBar({
      clock, afterMs: PROGRESS_AFTER_MS, indent: '', write: note,
      percentage: async () => (await client.report(queryId)).progress.percentage,
    })
    this.#running = new AbortController()
    try {
      const fields = { session_id: this.#sessionId, cache: this.#cache, dialect }
      const frames = client.query(sql, queryId, this.#running.signal, fields)
      const stats = async (): Promise<object> => (await client.report(queryId)).stats
      await writeAnswer(this.#format, { frames, zone: this.#zone, stats }, piece => {
        bar?.end()
        return write(piece)
      })
      if (setsSomething(sql)) this.#zone = await this.#sessionZone()
    } catch (thrown) {
      throw placed(thrown, sql)
    } finally {
      bar?.end()
      this.#running = null
      if (this.#timing) note(`${(clock.nowMs() - startMs).toFixed(1)} ms\n`)
    }
  }

  /** What the session says; instants come as UTC and are shown as it would. */
  async #sessionZone(): Promise<TimeZone> {
    const { client, newId } = this.#ports
    const fields = { session_id: this.#sessionId, visible: false }
    const frames = client.query("SELECT current_setting('TimeZone')", newId(), new AbortController().signal, fields)
    let text = ''
    await writeAnswer('json', { frames, zone: UTC, stats: async () => ({}) }, async piece => { text += String(piece) })
    const { rows } = JSON.parse(text) as { readonly rows: readonly (readonly string[])[] }
    return timeZone(rows[0]?.[0] ?? 'UTC')
  }
}

function setsSomething(sql: string): boolean {
  const [first] = meaningfulTokens(sql)
  return /^(set|reset|pragma|execute)$/i.test(first?.text ?? '')
}

function placed(thrown: unknown, sql: string): unknown {
  if (!(thrown instanceof QueryError) || thrown.position === undefined) return thrown
  return new QueryError(thrown.code, withLine(thrown.message, thrown.position, sql), { cause: thrown })
}
