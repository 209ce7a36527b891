/**
 * A shell at a terminal: lines are edited, completed and remembered; an error is shown and the shell goes on. Ctrl-C
 * cancels the statement that runs and drops what was typed ahead of it, or what has been typed; Ctrl-D is the end.
 */

import { createInterface, type Interface } from 'node:readline'
import { asQueryError, QueryError } from '../../proto/errors.ts'
import { MAX_ENTRIES, oneLine, type HistoryFile } from './history.ts'
import { commandWords } from './shell-command.ts'
import type { Shell } from './shell.ts'
import { StatementBuffer, type ShellEntry } from './statement-buffer.ts'

export interface TerminalPorts {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  readonly history: HistoryFile
  /** Ends the shell. */
  readonly signal: AbortSignal
  readonly greeting: string
}

const PROMPT = 'skein> '
const GOES_ON = '   ... '
/** Statements that wait for their turn; more are a script, which belongs into a pipe. */
const MAX_WAITING = 10_000

export class Terminal {
  readonly #shell: Shell
  readonly #ports: TerminalPorts
  readonly #buffer = new StatementBuffer()
  readonly #lines: Interface
  /** Of the statement that is being typed. */
  #typed: string[] = []
  /** The editor's own, newest first. */
  #remembered: string[] = []
  #waiting: ShellEntry[] = []
  #isRunning = false
  #isClosed = false
  #end: () => void = () => undefined

  constructor(shell: Shell, ports: TerminalPorts) {
    this.#shell = shell
    this.#ports = ports
    const { input, output, history } = ports
    this.#lines = createInterface({
      input, output, terminal: true, prompt: PROMPT, historySize: MAX_ENTRIES, removeHistoryDuplicates: true,
      history: history.entries.toReversed(),
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        // no suggestion is no failure: the person goes on typing
        void this.#complete(line).catch((): [string[], string] => [[], line]).then(found => done(null, found))
      },
    })
  }

  /** Resolves at the end, whatever ended it. */
  async run(): Promise<void> {
    const { output, greeting, signal } = this.#ports
    const close = (): void => this.#lines.close()
    const ended = new Promise<void>(resolve => { this.#end = resolve })
    this.#lines.on('history', (history: string[]) => { this.#remembered = history })
    this.#lines.on('line', line => this.#line(line))
    this.#lines.on('SIGINT', () => this.#interrupt())
    this.#lines.on('close', () => this.#close())
    signal.addEventListener('abort', close)
    output.write(greeting)
    if (signal.aborted) close()
    else this.#prompt()
    await ended
    signal.removeEventListener('abort', close)
  }

  #line(line: string): void {
    try {
      this.#typed.push(line)
      const entries = this.#buffer.add(line)
      if (this.#waiting.length + entries.length > MAX_WAITING) {
        throw new QueryError('INVALID_REQUEST', `more than ${MAX_WAITING} statements would wait: this line is not run`)
      }
      this.#waiting.push(...entries)
    } catch (thrown) {
      this.#say(thrown)
    }
    if (this.#buffer.pending === '') this.#remember()
    if (!this.#isRunning) void this.#work()
  }

  /** The lines of a statement are one entry. */
  #remember(): void {
    const entry = oneLine(this.#typed.join('\n'))
    if (this.#typed.length > 1 && !entry.includes('\n')) {
      for (const line of this.#typed.toReversed()) if (this.#remembered[0] === line) this.#remembered.shift()
      this.#remembered.unshift(entry)
    }
    this.#ports.history.add(entry)
    this.#typed = []
  }

  async #work(): Promise<void> {
    this.#isRunning = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        if (!await this.#shell.run(next)) {
          this.#waiting = []
          this.#lines.close()
        }
      } catch (thrown) {
        this.#say(thrown)
      }
    }
    this.#isRunning = false
    if (this.#isClosed) this.#end()
    else this.#prompt()
  }

  #prompt(): void {
    this.#lines.setPrompt(this.#buffer.pending === '' ? PROMPT : GOES_ON)
    this.#lines.prompt(true)
  }

  #interrupt(): void {
    if (this.#shell.cancel()) {
      this.#waiting = []
      return
    }
    this.#buffer.clear()
    this.#typed = []
    this.#lines.write(null, { ctrl: true, name: 'e' })
    this.#lines.write(null, { ctrl: true, name: 'u' })
    this.#ports.output.write('\n')
    this.#prompt()
  }

  #close(): void {
    this.#isClosed = true
    if (this.#ports.signal.aborted) this.#shell.cancel()
    else this.#ports.output.write('\n')
    if (!this.#isRunning) this.#end()
  }

  #say(thrown: unknown): void {
    const { code, message } = asQueryError(thrown)
    this.#ports.output.write(`error: ${code}: ${message}\n`)
  }

  /** What may stand at the cursor, and what of the line it replaces. */
  async #complete(line: string): Promise<[string[], string]> {
    const { pending } = this.#buffer
    if (pending === '' && /^\\\S*$/.test(line)) return [commandWords.filter(word => word.startsWith(line)), line]
    const before = pending === '' ? '' : `${pending}\n`
    const { words, start } = await this.#shell.complete(before + line)
    if (start < before.length) return [[], line]
    return [[...words], line.slice(start - before.length)]
  }
}
