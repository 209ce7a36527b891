/**
 * All of lineitem by pyarrow through coordinator and executor: what the servers spend, against the encoder alone over
 * the same files, and how much memory the coordinator takes meanwhile.
 */

import { BodyPool } from '../../executor/body-pool.ts'
import { DuckInstance, type DuckConnection } from '../../executor/instances.ts'
import type { ResultColumn } from '../../proto/arrow-schema.ts'
import { systemClock } from '../../proto/clock.ts'
import { quoteText } from '../../proto/sql-text.ts'
import type { Skein } from '../../test/cluster/skein.ts'
import { join } from 'node:path'
import { discard, encode } from '../encode/encoder-side.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { compare, measuredOf, median, type Measured } from '../harness.ts'
import { ownCpuMs, residentBytes, treeCpuMs } from '../processes.ts'
import { plain, ratio, whole } from '../report.ts'
import { generatedData, type TpchData } from '../tpch/data.ts'
import { withCluster } from '../tpch/cluster.ts'
import { PyarrowClient, requirePyarrow, type Fetched } from './pyarrow-client.ts'
import { addressOf, peakDuring, processOf } from './server-processes.ts'

const ENCODER = 'encoder alone'
const DISCARD = 'stream, discard'
const SERVERS = 'servers'
const SQL = 'SELECT * FROM lineitem'
const MIB = 1024 * 1024

interface Parts {
  readonly coordinatorMs: number
  readonly executorMs: number
}

interface Outcome {
  readonly sides: readonly Measured[]
  readonly parts: readonly Parts[]
  readonly grownBytes: number
  readonly fetched: Fetched
  readonly faults: readonly string[]
}

export const family: Family = { name: 'fetch', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const version = await requirePyarrow()
  const data = await generatedData(options.smoke ? 0.01 : 1, options.folder)
  const outcome = await withCluster({ data, executors: 1 }, async skein => {
    const instance = await DuckInstance.open({})
    const connection = await instance.connect()
    const client = new PyarrowClient(addressOf(skein, 'flight'))
    try {
      return await measure(data, skein, client, connection, options.rounds)
    } finally {
      client.stop()
      connection.close()
      instance.close()
    }
  })
  return resultOf(outcome, version)
}

async function measure(
  { folder, globs }: TpchData, skein: Skein, client: PyarrowClient, connection: DuckConnection, rounds: number,
): Promise<Outcome> {
  await connection.run("SET streaming_buffer_size = '4MB'")
  await connection.run(`CREATE VIEW lineitem AS FROM read_parquet(${quoteText(join(folder, globs.lineitem))})`)
  const columns = await columnsOf(connection)
  const [expected] = await connection.texts('SELECT count(*), sum(l_orderkey)::VARCHAR FROM lineitem', [0, 1])
  const [coordinator, executor] = [processOf(skein, 'coordinator'), processOf(skein, 'executor')]
  await client.fetch('SELECT 1 AS one')
  const startBytes = residentBytes(coordinator)
  const pool = new BodyPool()
  const parts: Parts[] = []
  let [peak, fetched] = [startBytes, await client.fetch(`${SQL} LIMIT 0`)]
  const fetchAll = async (): Promise<void> => {
    const [coordinatorMs, executorMs] = [ownCpuMs(coordinator), ownCpuMs(executor)]
    peak = Math.max(peak, await peakDuring(coordinator, async () => { fetched = await client.fetch(SQL) }))
    parts.push({ coordinatorMs: ownCpuMs(coordinator) - coordinatorMs, executorMs: ownCpuMs(executor) - executorMs })
  }
  const ownCpu = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  const sides = await compare([
    { name: ENCODER, run: async () => { await encode(connection, SQL, columns, pool) }, cpuMs: ownCpu },
    { name: DISCARD, run: async () => { await discard(connection, SQL) }, cpuMs: ownCpu },
    { name: SERVERS, run: fetchAll, cpuMs: () => treeCpuMs(skein.pid) },
  ], { rounds, maxRuns: 1 }, systemClock)
  const faults = String(fetched.rows) === expected?.[0] && fetched.check === expected[1] ? []
    : [`pyarrow read ${fetched.rows} rows with keys of ${fetched.check} instead of ${expected?.join(' rows with ')}`]
  return { sides, parts, grownBytes: peak - startBytes, fetched, faults }
}

async function columnsOf(connection: DuckConnection): Promise<ResultColumn[]> {
  const rows = await connection.texts('SELECT column_name, column_type FROM (DESCRIBE lineitem)', [0, 1])
  return rows.map(([name, type]) => ({ name: name ?? '', type: type ?? '' }))
}

function resultOf({ sides, parts, grownBytes, fetched, faults }: Outcome, version: string): FamilyResult {
  const [encoder, servers] = [measuredOf(sides, ENCODER), measuredOf(sides, SERVERS)]
  const scan = measuredOf(sides, DISCARD)
  const [coordinatorMs, executorMs] = [
    median(parts.map(part => part.coordinatorMs)), median(parts.map(part => part.executorMs)),
  ]
  const gigabytes = fetched.bytes / 1e9
  const rows: [string, number][] = [
    ['scan alone (stream, discard)', scan.cpuMs], ['encoder alone, scan included', encoder.cpuMs],
    ['servers in all', servers.cpuMs], ['of that the executor', executorMs], ['of that the coordinator', coordinatorMs],
  ]
  return {
    method: [
      `\`${SQL}\`: ${fetched.rows} rows, ${plain(gigabytes)} GB of Arrow, read by pyarrow ${version} and`,
      'dropped, through one coordinator and one executor with all threads. Servers are all processes of the',
      'cluster. The encoder alone is the executor\'s own encoder in one process over the same Parquet files, its',
      'batches dropped: the scan is in it, as it is in the executor\'s. Medians of rounds that take turns; row',
      'count and the sum of a column were compared. Memory is the coordinator\'s resident set, looked at every',
      '20 ms, from before the first fetch to its highest.',
    ].join(' '),
    tables: [{
      title: '', heads: ['', 'CPU ms', 'CPU s/GB', 'over encoder alone'],
      rows: rows.map(([name, cpuMs]) =>
        [name, whole(cpuMs), ratio(cpuMs / 1000 / gigabytes), ratio(cpuMs / encoder.cpuMs)]),
    }, {
      title: '', heads: ['', ''], rows: [
        ['MB/s at the client', whole(fetched.bytes / 1e6 / (servers.wallMs / 1000))],
        ['coordinator memory grew by, MiB', whole(grownBytes / MIB)],
      ],
    }],
    figures: [
      {
        what: 'CPU of the servers over the encoder alone', value: servers.cpuRatio, bound: 'at most', limit: 2,
        unit: '',
      },
      { what: 'growth of the coordinator', value: grownBytes / 1e6, bound: 'at most', limit: 100, unit: ' MB' },
    ],
    chart: {
      title: `CPU ms to fetch ${plain(gigabytes)} GB`, unit: ' ms', series: ['CPU'],
      groups: rows.map(([name, cpuMs]) => ({ name, values: [cpuMs] })),
      mark: { value: 2 * encoder.cpuMs, name: 'wanted of the servers' },
    },
    checks: 1, faults,
  }
}
