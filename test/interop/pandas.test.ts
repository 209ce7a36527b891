/** pandas through the ADBC driver, over TLS, as a user: what each line of pandas_behaviours.py says. */

import t from 'tap'
import { login, showBehaviours } from './arrow-client.ts'
import { pythonClient } from './clients.ts'
import { scriptPath } from './python.ts'

const client = await pythonClient()

t.test('pandas reads and writes', {
  skip: 'missing' in client ? client.missing : false,
}, t => showBehaviours(t, client, cluster => [scriptPath('pandas_behaviours.py'), ...login(cluster)]))
