/** The ADBC driver of Flight SQL through Python, over TLS, as a user: what each line of adbc_behaviours.py says. */

import t from 'tap'
import { pythonClient, run } from './clients.ts'
import { scriptPath } from './python.ts'
import { startSecure } from './secure-cluster.ts'

const client = await pythonClient()

t.test('ADBC connects, lists, prepares, binds, follows and is refused', {
  skip: 'missing' in client ? client.missing : false,
}, async t => {
  const cluster = await startSecure()
  t.teardown(() => cluster.stop())
  const { flight, ca, user, password } = cluster
  const python = 'path' in client ? client.path : ''
  const { status, output } = await run(python, [scriptPath('adbc_behaviours.py'), flight, ca, user, password])
  const passed = output.split('\n').filter(line => line.startsWith('ok '))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.ok(passed.length >= 15, `${passed.length} behaviours`)
})
