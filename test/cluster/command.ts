/** The `skein` command as a script meets it: its words, its standard input, its two outputs and its status. */

import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../proto/clock.ts'

export interface CommandOptions {
  readonly input?: string
  readonly folder?: string
  readonly environment?: Readonly<Record<string, string>>
}

export interface CommandEnd {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly elapsedMs: number
}

export interface RunningCommand {
  readonly process: ChildProcess
  readonly ended: Promise<CommandEnd>
}

/** Kept of what it prints. */
const MAX_CHARACTERS = 256 * 1024 * 1024

export function startCommand(words: readonly string[], options: CommandOptions = {}): RunningCommand {
  const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
  const startedMs = systemClock.nowMs()
  const child = spawn(process.execPath, [main, ...words], {
    cwd: options.folder, env: { ...process.env, ...options.environment }, stdio: ['pipe', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  child.stdin.on('error', () => undefined) // a command that does not read its input may end before it came
  child.stdin.end(options.input ?? '')
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => {
      resolve({ status, signal, stdout: stdout(), stderr: stderr(), elapsedMs: systemClock.nowMs() - startedMs })
    })
  })
  return { process: child, ended }
}

export function runCommand(words: readonly string[], options?: CommandOptions): Promise<CommandEnd> {
  return startCommand(words, options).ended
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = []
  let length = 0
  stream.on('data', (piece: Buffer) => {
    length += piece.length
    if (length <= MAX_CHARACTERS) pieces.push(piece)
  })
  return () => Buffer.concat(pieces).toString()
}
