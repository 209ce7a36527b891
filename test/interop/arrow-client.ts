/** A foreign client, as a program, against a cluster with TLS and a user: each line `ok …` is a behaviour. */

import type { Test } from 'tap'
import { run, type Client } from './clients.ts'
import { startSecure, type SecureCluster } from './secure-cluster.ts'

const LEAST = 15

/** Where the cluster is, and as whom one logs in: words of every program. */
export const login = ({ flight, ca, user, password }: SecureCluster): readonly string[] => [flight, ca, user, password]

export async function showBehaviours(
  t: Test, client: Client, words: (cluster: SecureCluster) => readonly string[] = login,
): Promise<void> {
  const cluster = await startSecure()
  t.teardown(() => cluster.stop())
  const { status, output } = await run('path' in client ? client.path : '', words(cluster))
  const passed = output.split('\n').filter(line => line.startsWith('ok '))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.ok(passed.length >= LEAST, `${passed.length} behaviours`)
}
