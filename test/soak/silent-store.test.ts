/**
 * A store that fails for good, again and again, on a machine that is busy besides: before queries, in the midst of
 * them, for some kinds of requests or all, in silence or by every fault there is. Each query ends in time, with the
 * oracle's rows or a typed error; what is cached answers. RUNS, SEED, and LOAD (busy processes) may be given.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { globOf, generate } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import { delay, systemClock } from '../../proto/clock.ts'
import { Skein } from '../cluster/skein.ts'
import { mulberry32 } from '../random.ts'
import type { S3Server } from '../s3-server.ts'
import type { FaultShare } from '../s3/faults.ts'
import { serveFolder } from '../s3/folder.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'

const RUNS = Number(process.env['RUNS'] ?? 12)
const SEED = Number(process.env['SEED'] ?? 1)
const LOAD = Number(process.env['LOAD'] ?? 2)
const SCALE = 0.01
/** What is promised, and how late a busy machine may be. */
const WITHIN_MS = 15_000 + 5_000
/** Of each query, that the store falls silent in its midst. */
const SPREAD_MS = 300
const CACHED = 'SELECT l_returnflag, sum(l_quantity) FROM kept.lineitem GROUP BY ALL ORDER BY ALL'

const all: FaultShare['faults'] = ['silence', 'reset', 'cut', 'short', 'error-500', 'slow-down']
const faults: readonly Omit<FaultShare, 'seed' | 'share'>[] = [
  { faults: ['silence'] }, { faults: ['silence'], kinds: ['get'] }, { faults: ['silence'], kinds: ['list'] },
  { faults: all }, { faults: all, kinds: ['get'] },
]

const root = mkdtempSync(join(tmpdir(), 'skein-silent-store-'))
const data = join(root, 'data')
await generate({ scale: SCALE, folder: data, filesPerTable: { lineitem: 6, orders: 3 } })
const tables = tableNames.map(name => ({ catalog: 'tpch', name, glob: globOf(name), reader: 'read_parquet' }))
const oracle = await Oracle.open(data, [
  ...tables, { catalog: 'kept', name: 'lineitem', glob: globOf('lineitem'), reader: 'read_parquet' },
], 'tpch')
const loads = Array.from({ length: LOAD }, () => spawn(process.execPath, ['-e', 'for (;;);']))
t.teardown(() => {
  for (const load of loads) load.kill()
  oracle.close()
  rmSync(root, { recursive: true, force: true })
})

t.test('a store that fails for good', async t => {
  for (let run = 0; run < RUNS; run++) await t.test(`run ${run}`, t => fail(t, SEED * 1000 + run))
})

async function fail(t: Test, seed: number): Promise<void> {
  const random = mulberry32(seed)
  const server = await serveFolder(t, data)
  const skein = await Skein.start({
    folder: join(root, `run-${seed}`), executors: 2, config: configOf(server),
    environment: seed % 3 === 0 ? {} : { SKEIN_WHOLE_BYTES: '0' },
  })
  t.teardown(() => skein.stop())
  const questions = tpchQueries(SCALE).map(({ sql }) => sql)
  const some = (count: number): string[] =>
    Array.from({ length: count }, () => questions[Math.floor(random() * questions.length)] ?? '')
  const ask = async (sql: string): Promise<string> => {
    const startMs = systemClock.nowMs()
    const outcome = await skein.query(sql, { signal: AbortSignal.timeout(10 * WITHIN_MS) })
    const tookMs = systemClock.nowMs() - startMs
    t.ok(tookMs < WITHIN_MS, `${tookMs} ms: ${sql}`)
    if (outcome.kind === 'error') t.equal(outcome.code, 'UNAVAILABLE', `${outcome.message}: ${sql}`)
    else t.equal(difference(await oracle.run(sql), outcome.answer, true), undefined, sql)
    return `${outcome.kind} ${(tookMs / 1000).toFixed(1)}`
  }
  for (const sql of [CACHED, ...some(3)]) await ask(sql)
  const begun = some(5).map(async sql => {
    await delay(systemClock, SPREAD_MS * random())
    return ask(sql)
  })
  await delay(systemClock, SPREAD_MS / 2)
  const fault = faults[seed % faults.length] ?? { faults: all }
  server.faults.spread({ seed, share: 1, ...fault })
  const outcomes = await Promise.all([...begun, ...some(3).map(ask)])
  for (const sql of some(3)) outcomes.push(await ask(sql))
  t.comment(`${JSON.stringify(fault)}: ${outcomes.join(', ')}`)
  const isReached = fault.kinds?.includes('get') === false // then another executor may have brought it again
  const cached = await skein.query(`${CACHED} -- again`)
  t.match(cached, { kind: 'rows', stats: { bytes_fetched: isReached ? Number : 0 } }, 'what is cached answers')
}

/** One table is listed once, the others again and again. */
function configOf({ endpoint }: S3Server): Readonly<Record<string, unknown>> {
  const remote = { type: 'bucket_tables', bucket: 'prod' }
  return {
    buckets: { prod: {
      provider: 'custom', bucket: 'lake', endpoint, access_key_id: 'test', secret_access_key: 'testsecret',
    } },
    catalogs: {
      tpch: { ...remote, listing_ttl: '1s', tables: Object.fromEntries(tableNames.map(name => [name, globOf(name)])) },
      kept: { ...remote, assume_immutable: true, tables: { lineitem: globOf('lineitem') } },
    },
    default_catalog: 'tpch',
    node: { memory: '2GB', spill: '1GB', cache: '200MB' },
  }
}
