/** The npm clients of Flight SQL, on plain Node, as a user: what each line of flight_npm.mjs says. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '../cluster/command.ts'
import { faultConfig, writeFaultTables } from '../cluster/fault-tables.ts'
import { Skein } from '../cluster/skein.ts'
import { npmClients, run } from './clients.ts'
import { scriptPath } from './python.ts'

const [user, password] = ['interop', 'correct horse battery']
const clients = await npmClients()

t.test('npm clients log in, ask, change, list and are refused', {
  skip: 'missing' in clients ? clients.missing : false,
}, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-npm-'))
  await writeFaultTables(folder)
  const config = { ...faultConfig(folder), auth: 'users' }
  const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config })
  t.teardown(async () => {
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  const added = await runCommand(['admin', '--url', skein.doors.admin ?? '', 'user', 'add', user], { input: password })
  t.equal(added.status, 0, added.stderr)
  const { hostname, port } = new URL(skein.doors.flight ?? '')
  const installed = 'path' in clients ? clients.path : ''
  const { status, output } = await run(process.execPath, [
    scriptPath('flight_npm.mjs'), installed, hostname, port, user, password,
  ])
  const passed = output.split('\n').filter(line => line.startsWith('ok @'))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.ok(passed.length >= 28, `${passed.length} behaviours`)
})
