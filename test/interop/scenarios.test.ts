/**
 * Arrow's integration scenarios of Flight and Flight SQL, by the client of its implementation in Go: each is an
 * assertion. What cannot pass is listed with its reason, and does not pass.
 */

import t from 'tap'
import { run, scenarioClient } from './clients.ts'
import { serveScenario } from './scenario-server.ts'

const scenarios = [
  'auth:basic_proto', 'middleware', 'ordered', 'expiration_time:do_get', 'expiration_time:list_actions',
  'expiration_time:cancel_flight_info', 'expiration_time:renew_flight_endpoint', 'session_options', 'poll_flight_info',
  'location:reuse_connection', 'app_metadata_flight_info_endpoint', 'flight_sql', 'flight_sql:extension',
  'flight_sql:ingestion',
]
/** Of docs/compatibility.md. */
const reasons: Readonly<Record<string, string>> = {
  'flight_sql:extension': 'needs Substrait and savepoints, which Skein says that it has not',
}

const client = await scenarioClient()

for (const scenario of scenarios) {
  t.test(scenario, { skip: 'missing' in client ? client.missing : false }, async t => {
    const words = ['-host', '127.0.0.1', '-port', String(await serveScenario(t, scenario)), '-scenario', scenario]
    const { status, output } = await run('path' in client ? client.path : '', words)
    const reason = reasons[scenario]
    if (reason === undefined) t.equal(status, 0, output)
    else t.not(status, 0, reason)
  })
}
