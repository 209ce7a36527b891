/** The disk of one of two executors is full, by the file system's word: queries go on at the other. */

import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-disk-full-'))
const disk = join(folder, 'own', 'data', 'executor-1')
await mkdir(disk, { recursive: true })
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk]).status === 0
const SEEN_WITHIN_MS = 30_000
/** With an exchange of some 40 MB that cannot be made smaller. */
const WIDE = `SELECT count(*) AS n FROM (SELECT DISTINCT md5(word || id) || md5(id || word) FROM rows)`

if (!mounted) {
  const message = 'NO MOUNT: a small disk cannot be made here; executors with a full disk are not tested'
  process.stderr.write(`${message}\n`)
  t.pass(message)
  await rm(folder, { recursive: true })
} else {
  await writeFaultTables(folder)
  const skein = await Skein.start({
    folder: join(folder, 'own'), executors: 2, config: { ...faultConfig(folder), node: { spill: '40GB' } },
    environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
  })
  const operator = new Operator(skein.doors)
  t.teardown(async () => {
    operator.close()
    await skein.stop()
    spawnSync('umount', [disk])
    await rm(folder, { recursive: true })
  })

  t.test('a query is answered, and the executor takes no other until there is room', async t => {
    const seen = new Set<string>()
    let isOver = false
    const watching = (async () => {
      while (!isOver) {
        for (const { state, reason } of await operator.executors()) if (reason !== '') seen.add(`${state} ${reason}`)
      }
    })()
    const outcome = await skein.query(WIDE)
    t.match(outcome, { kind: 'rows', answer: { rows: [['1200000']] } })
    isOver = true
    await watching
    t.match([...seen].join(), /draining disk full: .*[Nn]o space left on device/)
    await until('it takes work again', SEEN_WITHIN_MS, async () =>
      (await operator.executors()).every(({ state, reason }) => state === 'active' && reason === ''))
    t.match(await skein.query('SELECT count(*) FROM rows'), { answer: { rows: [['1200000']] } })
  })
}
