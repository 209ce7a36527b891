/** Arrow's client for Rust, over TLS, as a user: what each line of rust/src/main.rs says. */

import t from 'tap'
import { showBehaviours } from './arrow-client.ts'
import { rustClient } from './clients.ts'

const client = await rustClient()

t.test('Rust logs in, asks, prepares, changes, lists and is refused', {
  skip: 'missing' in client ? client.missing : false,
}, t => showBehaviours(t, client))
