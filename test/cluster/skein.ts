/**
 * A real `skein start` as a child process, with free ports, for tests and benches: started, asked over HTTP, stopped by
 * SIGTERM. `stop` fails if any process of the tree is left.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { descendants, isAlive } from '../../bench/processes.ts'
import { delay, systemClock } from '../../proto/clock.ts'
import { parseCells, type Answer, type Cell } from '../sql/answer.ts'

export interface SkeinOptions {
  /** For the configuration file and the data; the caller removes it. */
  readonly folder: string
  readonly executors: number
  /** Buckets, catalogs, default_catalog, and what else the configuration should say. */
  readonly config: Readonly<Record<string, unknown>>
  /** SKEIN_WHOLE_BYTES and the like. */
  readonly environment?: Readonly<Record<string, string>>
  /** PEM: whom to trust where the doors have TLS. */
  readonly ca?: string
  /** What the command begins with, if it does not run as it is: `ip netns exec NAME`. */
  readonly within?: readonly string[]
}

export type Doors = Readonly<Partial<Record<'http' | 'flight' | 'postgres' | 'admin' | 'executor' | 'results', string>>>

export type SkeinOutcome = {
  readonly kind: 'rows'
  readonly answer: Answer
  readonly queryId: string
  readonly wholeReason: string | null
  /** As GET /query/{id} tells them. */
  readonly stats: Readonly<Record<string, unknown>>
} | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly position: number | undefined }

/** Of what GET /query/{id} tells. */
export interface Report {
  readonly stats: Readonly<Record<string, unknown>>
  readonly task_reports: readonly {
    readonly stage: number; readonly partition: number; readonly executor: string; readonly attempt: number
    readonly state: string; readonly rows: number; readonly runMs: number
  }[]
}

export interface AskOptions {
  /** Goes into the request as it is. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** Cuts the connection. */
  readonly signal?: AbortSignal
  /** Who asks; without it nobody is named. */
  readonly user?: string
}

const READY_WITHIN_MS = 60_000
/** The product promises to end within this. */
const STOP_WITHIN_MS = 10_000
const CHECK_EVERY_MS = 20
/** Kept of the child's standard error, for the message when it fails. */
const MAX_ERROR_CHARACTERS = 20_000

export class Skein {
  readonly doors: Doors
  readonly pid: number
  /** The exit code, or the signal, when it has ended. */
  readonly ended: Promise<number | NodeJS.Signals | null>
  readonly #process: ChildProcess
  readonly #ca: string | undefined
  #errors: () => string

  private constructor(process: ChildProcess, doors: Doors, errors: () => string, ca: string | undefined) {
    this.#ca = ca
    this.#process = process
    this.doors = doors
    this.pid = process.pid ?? 0
    this.#errors = errors
    this.ended = new Promise(resolve => { process.once('exit', (code, signal) => resolve(code ?? signal)) })
  }

  /** Resolves at the line `ready`; rejects with what the process wrote to standard error. */
  static start({ executors, ...options }: SkeinOptions): Promise<Skein> {
    return Skein.#launch('start', ['--executors', String(executors)], options)
  }

  /** One process of a cluster whose store the configuration names. */
  static role(role: 'coordinator' | 'executor', options: Omit<SkeinOptions, 'executors'>): Promise<Skein> {
    return Skein.#launch(role, [], options)
  }

  static async #launch(
    command: string, more: readonly string[],
    { folder, config, environment, ca, within = [] }: Omit<SkeinOptions, 'executors'>,
  ): Promise<Skein> {
    await mkdir(folder, { recursive: true })
    const file = join(folder, 'skein.yaml')
    const listen = { http: '127.0.0.1:0', flight: '127.0.0.1:0', admin: '127.0.0.1:0' }
    const content = { data_dir: join(folder, 'data'), listen, ...config }
    await writeFile(file, JSON.stringify(content, null, 2)) // JSON is YAML
    const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
    const [program = '', ...words] = [...within, process.execPath, main, command, '--config', file, ...more]
    const child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment },
    })
    dieWithUs(child)
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-MAX_ERROR_CHARACTERS)
    })
    const doors = await readDoors(child).catch((reason: unknown) => {
      child.kill('SIGKILL')
      throw new Error(`${reason instanceof Error ? reason.message : String(reason)}\n${errors}`)
    })
    return new Skein(child, doors, () => errors, ca)
  }

  /** What it has written to standard error. */
  get errors(): string {
    return this.#errors()
  }

  /**
   * Runs one statement by POST /query; rejects only if the connection breaks. It runs, also if it was asked before,
   * unless `fields` has `cache: true`.
   */
  async query(sql: string, { fields, signal, user }: AskOptions = {}): Promise<SkeinOutcome> {
    const queryId = randomUUID()
    const body = { statement: sql, query_id: queryId, cache: false, ...fields }
    const response = await this.request('POST', '/query', body, signal, user)
    const lines: string[] = []
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) lines.push(line)
    const failure = failureIn(lines, response.statusCode ?? 0)
    if (failure !== undefined) return failure
    if (!response.complete) throw new Error('the answer broke off')
    const columns = JSON.parse(lines[1] ?? '[]') as Answer['columns']
    const rows = lines.slice(2).map(line => parseCells(line) as readonly Cell[])
    const { stats } = await this.report(queryId)
    const reason = stats['whole_reason']
    return {
      kind: 'rows', queryId, answer: { columns, rows }, stats,
      wholeReason: typeof reason === 'string' ? reason : null,
    }
  }

  /** GET /query/{id}. */
  async report(queryId: string): Promise<Report> {
    const response = await this.request('GET', `/query/${queryId}`)
    let text = ''
    for await (const piece of response.setEncoding('utf8')) text += String(piece)
    if (response.statusCode !== 200) throw new Error(`GET /query/${queryId}: ${response.statusCode} ${text}`)
    return JSON.parse(text) as Report
  }

  request(
    method: string, path: string, body?: object, signal?: AbortSignal, user?: string,
  ): Promise<IncomingMessage> {
    const headers = { 'content-type': 'application/json', ...(user === undefined ? {} : basic(user)) }
    return new Promise((resolve, reject) => {
      const url = new URL(path, this.doors.http)
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method, ca: this.#ca, headers, ...(signal === undefined ? {} : { signal }),
      }, resolve)
      request.on('error', reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** All processes below the started one. */
  processes(): number[] {
    return descendants(this.pid)
  }

  /** SIGKILL to it and all below it, as when its host dies. */
  async kill(): Promise<void> {
    const tree = [this.pid, ...this.processes()]
    for (const pid of tree) process.kill(pid, 'SIGKILL')
    await this.ended
    // what had much memory takes its time, and holds its folder until then
    while (tree.some(isAlive)) await delay(systemClock, CHECK_EVERY_MS)
  }

  /** SIGTERM; rejects if it takes too long, fails, or leaves a process behind. */
  async stop(): Promise<void> {
    const tree = [this.pid, ...this.processes()]
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGTERM')
    const deadlineMs = systemClock.nowMs() + STOP_WITHIN_MS
    while (tree.some(isAlive) || (this.#process.exitCode === null && this.#process.signalCode === null)) {
      if (systemClock.nowMs() > deadlineMs) {
        const left = tree.filter(isAlive)
        for (const pid of left) process.kill(pid, 'SIGKILL')
        throw new Error(`processes ${left.join(', ')} were left ${STOP_WITHIN_MS} ms after SIGTERM\n${this.errors}`)
      }
      await delay(systemClock, CHECK_EVERY_MS)
    }
    if (this.#process.exitCode !== 0) {
      throw new Error(`it ended with ${this.#process.exitCode ?? this.#process.signalCode}\n${this.errors}`)
    }
  }
}

function basic(user: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:`).toString('base64')}` }
}

const children = new Set<ChildProcess>()
/** How a test that hangs is ended: by the runner, by tap's own limit, by Ctrl-C. */
const endings = ['SIGTERM', 'SIGALRM', 'SIGINT'] as const

/** A test process that is ended from outside takes its clusters with it. */
function dieWithUs(child: ChildProcess): void {
  const endAll = (): void => { for (const each of children) each.kill('SIGTERM') }
  if (children.size === 0) {
    process.once('exit', endAll)
    for (const signal of endings) process.once(signal, () => { endAll(); process.exit(1) })
  }
  children.add(child)
  child.once('exit', () => children.delete(child))
}

async function readDoors(child: ChildProcess): Promise<Doors> {
  const doors: Partial<Record<string, string>> = {}
  if (child.stdout === null) throw new Error('no standard output')
  const lines = createInterface({ input: child.stdout })
  let late = false
  const cancel = systemClock.after(READY_WITHIN_MS, () => { late = true; child.kill('SIGKILL') })
  try {
    for await (const line of lines) {
      if (line === 'ready') return doors
      const [, door, address] = /^(http|flight|postgres|admin|executor|results) (\S+)$/.exec(line) ?? []
      if (door === undefined) throw new Error(`not a door: ${line}`)
      doors[door] = address
    }
  } finally {
    cancel()
    child.stdout.resume()
  }
  throw new Error(late ? `not ready within ${READY_WITHIN_MS} ms` : 'it ended before it was ready')
}

/** An error stands in a line of its own, the last; or the status says that nothing ran. */
function failureIn(lines: readonly string[], status: number): SkeinOutcome | undefined {
  const last = lines.at(-1) ?? ''
  if (status !== 200) {
    const { error } = JSON.parse(lines.join('\n')) as { error: { code: string; message: string; position?: number } }
    return { kind: 'error', code: error.code, message: error.message, position: error.position }
  }
  if (lines.length < 2 || !last.startsWith('{')) return undefined
  const { code, error, position } = JSON.parse(last) as { code: string; error: string; position?: number }
  return { kind: 'error', code, message: error, position }
}
