/** Two coordinators are restarted, one after the other, under clients that lose nothing. The soak restarts all. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { haveEtcd } from '../etcd-server.ts'
import { rollingRuns } from './rolling-runs.ts'
import { makeTpch } from './tpch-runs.ts'

if (haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-rolling-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))

  t.test('no query is lost', async t => {
    const data = await makeTpch(0.01, folder)
    const { answers, refusals, faults } = await rollingRuns({
      data, folder: join(folder, 'hosts'), etcd: 1, executors: 1, restarted: 0, clients: 3,
      onRestart: line => { t.comment(line) },
    })
    t.comment(`${answers} answers, ${refusals} sent elsewhere`)
    t.strictSame(faults, [])
    t.ok(refusals > 0, 'clients were sent elsewhere')
  })
}
