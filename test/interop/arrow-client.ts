/** One of Arrow's own clients, compiled, against a cluster with TLS and a user: each line `ok …` is a behaviour. */

import type { Test } from 'tap'
import { run, type Client } from './clients.ts'
import { startSecure } from './secure-cluster.ts'

const LEAST = 15

export async function showBehaviours(t: Test, client: Client): Promise<void> {
  const cluster = await startSecure()
  t.teardown(() => cluster.stop())
  const { flight, ca, user, password } = cluster
  const { status, output } = await run('path' in client ? client.path : '', [flight, ca, user, password])
  const passed = output.split('\n').filter(line => line.startsWith('ok '))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.ok(passed.length >= LEAST, `${passed.length} behaviours`)
}
