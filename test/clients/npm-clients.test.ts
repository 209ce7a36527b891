/**
 * The npm clients of Flight SQL against one real cluster with users, on plain Node. Each runs in a process of its own:
 * two of them define the same messages globally, and disturb each other; another is native code. What each is held to
 * is in the file of its name.
 */

import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from '../interop/clients.ts'
import { startSecure } from '../interop/secure-cluster.ts'

const clients = ['gizmosql', 'firetiger', 'lancedb', 'lakehouse']
const LIMIT_MS = 120_000

const { flight, user, password, stop } = await startSecure({ tls: false })
t.teardown(stop)
for (const name of clients) {
  await t.test(name, async t => {
    const program = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env // its lines are for us to read
    const { status, output } = await run(process.execPath, [program, flight, user, password], LIMIT_MS, environment)
    const passed = [...output.matchAll(/^ *ok \d+ - (.+?) # time=/gm)]
    for (const [, behaviour = ''] of passed) t.pass(behaviour)
    t.equal(status, 0, output)
    t.ok(passed.length > 15, `${passed.length} behaviours`)
  })
}
