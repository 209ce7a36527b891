/** Clients that ask and do not read: what they hold of a cluster, and whether others notice them. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { addressOf, processOf } from '../../bench/flight/server-processes.ts'
import { FlightClient } from '../../bench/flight/flight-client.ts'
import { residentBytes } from '../../bench/processes.ts'
import { Skein } from './skein.ts'
import { StalledClients } from './stalled-clients.ts'
import { idle, Operator, until, workFiles } from './watch.ts'

const MIB = 1024 * 1024
const ROWS = 1_000_000
/** 48 MB: more than is held back, so rows go out. */
const STALLED = `SELECT /* stalled */ range AS a, -range AS b, range * 2 AS c, range + 7 AS d, range - 1 AS e,
  range // 3 AS f FROM range(${ROWS})`
const RESULT_BYTES = ROWS * 6 * 8
/** Grow the coordinator's heap and code; what as many more add is theirs. */
const FIRST = 4
const MORE = 6
/** Its pool of messages and its garbage grow in one round or another, what clients hold in each. */
const ROUNDS = 3
const ALL = FIRST + ROUNDS * MORE
const HELD_BYTES = 4 * MIB
const WITHIN_MS = 30_000

const folder = await mkdtemp(join(tmpdir(), 'skein-stalled-'))
const skein = await Skein.start({
  // one slot, and less memory than the results of all
  folder, executors: 1, config: { node: { threads: 1, memory: '512MB' } },
})
const operator = new Operator(skein.doors)
const clients = new StalledClients(addressOf(skein, 'flight'), STALLED)
t.teardown(async () => {
  clients.kill()
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

/** Every query of theirs is made to its last row, and the executor has nothing to do. */
async function madeAll(count: number): Promise<void> {
  await until(`${count} results are made`, WITHIN_MS, async () => {
    const ids = (await operator.queries()).filter(({ sql }) => sql.includes('/* stalled */')).map(({ id }) => id)
    const tasks = (await Promise.all(ids.map(id => operator.tasks(id)))).flat()
    return tasks.filter(({ state, rows }) => state === 'succeeded' && rows === BigInt(ROWS)).length === count
  })
  await until('all is still', WITHIN_MS, () => idle([skein.pid]))
}

t.test('they hold no slot, no running query of DuckDB, and little of the coordinator', async t => {
  await clients.stall(FIRST)
  await madeAll(FIRST)
  const coordinator = processOf(skein, 'coordinator')
  const eachBytes: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    const before = residentBytes(coordinator)
    await clients.stall(MORE)
    await madeAll(FIRST + round * MORE)
    eachBytes.push((residentBytes(coordinator) - before) / MORE)
  }
  t.comment(`${eachBytes.map(bytes => (bytes / MIB).toFixed(2)).join(', ')} MiB each`)
  t.ok(Math.min(...eachBytes) < HELD_BYTES, `${eachBytes.join(', ')} bytes`)
  t.match(await operator.executors(), [{ slots: 1, runningTasks: 0 }])
})

t.test('another client reads all of its result beside them', async t => {
  const reader = await FlightClient.connect(addressOf(skein, 'flight'))
  t.teardown(() => reader.close())
  await reader.logIn()
  const byteCount = await reader.query(STALLED.replace('stalled', 'read'))
  t.ok(byteCount > RESULT_BYTES, `${byteCount} bytes`)
  t.match(await skein.query('SELECT count(*) AS n FROM range(100000)'), { answer: { rows: [['100000']] } })
})

t.test('one that reads on at last gets all of its rows', async t => {
  const byteCount = await clients.readFirst()
  t.ok(byteCount > RESULT_BYTES, `${byteCount} bytes`)
})

t.test('when they are gone nothing of them is left', async t => {
  clients.kill()
  await until('their queries are cancelled', WITHIN_MS, async () =>
    (await operator.queries()).filter(({ state }) => state === 'cancelled').length === ALL - 1)
  const gone = (await operator.queries()).filter(({ state }) => state === 'cancelled')
  await until('their files are gone', WITHIN_MS, () =>
    !workFiles(join(folder, 'data')).some(path => gone.some(({ id }) => path.includes(id))))
  t.pass()
})
