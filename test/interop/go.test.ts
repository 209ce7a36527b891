/** Arrow's client for Go, over TLS, as a user: what each line of go/main.go says. */

import t from 'tap'
import { goClient, run } from './clients.ts'
import { startSecure } from './secure-cluster.ts'

const client = await goClient()

t.test('Go logs in, asks, prepares, changes, lists and is refused', {
  skip: 'missing' in client ? client.missing : false,
}, async t => {
  const cluster = await startSecure()
  t.teardown(() => cluster.stop())
  const { flight, ca, user, password } = cluster
  const { status, output } = await run('path' in client ? client.path : '', [flight, ca, user, password])
  const passed = output.split('\n').filter(line => line.startsWith('ok '))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.ok(passed.length >= 15, `${passed.length} behaviours`)
})
