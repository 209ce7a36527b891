/**
 * A client whose network goes silent without a word, as when its host loses power: the coordinator notices by its own
 * keepalive, ends the statement and frees what it held. One whose network only pauses reads on.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Skein } from '../cluster/skein.ts'
import { StalledClients } from '../cluster/stalled-clients.ts'
import { Operator, until, workFiles } from '../cluster/watch.ts'
import { delay, systemClock } from '../../proto/clock.ts'
import { TcpProxy } from '../tcp-proxy.ts'

/** Of the coordinator: it asks after a minute, and waits 20 s for an answer. */
const DROPPED_AFTER_MS = 60_000
const DROPPED_WITHIN_MS = 90_000
const PAUSE_MS = 5_000
const ROWS = 10_000_000

t.test('a connection that went silent is dropped, and nothing of its statement is left', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-half-open-'))
  const skein = await Skein.start({ folder, executors: 2, config: {} })
  const operator = new Operator(skein.doors)
  const { hostname: host, port } = new URL(skein.doors.flight ?? '')
  const silent = await TcpProxy.start(() => ({ host, port: Number(port) }))
  const pausing = await TcpProxy.start(() => ({ host, port: Number(port) }))
  const lost = new StalledClients(`127.0.0.1:${silent.port}`, 'SELECT /* lost */ i FROM range(1000000000000) t(i)')
  const other = new StalledClients(`127.0.0.1:${pausing.port}`, `SELECT /* other */ i FROM range(${ROWS}) t(i)`)
  t.teardown(async () => {
    lost.kill()
    other.kill()
    await Promise.all([silent.close(), pausing.close()])
    operator.close()
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  await Promise.all([lost.stall(1), other.stall(1)])
  const { id } = await operator.query('/* lost */') ?? { id: '' }
  silent.cut = 'both'
  pausing.cut = 'both'
  await delay(systemClock, PAUSE_MS)
  pausing.cut = 'none'
  const elapsedMs = await until('the statement is cancelled, and its files are gone', DROPPED_WITHIN_MS, async () =>
    (await operator.query('/* lost */'))?.state === 'cancelled'
    && !workFiles(join(folder, 'data')).some(path => path.includes(id)))
  t.comment(`${Math.round(elapsedMs)} ms`)
  t.ok(elapsedMs > DROPPED_AFTER_MS / 2 - PAUSE_MS, 'not because the proxy has ended it')
  t.ok((await operator.executors()).every(({ runningTasks }) => runningTasks === 0))
  const bytes = await other.readFirst()
  t.ok(bytes > ROWS * 8, `${bytes} bytes: the other one has read all of its rows`)
})
