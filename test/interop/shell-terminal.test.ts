/** The shell at a real terminal, which Python opens: what each line of shell_terminal.py says. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { faultConfig, writeFaultTables } from '../cluster/fault-tables.ts'
import { Skein } from '../cluster/skein.ts'
import { python, runPython, scriptPath } from './python.ts'

const probe = await runPython(['-c', 'import pty, termios'])

t.test('a person at a terminal writes, cancels, completes and looks back', {
  skip: probe.status === 0 ? false : `${python} has no pty: ${probe.output}`,
}, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-terminal-'))
  await writeFaultTables(folder)
  const skein = await Skein.start({ folder: join(folder, 'own'), executors: 1, config: faultConfig(folder) })
  t.teardown(async () => {
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
  const { status, output } = await runPython([
    scriptPath('shell_terminal.py'), process.execPath, main, skein.doors.http ?? '', join(folder, 'history'),
  ])
  const passed = output.split('\n').filter(line => line.startsWith('ok '))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.equal(passed.length, 10)
})
