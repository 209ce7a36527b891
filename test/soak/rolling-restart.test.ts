/** Four executors and two coordinators over an etcd of three members are restarted one after another, under load. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { rollingRuns } from '../cluster/rolling-runs.ts'
import { makeTpch } from '../cluster/tpch-runs.ts'
import { haveEtcd } from '../etcd-server.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 3)

if (haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-rolling-soak-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const data = await makeTpch(0.05, folder)

  for (let round = 0; round < ROUNDS; round++) {
    t.test(`every process is restarted, and no query is lost: round ${round + 1}`, async t => {
      const { answers, refusals, faults } = await rollingRuns({
        data, folder: join(folder, `hosts-${round}`), etcd: 3, executors: 4, restarted: 4, clients: 8,
        onRestart: line => { t.comment(line) },
      })
      t.comment(`${answers} answers, ${refusals} sent elsewhere`)
      t.strictSame(faults, [])
      t.ok(refusals > 0, 'clients were sent elsewhere')
    })
  }
}
