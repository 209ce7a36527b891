/** Entry of the coordinator's process. */

import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { destination, pino } from 'pino'
import { systemClock } from '../proto/clock.ts'
import type { CoordinatorChange, CoordinatorLaunch } from '../proto/launch.ts'
import { runChild } from '../proto/parent.ts'
import { startCoordinator } from './coordinator.ts'

runChild<CoordinatorLaunch, CoordinatorChange>(systemClock, async (launch, parent) => {
  mkdirSync(launch.dataDir, { recursive: true, mode: 0o700 })
  const dest = join(launch.dataDir, 'coordinator.log')
  const log = pino({ base: { role: 'coordinator' } }, destination({ dest, sync: true }))
  const coordinator = await startCoordinator({
    launch, clock: systemClock, log, processId: process.pid, duckdbVersion: installedDuckdb(),
    use: () => {
      const { user, system } = process.cpuUsage()
      return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 }
    },
    newId: randomUUID, random: Math.random, randomBytes, reload: parent.reload,
    onFatal: cause => {
      log.fatal({ err: cause }, 'nothing can be scheduled any more')
      process.exit(1)
    },
  })
  log.info(coordinator.ready, 'ready')
  return coordinator
})

/** `v1.5.6` of package version `1.5.6-r.1`; the library itself is the planner's and the executors'. */
function installedDuckdb(): string {
  const { version } = createRequire(import.meta.url)('@duckdb/node-api/package.json') as { version: string }
  return `v${version.split('-')[0]}`
}
