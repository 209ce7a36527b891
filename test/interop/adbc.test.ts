/** The ADBC driver of Flight SQL through Python, over TLS, as a user: what each line of adbc_behaviours.py says. */

import t from 'tap'
import { login, showBehaviours } from './arrow-client.ts'
import { pythonClient } from './clients.ts'
import { scriptPath } from './python.ts'

const client = await pythonClient()

t.test('ADBC connects, lists, prepares, binds, follows and is refused', {
  skip: 'missing' in client ? client.missing : false,
}, t => showBehaviours(t, client, cluster => [scriptPath('adbc_behaviours.py'), ...login(cluster)]))
