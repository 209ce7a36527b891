/**
 * The validation suite of ADBC, by its driver for Go, over TLS, as a user, in a catalog that takes tables: each case is
 * an assertion. What cannot pass is listed with its reason, and does not pass.
 */

import t from 'tap'
import { adbcSuite, run } from './clients.ts'
import { startSecure } from './secure-cluster.ts'

/** Of docs/compatibility.md. */
const reasons: Readonly<Record<string, string>> = {
  'TestStatement/TestSqlIngestErrors': 'wants SQLSTATE 42S02, and the driver has none for any error',
}
const CASES = 26

const suite = await adbcSuite()

t.test('ADBC\'s own cases', { skip: 'missing' in suite ? suite.missing : false }, async t => {
  const cluster = await startSecure({ defaultCatalog: 'work' })
  t.teardown(() => cluster.stop())
  const { output } = await run('path' in suite ? suite.path : '', ['-test.v'], undefined, {
    ...process.env, SKEIN_FLIGHT: cluster.flight, SKEIN_CA: cluster.ca, SKEIN_USER: cluster.user,
    SKEIN_PASSWORD: cluster.password,
  })
  const lines = output.matchAll(/^ {4}--- (\w+): (\S+)/gm)
  const cases = new Map([...lines].map(([, outcome, name = '']) => [name, outcome]))
  for (const [name, outcome] of cases) {
    const reason = reasons[name]
    t.equal(outcome, reason === undefined ? 'PASS' : 'FAIL', `${name}${reason === undefined ? '' : `: ${reason}`}`)
  }
  t.equal(cases.size, CASES, output)
})
