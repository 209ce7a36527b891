/** What docs/operating.md says of a backup of etcd itself, done to a real one. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkout } from '../checkout.ts'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'

interface Status {
  readonly totalKey: number
}

if (haveEtcd(t)) {
  t.test('a snapshot of etcd has what the store has', async t => {
    const etcd = await EtcdServers.start(1)
    const folder = mkdtempSync(join(tmpdir(), 'skein-snapshot-'))
    t.teardown(async () => {
      await etcd.stop()
      rmSync(folder, { recursive: true })
    })
    const env = { ...process.env, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: etcd.hosts.join() }
    const run = (command: string): string =>
      execFileSync('sh', ['-e', '-c', command], { cwd: folder, env, encoding: 'utf8' })
    const page = readFileSync(new URL('docs/operating.md', checkout), 'utf8')
    const [command = ''] = /etcdctl snapshot save FILE/.exec(page) ?? []
    const keysAt = (file: string): number => {
      run(`${command.replace('FILE', file)} 2>&1`)
      const status = JSON.parse(run(`etcdctl snapshot status ${file} --write-out=json 2>/dev/null`)) as Status
      return status.totalKey // etcd's own are among them
    }
    run('etcdctl put /skein/a 1')
    const before = keysAt('before.snapshot')
    run('etcdctl put /skein/b 2 && etcdctl put /skein/c 3')
    t.equal(keysAt('after.snapshot') - before, 2)
  })
}
