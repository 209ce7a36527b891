/** Arrow's JDBC driver, over TLS, as a user: what each line of JdbcBehaviours.java says. */

import t from 'tap'
import { showBehaviours } from './arrow-client.ts'
import { jdbcDriver } from './clients.ts'
import { scriptPath } from './python.ts'

const driver = await jdbcDriver()

t.test('JDBC connects, tells of the database, prepares and reads', {
  skip: 'missing' in driver ? driver.missing : false,
}, t => showBehaviours(t, { path: 'java' }, ({ flight, ca, user, password }) => [
  '--add-opens=java.base/java.nio=ALL-UNNAMED', '-cp', 'path' in driver ? driver.path : '',
  scriptPath('JdbcBehaviours.java'),
  `jdbc:arrow-flight-sql://${flight}/?useEncryption=true&useSystemTrustStore=false&tlsRootCerts=${ca}`, user, password,
]))
