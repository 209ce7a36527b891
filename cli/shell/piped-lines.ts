/** A shell that reads a pipe or a file: no prompt, and the first failure is its end. */

import { createInterface } from 'node:readline'
import { QueryError } from '../../proto/errors.ts'
import type { Shell } from './shell.ts'
import { StatementBuffer, type ShellEntry } from './statement-buffer.ts'

/** Rejects with what the first statement that fails has failed with. */
export async function runPiped(shell: Shell, input: NodeJS.ReadableStream, signal: AbortSignal): Promise<void> {
  const stop = (): void => { shell.cancel() }
  signal.addEventListener('abort', stop)
  const run = (entry: ShellEntry): Promise<boolean> => {
    if (signal.aborted) throw new QueryError('CANCELLED', 'the shell was stopped')
    return shell.run(entry)
  }
  const buffer = new StatementBuffer()
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity, signal })) {
      for (const entry of buffer.add(line)) if (!await run(entry)) return
    }
    const rest = buffer.rest()
    if (rest !== undefined) await run(rest)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
