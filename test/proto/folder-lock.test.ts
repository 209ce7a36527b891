/** One process a folder, and none that has ended. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { lockFolder } from '../../proto/folder-lock.ts'
import { until } from '../cluster/watch.ts'

t.test('a folder is its living holder\'s; one that was killed holds no more, though nobody has looked', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-lock-'))
  // a shell whose child ends, and that becomes a program which waits for no child
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(async () => {
    parent.kill()
    await rm(folder, { recursive: true })
  })
  const [told] = await once(parent.stdout, 'data') as [Buffer]
  const child = Number(told.toString())
  const unlock = lockFolder('the folder', folder, child)
  const taken = { code: 'INVALID_CONFIG', message: /in use by process/ }
  t.throws(() => lockFolder('the folder', folder, process.pid), taken)
  process.kill(child, 'SIGKILL')
  await until('the system has ended it', 5_000, () => hasEnded(child))
  lockFolder('the folder', folder, process.pid)()
  unlock()
  await writeFile(join(folder, 'skein.pid'), String(2 ** 22))
  lockFolder('the folder', folder, process.pid)()
})

/** It may still be listed, as long as nobody has looked. */
function hasEnded(processId: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${processId}/stat`, 'latin1'))
  } catch {
    return true
  }
}
