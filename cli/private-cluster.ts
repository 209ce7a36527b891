/** A cluster that lives for one command: in a folder of its own, on free ports, gone with the command. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { privateConfig } from './settings.ts'

/** Runs `use` with the cluster, which is stopped and its folder removed whatever happens. */
export async function withPrivateCluster<T>(
  options: ClusterOptions, use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-'))
  try {
    const cluster = await Cluster.start({ ...options, config: privateConfig(options.config, folder) })
    try {
      return await use(cluster)
    } finally {
      await cluster.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
