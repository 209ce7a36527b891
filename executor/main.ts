/** The executor process: started by a parent, which tells it what to do on standard input (proto/launch.ts). */

import { randomBytes, randomUUID } from 'node:crypto'
import { systemClock } from '../proto/clock.ts'
import type { ExecutorChange, ExecutorLaunch } from '../proto/launch.ts'
import { packageVersion } from '../proto/package-version.ts'
import { runChild } from '../proto/parent.ts'
import { startExecutor } from './start.ts'

runChild<ExecutorLaunch, ExecutorChange>(systemClock, launch => startExecutor(launch, {
  clock: systemClock, randomId: randomUUID, random: Math.random, randomBytes, version: packageVersion(),
  logLevel: process.env['SKEIN_LOG_LEVEL'] ?? 'info',
  onFatal: () => process.exit(1),
}))
