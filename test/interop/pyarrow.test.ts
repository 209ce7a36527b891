/** pyarrow.flight, over TLS, as a user: what each line of pyarrow_behaviours.py says. */

import t from 'tap'
import { login, showBehaviours } from './arrow-client.ts'
import { pythonClient } from './clients.ts'
import { scriptPath } from './python.ts'

const client = await pythonClient()

t.test('pyarrow logs in, lists, binds, changes, loads, cancels and is refused', {
  skip: 'missing' in client ? client.missing : false,
}, t => showBehaviours(t, client, cluster => [scriptPath('pyarrow_behaviours.py'), ...login(cluster)]))
