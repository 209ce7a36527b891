/**
 * All of lineitem by pyarrow through coordinator and executor: what the servers spend, against the encoder alone over
 * the same files, and how much memory the coordinator takes meanwhile.
 */

import { BodyPool } from '../../proto/body-pool.ts'
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
const WHOLE = 'servers, run whole'
/** More bytes than any table has. */
const ALL_WHOLE = '1000000000000000'
const SQL = 'SELECT * FROM lineitem'
const MIB = 1024 * 1024

/** What one cluster showed over its fetches. */
interface Fetches {
  readonly name: string
  readonly coordinatorMs: number
  readonly executorMs: number
  readonly grownBytes: number
  readonly fetched: Fetched
}

interface Outcome {
  readonly sides: readonly Measured[]
  readonly shipped: Fetches
  readonly whole: Fetches
  readonly faults: readonly string[]
}

export const family: Family = { name: 'fetch', run }

async function run(options: FamilyOptions): Promise<FamilyResult> {
  const version = await requirePyarrow()
  const data = await generatedData(options.smoke ? 0.01 : 1, options.folder)
  const outcome = await withCluster({ data, executors: 1 }, shipped =>
    withCluster({ data, executors: 1, environment: { SKEIN_WHOLE_BYTES: ALL_WHOLE } }, async whole => {
      const instance = await DuckInstance.open({})
      const connection = await instance.connect()
      const servers = [await Server.open(SERVERS, shipped), await Server.open(WHOLE, whole)] as const
      try {
        return await measure(data, servers, connection, options.rounds)
      } finally {
        for (const server of servers) server.stop()
        connection.close()
        instance.close()
      }
    }))
  return resultOf(outcome, version)
}

/** A cluster and the pyarrow that reads from it; keeps what each fetch cost. */
class Server {
  readonly name: string
  readonly #skein: Skein
  readonly #client: PyarrowClient
  readonly #coordinator: number
  readonly #executor: number
  readonly #startBytes: number
  #peakBytes = 0
  readonly #costs: { readonly coordinatorMs: number; readonly executorMs: number }[] = []
  #fetched: Fetched | undefined

  private constructor(name: string, skein: Skein, client: PyarrowClient) {
    this.name = name
    this.#skein = skein
    this.#client = client
    this.#coordinator = processOf(skein, 'coordinator')
    this.#executor = processOf(skein, 'executor')
    this.#startBytes = residentBytes(this.#coordinator)
  }

  static async open(name: string, skein: Skein): Promise<Server> {
    const client = new PyarrowClient(addressOf(skein, 'flight'))
    await client.fetch('SELECT 1 AS one')
    return new Server(name, skein, client)
  }

  get cpuMs(): number {
    return treeCpuMs(this.#skein.pid)
  }

  async fetch(): Promise<void> {
    const [coordinatorMs, executorMs] = [ownCpuMs(this.#coordinator), ownCpuMs(this.#executor)]
    const peakBytes = await peakDuring(this.#coordinator, async () => { this.#fetched = await this.#client.fetch(SQL) })
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes)
    this.#costs.push({
      coordinatorMs: ownCpuMs(this.#coordinator) - coordinatorMs, executorMs: ownCpuMs(this.#executor) - executorMs,
    })
  }

  fetches(): Fetches {
    if (this.#fetched === undefined) throw new Error('nothing was fetched')
    return {
      name: this.name, grownBytes: this.#peakBytes - this.#startBytes, fetched: this.#fetched,
      coordinatorMs: median(this.#costs.map(({ coordinatorMs }) => coordinatorMs)),
      executorMs: median(this.#costs.map(({ executorMs }) => executorMs)),
    }
  }

  stop(): void {
    this.#client.stop()
  }
}

async function measure(
  { folder, globs }: TpchData, [shipped, whole]: readonly [Server, Server], connection: DuckConnection, rounds: number,
): Promise<Outcome> {
  await connection.run("SET streaming_buffer_size = '4MB'")
  await connection.run(`CREATE VIEW lineitem AS FROM read_parquet(${quoteText(join(folder, globs.lineitem))})`)
  const columns = await columnsOf(connection)
  const [expected = []] = await connection.texts('SELECT count(*), sum(l_orderkey)::VARCHAR FROM lineitem', [0, 1])
  const pool = new BodyPool()
  const ownCpu = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  const sides = await compare([
    { name: ENCODER, run: async () => { await encode(connection, SQL, columns, pool) }, cpuMs: ownCpu },
    { name: DISCARD, run: async () => { await discard(connection, SQL) }, cpuMs: ownCpu },
    ...[shipped, whole].map(server => ({ name: server.name, run: () => server.fetch(), cpuMs: () => server.cpuMs })),
  ], { rounds, maxRuns: 1 }, systemClock)
  const faults = [shipped, whole].flatMap(server => {
    const { rows, check } = server.fetches().fetched
    return String(rows) === expected[0] && check === expected[1] ? []
      : [`${server.name}: pyarrow read ${rows} rows with keys of ${check} instead of ${expected.join(' with ')}`]
  })
  return { sides, shipped: shipped.fetches(), whole: whole.fetches(), faults }
}

async function columnsOf(connection: DuckConnection): Promise<ResultColumn[]> {
  const rows = await connection.texts('SELECT column_name, column_type FROM (DESCRIBE lineitem)', [0, 1])
  return rows.map(([name, type]) => ({ name: name ?? '', type: type ?? '' }))
}

function resultOf({ sides, shipped, whole: asWhole, faults }: Outcome, version: string): FamilyResult {
  const [encoder, scan] = [measuredOf(sides, ENCODER), measuredOf(sides, DISCARD)]
  const { fetched } = shipped
  const gigabytes = fetched.bytes / 1e9
  const rows: [string, number][] = [
    ['scan alone (stream, discard)', scan.cpuMs], ['encoder alone, scan included', encoder.cpuMs],
    ...[shipped, asWhole].flatMap(({ name, coordinatorMs, executorMs }): [string, number][] => [
      [name, measuredOf(sides, name).cpuMs], ['- its executor', executorMs], ['- its coordinator', coordinatorMs],
    ]),
  ]
  return {
    method: [
      `\`${SQL}\`: ${fetched.rows} rows, ${plain(gigabytes)} GB of Arrow, read by pyarrow ${version} and dropped,`,
      'through one coordinator and one executor with all threads. Servers are all processes of the cluster, with its',
      'own choice of plan; servers that run it whole have a threshold above any table, so the plan is one stage. The',
      'encoder alone is the executor\'s own encoder in one process over the same Parquet files, its batches dropped:',
      'the scan is in it, as it is in the executor\'s. Medians of rounds that take turns; row count and the sum of a',
      'column were compared. Memory is the coordinator\'s resident set, looked at every 20 ms, from before the first',
      'fetch to its highest.',
    ].join(' '),
    tables: [{
      title: '', heads: ['', 'CPU ms', 'CPU s/GB', 'over encoder alone'],
      rows: rows.map(([name, cpuMs]) =>
        [name, whole(cpuMs), ratio(cpuMs / 1000 / gigabytes), ratio(cpuMs / encoder.cpuMs)]),
    }, {
      title: '', heads: ['', 'MB/s at the client', 'coordinator grew by, MiB'],
      rows: [shipped, asWhole].map(({ name, grownBytes }) => [
        name, whole(fetched.bytes / 1e6 / (measuredOf(sides, name).wallMs / 1000)), whole(grownBytes / MIB),
      ]),
    }],
    figures: [
      { what: 'CPU of the servers over the encoder', value: measuredOf(sides, SERVERS).cpuRatio, limit: 2, unit: '' },
      { what: 'growth of the coordinator', value: shipped.grownBytes / 1e6, limit: 100, unit: ' MB' },
    ].map(figure => ({ ...figure, bound: 'at most' as const })),
    chart: {
      title: `CPU ms to fetch ${plain(gigabytes)} GB`, unit: ' ms', series: ['CPU'],
      groups: rows.map(([name, cpuMs]) => ({ name, values: [cpuMs] })),
      mark: { value: 2 * encoder.cpuMs, name: 'wanted of the servers' },
    },
    checks: 2, faults,
  }
}
