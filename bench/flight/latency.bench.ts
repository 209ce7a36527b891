/** Small queries: how long one takes over Flight SQL and over HTTP, and how many a second many clients get. */

import type { Skein } from '../../test/cluster/skein.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { ownCpuMs, treeCpuMs } from '../processes.ts'
import { plain } from '../report.ts'
import { generatedData } from '../tpch/data.ts'
import { withCluster } from '../tpch/cluster.ts'
import { addressOf, processOf } from './server-processes.ts'
import { runLoad, type Load, type LoadOptions } from './load.ts'

const SCALE = 0.01
const EXECUTORS = 1
const CLIENTS = [1, 8, 64]
const roles = ['coordinator', 'planner', 'executor'] as const
const doors = ['flight', 'http'] as const

/** What small queries are: a constant, the same with a text of its own each time, one row of a table by its key. */
const texts = {
  'select 1': ['SELECT 1'],
  'select 1, text never seen': ['SELECT /* {n} */ 1'],
  'one row by key': Array.from({ length: 25 }, (_, key) =>
    `SELECT n_name, n_comment FROM nation WHERE n_nationkey = ${key}`),
} as const

type Text = keyof typeof texts

interface Run {
  readonly text: Text
  readonly door: LoadOptions['door']
  readonly clients: number
  readonly load: Load
  /** CPU ms for one query: of all of the cluster's processes, and of one of each role. */
  readonly cpuMs: number
  readonly roleCpuMs: readonly number[]
}

export const family: Family = { name: 'latency', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const data = await generatedData(SCALE, options.folder)
  return withCluster({ data, executors: EXECUTORS }, async skein => {
    const runs: Run[] = []
    for (const clients of CLIENTS) {
      for (const text of Object.keys(texts) as Text[]) {
        for (const door of doors) runs.push(await measure(skein, { text, door, clients }, options))
      }
    }
    return resultOf(runs)
  })
}

/** Enough for a 99th percentile, few enough for a full run under a minute or two. */
const REQUESTS: Readonly<Record<number, number>> = { 1: 500, 8: 1000, 64: 2000 }
const WARM_UP = 200
const SMOKE_REQUESTS = 16

async function measure(
  skein: Skein, { text, door, clients }: Pick<Run, 'text' | 'door' | 'clients'>, { smoke, print }: FamilyOptions,
): Promise<Run> {
  const address = addressOf(skein, door)
  const [requests, warmUp] = smoke ? [Math.max(SMOKE_REQUESTS, clients), SMOKE_REQUESTS]
    : [REQUESTS[clients] ?? NaN, WARM_UP]
  const cpuOfEach = (): number[] => [treeCpuMs(skein.pid), ...roles.map(role => ownCpuMs(processOf(skein, role)))]
  const before = cpuOfEach()
  const load = await runLoad({ door, address, clients, statements: texts[text], requests, warmUp })
  const after = cpuOfEach()
  const [cpuMs = NaN, ...roleCpuMs] = after.map((ms, i) => (ms - (before[i] ?? NaN)) / (requests + warmUp))
  print(`${text}, ${door}, ${clients} clients: ${plain(load.perSecond)} a second, p50 ${plain(load.p50)} ms`)
  return { text, door, clients, load, cpuMs, roleCpuMs }
}

function resultOf(runs: readonly Run[]): FamilyResult {
  const find = (text: Text, door: Run['door'], clients: number): Load | undefined =>
    runs.find(run => run.text === text && run.door === door && run.clients === clients)?.load
  return {
    method: [
      `${EXECUTORS} executor with all threads, tables of TPC-H at scale ${SCALE}. Clients in a process of their`,
      'own ask, wait and ask again, a connection each; the server has what the clients leave of the cores.',
      `\`select 1\` is one text again and again; \`text never seen\` carries a comment that differs each time,`,
      `so no plan is used again; \`one row by key\` is 25 texts in turn. CPU is that of all of the cluster's`,
      'processes for one query, and beside it that of one process of each role.',
    ].join(' '),
    tables: [{
      title: '', heads: [
        'query', 'door', 'clients', 'queries/s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms', ...roles,
      ],
      rows: runs.map(({ text, door, clients, load, cpuMs, roleCpuMs }) => [
        text, door, String(clients), ...[load.perSecond, load.p50, load.p95, load.p99, cpuMs, ...roleCpuMs].map(plain),
      ]),
    }],
    figures: [
      {
        what: '`select 1` over Flight SQL, p50', value: find('select 1', 'flight', 1)?.p50,
        bound: 'at most', limit: 6, unit: ' ms',
      },
      {
        what: '`select 1` over HTTP, p50', value: find('select 1', 'http', 1)?.p50,
        bound: 'at most', limit: 4, unit: ' ms',
      },
      ...doors.flatMap(door => [
        {
          what: `64 clients, one row by key, ${door}`, value: find('one row by key', door, 64)?.perSecond,
          bound: 'at least', limit: 300, unit: ' queries/s',
        } as const,
        {
          what: `64 clients, one row by key, ${door}, p99`, value: find('one row by key', door, 64)?.p99,
          bound: 'at most', limit: 500, unit: ' ms',
        } as const,
      ]),
    ].map(figure => ({ ...figure, bound: figure.bound as 'at most' | 'at least', value: figure.value ?? NaN })),
    chart: {
      title: 'Queries a second', unit: '/s', series: CLIENTS.map(clients => `${clients} clients`),
      groups: (Object.keys(texts) as Text[]).flatMap(text => doors.map(door => ({
        name: `${text}, ${door}`, values: CLIENTS.map(clients => find(text, door, clients)?.perSecond ?? NaN),
      }))),
      mark: { value: 300, name: 'wanted of 64 clients' },
    },
    checks: runs.length,
    faults: runs.filter(({ load }) => load.failures > 0).map(({ text, door, clients, load }) =>
      `${text}, ${door}, ${clients} clients: ${load.failures} failed, the first: ${load.firstFailure}`),
  }
}
