/**
 * What a table of very many files costs before anything runs: pruning and planning of a point query, a day, a filter
 * that leaves everything, and a whole scan; and the placing of what is left. Footers are known, as after the first
 * query.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Table } from '../../catalog/table.ts'
import { planQuery, type PlannedWork, type PlanPorts } from '../../coordinator/plan-query.ts'
import { pruneTable } from '../../coordinator/prune-filter.ts'
import { stageTasks } from '../../coordinator/stage-plans.ts'
import { Planner } from '../../planner/planner.ts'
import { systemClock } from '../../proto/clock.ts'
import type { ExecutorId, SessionId } from '../../proto/ids.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { FILES_PER_DAY, manyFiles, ROWS_PER_FILE } from './many-files.ts'

const FILES = 100_000
const SMOKE_FILES = 2_000
const EXECUTORS = 8
const SLOTS = 4
/** What the project wants of planning such a table. */
const PLAN_LIMIT_MS = 150
/** Besides `rounds`: planning takes some milliseconds. */
const RUNS_A_ROUND = 5

interface Question {
  readonly name: string
  readonly sql: string
  /** Files that may be left, of so many. */
  readonly files: (all: number) => number
}

const questions: readonly Question[] = [
  {
    name: 'point, by number', files: () => 1,
    sql: `SELECT * FROM events WHERE id = ${1234 * ROWS_PER_FILE + 17}`,
  },
  { name: 'point, by text', files: () => 1, sql: `SELECT * FROM events WHERE device = 'device 000777 k'` },
  { name: 'a day, by path', files: () => FILES_PER_DAY, sql: 'SELECT count(*), sum(value) FROM events WHERE day = 3' },
  {
    name: 'three points', files: () => 3,
    sql: `SELECT kind FROM events WHERE id IN (5, ${500 * ROWS_PER_FILE}, ${1500 * ROWS_PER_FILE + 1})`,
  },
  { name: 'a filter that leaves all', files: all => all, sql: 'SELECT sum(value) FROM events WHERE kind = 7' },
  { name: 'no filter', files: all => all, sql: 'SELECT kind, sum(value) FROM events GROUP BY kind' },
]

export const family: Family = { name: 'prune', run }

async function run({ smoke, rounds, print }: FamilyOptions): Promise<FamilyResult> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-prune-'))
  const planner = new Planner({ skeletonDirectory: folder, clock: systemClock, planCache: null })
  try {
    const table = await manyFiles(folder, smoke ? SMOKE_FILES : FILES)
    const faults: string[] = []
    const measured: Measured[] = []
    for (const question of questions) {
      const one = await measure(question, portsOf(planner, table), rounds * RUNS_A_ROUND)
      const { planMs, placeMs, files } = one
      print(`${question.name}: plan ${planMs.toFixed(1)} ms, place ${placeMs.toFixed(1)} ms, ${files} files`)
      const expected = question.files(table.files.length)
      if (one.files !== expected) faults.push(`${question.name}: ${one.files} files left, not ${expected}`)
      measured.push(one)
    }
    return resultOf(measured, table, faults)
  } finally {
    planner.close()
    await rm(folder, { recursive: true })
  }
}

function portsOf(planner: Planner, table: Table): PlanPorts {
  return {
    planner, prune: pruneTable, catalog: { resolve: () => Promise.resolve([table]), invalidate: () => undefined },
    thresholds: { wholeBytes: 32 * 1024 * 1024, broadcastRows: 200_000, replicateRows: 10_000, sortRows: 500_000 },
  }
}

interface Measured {
  readonly name: string
  readonly files: number
  readonly planMs: number
  readonly pruneMs: number
  readonly placeMs: number
  /** Of planning, in this process: the planner's own is not in it. */
  readonly cpuMs: number
}

async function measure({ name, sql }: Question, ports: PlanPorts, runs: number): Promise<Measured> {
  const rooms = Array.from({ length: EXECUTORS }, (_, i) => ({ id: `executor ${i}` as ExecutorId, slots: SLOTS }))
  const times: Omit<Measured, 'name' | 'files'>[] = []
  let files = 0
  let pruneMs = 0
  const timed: PlanPorts = {
    ...ports,
    prune: (...given) => {
      const startMs = systemClock.nowMs()
      const left = ports.prune(...given)
      pruneMs += systemClock.nowMs() - startMs
      return left
    },
  }
  for (let i = 0; i <= runs; i++) {
    const startMs = systemClock.nowMs()
    const before = process.cpuUsage()
    pruneMs = 0
    const work = await planQuery(requestOf(sql), timed)
    const plannedMs = systemClock.nowMs()
    const { user, system } = process.cpuUsage(before)
    place(work, rooms)
    const placeMs = systemClock.nowMs() - plannedMs
    // the first one warms up
    if (i > 0) times.push({ planMs: plannedMs - startMs, pruneMs, placeMs, cpuMs: (user + system) / 1000 })
    files = [...work.files.values()].reduce((sum, left) => sum + left.length, 0)
  }
  const median = (of: (time: (typeof times)[number]) => number): number =>
    times.map(of).sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
  return {
    name, files, planMs: median(time => time.planMs), pruneMs: median(time => time.pruneMs),
    placeMs: median(time => time.placeMs), cpuMs: median(time => time.cpuMs),
  }
}

function place(work: PlannedWork, rooms: Parameters<typeof stageTasks>[2]): void {
  for (const fragment of work.planned.fragments) stageTasks(fragment, work, rooms, EXECUTORS * SLOTS)
}

function requestOf(sql: string) {
  return {
    sql, defaultCatalog: 'lake', defaultSchema: 'main', settings: { TimeZone: 'UTC' }, principal: 'bench',
    sessionId: 'bench' as SessionId, clientInterface: 'HttpQuery' as const,
  }
}

function resultOf(measured: readonly Measured[], table: Table, faults: readonly string[]): FamilyResult {
  const count = table.files.length.toLocaleString('en-US')
  return {
    method: `A table of ${count} files with ${(table.index?.groupCount ?? 0).toLocaleString('en-US')} row groups of ` +
      `${table.columns.length} columns, whose footers are simulated and known. Plan: from the text to fragments and ` +
      'files, without the plan cache, the planner in its own process. Of that, prune: the coordinator looks at all ' +
      'row groups; CPU: of the coordinator. Place, besides: splits to the tasks of ' +
      `${EXECUTORS} executors of ${SLOTS} slots. Medians of wall time, but CPU.`,
    tables: [{
      title: `Planning over ${count} files`,
      heads: ['query', 'files left', 'plan ms', 'of that prune ms', 'CPU ms', 'place ms'],
      rows: measured.map(({ name, files, planMs, pruneMs, cpuMs, placeMs }) =>
        [name, files.toLocaleString('en-US'), ...[planMs, pruneMs, cpuMs, placeMs].map(ms => ms.toFixed(1))]),
    }],
    figures: measured.map(({ name, planMs }) =>
      ({ what: `plan: ${name}`, value: planMs, bound: 'at most', limit: PLAN_LIMIT_MS, unit: ' ms' })),
    chart: {
      title: `Milliseconds to plan over ${count} files`, unit: ' ms', series: ['plan', 'of that prune'],
      groups: measured.map(({ name, planMs, pruneMs }) => ({ name, values: [planMs, pruneMs] })),
      mark: { value: PLAN_LIMIT_MS, name: 'wanted' },
    },
    checks: measured.length, faults,
  }
}
