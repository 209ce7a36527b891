/**
 * `skein start`: one box, up until it is told to stop. Prints a line for each door it serves, then `ready`; SIGTERM and
 * Ctrl-C end it with nothing left behind; SIGHUP has it read its configuration again.
 */

import type { Config } from '../proto/config.ts'
import { QueryError } from '../proto/errors.ts'
import { lockFolder } from '../proto/folder-lock.ts'
import { Cluster, type ClusterOptions, type CoordinatorReady } from './cluster.ts'
import { Reload, type Reloading } from './reload.ts'

export interface StartPorts {
  readonly print: (line: string) => void
  /** Resolves when the user wants the end. */
  readonly stopped: Promise<void>
  readonly processId: number
  readonly reloading: Reloading
}

export async function start(options: ClusterOptions & { readonly config: Config }, ports: StartPorts): Promise<void> {
  const unlock = lockFolder('data_dir', options.config.dataDir, ports.processId)
  try {
    const cluster = await startUnlessStopped(options, ports.stopped)
    if (cluster === undefined) return
    const reload = new Reload(options.config, ports.reloading, config => cluster.reload(config))
    cluster.serve(() => reload.run())
    for (const line of coordinatorDoors(cluster.doors, options.config)) ports.print(line)
    ports.print('ready')
    const how = await Promise.race([ports.stopped, cluster.failed])
    await cluster.stop()
    if (typeof how === 'string') throw new QueryError('UNAVAILABLE', `the coordinator ended: ${how}`)
  } finally {
    unlock()
  }
}

/** A cluster that is told to stop while it starts is stopped as soon as it is up. */
async function startUnlessStopped(options: ClusterOptions, stopped: Promise<void>): Promise<Cluster | undefined> {
  let end = false
  void stopped.then(() => { end = true })
  const cluster = await Cluster.start(options)
  if (!end) return cluster
  await cluster.stop()
  return undefined
}

export function coordinatorDoors(doors: CoordinatorReady, { tls, clientTls }: Config): string[] {
  const [client, operator] = [clientTls !== null, tls !== null]
  return [
    `http ${client ? 'https' : 'http'}://${doors.http}`, `flight ${client ? 'grpc+tls' : 'grpc'}://${doors.flight}`,
    `admin ${operator ? 'grpc+tls' : 'grpc'}://${doors.admin}`,
  ]
}
