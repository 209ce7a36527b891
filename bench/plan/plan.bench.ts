/**
 * What planning takes, over the wide set of statements: each as a text that was never seen, distributed by force and
 * left to its size, and once more from the plan cache. Planned as the coordinator does it, with its catalog over real
 * files whose footers are known, and the planner in its own process; meanwhile this process' event loop is watched, as
 * it is the coordinator's that must not stand still.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LocalStore } from '../../cache/local-store.ts'
import { openCatalog, type Catalog } from '../../catalog/catalog.ts'
import { SkeletonFiles } from '../../catalog/skeleton-files.ts'
import { planQuery, type PlanPorts } from '../../coordinator/plan-query.ts'
import { planPorts } from '../../coordinator/plan-ports.ts'
import type { PlanThresholds } from '../../planner/planned-query.ts'
import { Planner } from '../../planner/planner.ts'
import { systemClock } from '../../proto/clock.ts'
import type { SessionId } from '../../proto/ids.ts'
import { FORCED, writeTables } from '../../test/planner/planning.ts'
import { wideCases } from '../../test/planner/wide-set.ts'
import { wideTables } from '../../test/sql/wide/tables.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { unseenText } from '../unseen-text.ts'

const FILES_PER_TABLE = 3
const SMOKE_STATEMENTS = 20
/** What an interval of the watching timer is by itself: more is what kept the loop. */
const WATCH_EVERY_MS = 1
const NS_PER_MS = 1_000_000

const DEFAULTS: PlanThresholds = {
  wholeBytes: 32 * 1024 * 1024, broadcastRows: 200_000, replicateRows: 10_000, sortRows: 500_000,
}

interface Way {
  readonly name: 'distributed' | 'whole' | 'plan cache'
  readonly thresholds: PlanThresholds
  /** Of the text that is asked the i-th time. */
  readonly text: (sql: string, round: number) => string
  readonly limits: { readonly p50: number, readonly p95?: number }
}

const ways: readonly Way[] = [
  {
    name: 'distributed', thresholds: FORCED, limits: { p50: 12, p95: 50 },
    text: (sql, round) => unseenText(sql, `distributed ${round}`),
  },
  {
    name: 'whole', thresholds: DEFAULTS, limits: { p50: 4 },
    text: (sql, round) => unseenText(sql, `whole ${round}`),
  },
  { name: 'plan cache', thresholds: DEFAULTS, limits: { p50: 1 }, text: sql => sql },
]
/** The longest that planning may keep the coordinator's event loop. */
const LOOP_LIMIT_MS = 20

export const family: Family = { name: 'plan', run }

async function run({ smoke, rounds, print }: FamilyOptions): Promise<FamilyResult> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-plan-'))
  const skeletonDirectory = join(folder, 'skeletons')
  const planner = new Planner({ skeletonDirectory, clock: systemClock })
  try {
    await writeTables(folder, wideTables, FILES_PER_TABLE)
    const catalog = wideCatalog(folder, planner)
    const cases = wideCases.filter(({ errors }) => errors.length === 0)
    const statements = (smoke ? cases.slice(0, SMOKE_STATEMENTS) : cases).map(({ sql }) => sql)
    const measured: Measured[] = []
    const ports = (way: Way): PlanPorts => planPorts(planner, catalog, catalog, way.thresholds)
    // tables are loaded, and the code is warm
    for (const way of ways) for (const sql of statements) await plan(way.text(sql, -1), ports(way))
    const loop = monitorEventLoopDelay({ resolution: WATCH_EVERY_MS })
    loop.enable()
    for (const way of ways) {
      const one = await measure(way, statements, smoke ? 1 : rounds, ports(way))
      print(`${way.name}: p50 ${one.p50.toFixed(2)} ms, p95 ${one.p95.toFixed(2)} ms of ${one.plans} plans`)
      measured.push(one)
    }
    loop.disable()
    return resultOf(measured, loop.max / NS_PER_MS - WATCH_EVERY_MS, statements.length)
  } finally {
    planner.close()
    await rm(folder, { recursive: true })
  }
}

function wideCatalog(folder: string, planner: Planner): Catalog {
  const tables = Object.fromEntries(Object.keys(wideTables).map(name => [name, {
    path: `${name}/*.parquet`, fileFormat: 'parquet' as const, unionByName: null, hivePartitioning: true, read: {},
  }]))
  return openCatalog({
    config: {
      buckets: { lake: { provider: 'local', path: folder } },
      catalogs: {
        lake: { type: 'bucket_tables', bucket: 'lake', assumeImmutable: true, listingTtlMs: 1000, tables },
      },
    },
    stores: new Map([['lake', new LocalStore('lake', folder)]]), footerFolder: join(folder, 'footers'),
    skeletons: new SkeletonFiles(join(folder, 'skeletons')),
    describe: files => planner.describeFiles(files), clock: systemClock,
  })
}

/** True if it came out in fragments. */
async function plan(sql: string, ports: PlanPorts): Promise<boolean> {
  const { planned } = await planQuery({
    sql, defaultCatalog: 'lake', defaultSchema: 'main', settings: { TimeZone: 'UTC' }, principal: 'bench',
    sessionId: 'bench' as SessionId, clientInterface: 'HttpQuery',
  }, ports)
  return planned.wholeReason === null
}

interface Measured {
  readonly way: Way
  readonly plans: number
  readonly p50: number
  readonly p95: number
  readonly max: number
}

/** Of a forced distribution only the statements count that are distributed; from the cache, the second time. */
async function measure(
  way: Way, statements: readonly string[], rounds: number, ports: PlanPorts,
): Promise<Measured> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (const sql of statements) {
      const text = way.text(sql, round)
      await nextTurn() // statements arrive as events: hundreds that are in the cache would be one otherwise
      if (way.name === 'plan cache') await plan(text, ports)
      const startMs = systemClock.nowMs()
      const isDistributed = await plan(text, ports)
      const tookMs = systemClock.nowMs() - startMs
      if (way.name !== 'distributed' || isDistributed) times.push(tookMs)
    }
  }
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  return { way, plans: times.length, p50: at(0.5), p95: at(0.95), max: at(1) }
}

function resultOf(measured: readonly Measured[], loopMs: number, statements: number): FamilyResult {
  return {
    method: `${statements} statements of the wide set (test/sql/wide) over ${Object.keys(wideTables).length} tables ` +
      'of three Parquet files each, whose footers are known: names, tables, pruning, serialise, cut, dry bind, wall ' +
      'time from the text to fragments and files. Distributed: by force, as a text that was never seen, of those ' +
      'that can be; whole: left to their size, never seen; plan cache: asked just before. Event loop: the longest ' +
      'time that it stood still in the process that asks, over all of them.',
    tables: [{
      title: 'Planning the wide set',
      heads: ['way', 'plans', 'p50 ms', 'p95 ms', 'max ms'],
      rows: measured.map(({ way, plans, p50, p95, max }) =>
        [way.name, String(plans), ...[p50, p95, max].map(ms => ms.toFixed(2))]),
    }],
    figures: [
      ...measured.flatMap(({ way: { name, limits }, p50, p95 }) => [
        { what: `${name}, p50`, value: p50, bound: 'at most' as const, limit: limits.p50, unit: ' ms' },
        ...limits.p95 === undefined ? []
          : [{ what: `${name}, p95`, value: p95, bound: 'at most' as const, limit: limits.p95, unit: ' ms' }],
      ]),
      { what: 'event loop kept', value: loopMs, bound: 'at most', limit: LOOP_LIMIT_MS, unit: ' ms' },
    ],
    chart: {
      title: 'Milliseconds to plan a statement of the wide set', unit: ' ms', series: ['p50', 'p95'],
      groups: measured.map(({ way, p50, p95 }) => ({ name: way.name, values: [p50, p95] })),
    },
    checks: measured.length,
    faults: measured.filter(({ plans }) => plans === 0).map(({ way }) => `${way.name}: nothing was planned so`),
  }
}
