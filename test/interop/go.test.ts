/** Arrow's client for Go, over TLS, as a user: what each line of go/main.go says. */

import t from 'tap'
import { showBehaviours } from './arrow-client.ts'
import { goClient } from './clients.ts'

const client = await goClient()

t.test('Go logs in, asks, prepares, changes, lists and is refused', {
  skip: 'missing' in client ? client.missing : false,
}, t => showBehaviours(t, client))
