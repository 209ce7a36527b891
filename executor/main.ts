/** The executor process: started by a parent, which tells it what to do on standard input (proto/launch.ts). */

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { systemClock } from '../proto/clock.ts'
import type { ExecutorLaunch } from '../proto/launch.ts'
import { runChild } from '../proto/parent.ts'
import { startExecutor } from './start.ts'

runChild<ExecutorLaunch>(launch => startExecutor(launch, {
  clock: systemClock, randomId: randomUUID, version: packageVersion(), logLevel: process.env['SKEIN_LOG_LEVEL'] ?? 'info',
}))

/** package.json lies above the sources, and two levels above the compiled ones. */
function packageVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as { version: string }
      return version
    } catch {
      continue
    }
  }
  return 'unknown'
}
