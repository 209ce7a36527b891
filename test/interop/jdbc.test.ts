/** Arrow's JDBC driver, over TLS, as a user: what each line of JdbcBehaviours.java says. */

import t from 'tap'
import { jdbcDriver, run } from './clients.ts'
import { scriptPath } from './python.ts'
import { startSecure } from './secure-cluster.ts'

const driver = await jdbcDriver()

t.test('JDBC connects, tells of the database, prepares and reads', {
  skip: 'missing' in driver ? driver.missing : false,
}, async t => {
  const cluster = await startSecure()
  t.teardown(() => cluster.stop())
  const { flight, ca, user, password } = cluster
  const url = `jdbc:arrow-flight-sql://${flight}/?useEncryption=true&useSystemTrustStore=false&tlsRootCerts=${ca}`
  const { status, output } = await run('java', [
    '--add-opens=java.base/java.nio=ALL-UNNAMED', '-cp', 'path' in driver ? driver.path : '',
    scriptPath('JdbcBehaviours.java'), url, user, password,
  ])
  const passed = output.split('\n').filter(line => line.startsWith('ok '))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.ok(passed.length >= 15, `${passed.length} behaviours`)
})
