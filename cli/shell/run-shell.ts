/** Who talks to a shell: a person at a terminal, or a pipe. */

import type { Clock } from '../../proto/clock.ts'
import { packageVersion } from '../../proto/package-version.ts'
import type { Write } from '../answer.ts'
import { withServer, type Where } from '../query.ts'
import { HistoryFile } from './history.ts'
import { runPiped } from './piped-lines.ts'
import { Shell, type ShellSettings } from './shell.ts'
import { Terminal } from './terminal.ts'

export interface ShellOptions {
  readonly where: Where
  readonly settings: ShellSettings
  readonly clock: Clock
  readonly newId: () => string
  readonly signal: AbortSignal
  readonly input: NodeJS.ReadableStream
  /** Of answers. */
  readonly write: Write
  readonly note: (text: string) => void
  /** Where lines are edited; null: the input is a pipe. */
  readonly terminal: NodeJS.WritableStream | null
  /** A file; null: nothing is remembered. */
  readonly history: string | null
}

export async function runShell(options: ShellOptions): Promise<void> {
  const { where, settings, clock, newId, signal, input, write, note, terminal } = options
  await withServer(where, signal, async client => {
    const shell = new Shell({ client, clock, newId, write, note, isWatched: terminal !== null }, settings)
    try {
      if (terminal === null) return await runPiped(shell, input, signal)
      const history = new HistoryFile(options.history, message => note(`${message}\n`))
      const greeting = `skein ${packageVersion()}; a statement ends with ;  \\? helps, \\q leaves\n`
      await new Terminal(shell, { input, output: terminal, history, signal, greeting }).run()
    } finally {
      await shell.close()
    }
  })
}
