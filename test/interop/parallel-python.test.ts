/** Large results read at the executors that made them, by Python over TLS: each line of parallel_endpoints.py. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '../cluster/command.ts'
import { faultConfig, ROWS, writeFaultTables } from '../cluster/fault-tables.ts'
import { Skein } from '../cluster/skein.ts'
import { pythonClient, run } from './clients.ts'
import { scriptPath } from './python.ts'

const EXECUTORS = 3
const [user, password] = ['interop', 'correct horse battery']
const local = '127.0.0.1:0'
const client = await pythonClient()

t.test('Python reads parts at their executors', { skip: 'missing' in client ? client.missing : false }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-parallel-'))
  const certificates = join(folder, 'certificates')
  for (const words of [['ca'], ['node', 'door']]) {
    const made = await runCommand(['cert', ...words, '--out', certificates])
    t.equal(made.status, 0, made.stderr)
  }
  await writeFaultTables(folder)
  const skein = await Skein.start({
    folder: join(folder, 'own'), executors: EXECUTORS, environment: { SKEIN_WHOLE_BYTES: '0' },
    config: {
      ...faultConfig(folder), auth: 'users', result_hold_bytes: 4 * 1024 * 1024,
      listen: { http: local, flight: local, admin: local, results: local },
      client_tls: { cert: join(certificates, 'door.pem'), key: join(certificates, 'door.key') },
    },
  })
  t.teardown(async () => {
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  const added = await runCommand(['admin', '--url', skein.doors.admin ?? '', 'user', 'add', user], { input: password })
  t.equal(added.status, 0, added.stderr)
  const { status, output } = await run('path' in client ? client.path : '', [
    scriptPath('parallel_endpoints.py'), new URL((skein.doors.flight ?? '').replace('grpc+tls', 'https')).host,
    join(certificates, 'ca.pem'), user, password, 'SELECT id, word, early FROM rows', String(ROWS),
    String(BigInt(ROWS) * BigInt(ROWS - 1) / 2n), String(EXECUTORS),
  ])
  const passed = output.split('\n').filter(line => line.startsWith('ok '))
  for (const line of passed) t.pass(line.slice(3))
  t.equal(status, 0, output)
  t.equal(passed.length, 5)
})
