/**
 * `skein demo`: makes sample data, starts three executors, and shows how queries are spread over them; then kills one
 * executor in the middle of a query, and the answer is the same.
 */

import { spawn } from 'node:child_process'
import { writeFile, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { QueryError } from '../proto/errors.ts'
import { UTC } from '../proto/time-zone.ts'
import { writeAnswer, type Write } from './answer.ts'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { demoQueries } from './demo-queries.ts'
import { HttpClient, type QueryReport } from './http-client.ts'
import { bytes, count, picture } from './picture.ts'
import { withPrivateCluster } from './private-cluster.ts'
import { ProgressBar } from './progress-bar.ts'
import { S3Process } from './s3-process.ts'
import { openConfig } from './settings.ts'

/** 600,000 rows in the largest table: seconds to make, large enough to see the work divided. */
const DEFAULT_SCALE = '0.1'
const FOLDER = 'skein-demo'
const TABLES = ['region', 'nation', 'supplier', 'customer', 'part', 'partsupp', 'orders', 'lineitem']
const PROGRESS_AFTER_MS = 100

const NEXT = `Next, on the same data:
  node dist/cli/main.js start --config ${FOLDER}/skein.yaml
  node dist/cli/main.js query --url http://127.0.0.1:4280 "SELECT count(*) FROM lineitem"
  node dist/cli/main.js explain --url http://127.0.0.1:4280 "SELECT l_shipmode, count(*) FROM lineitem GROUP BY 1"
or point a Flight SQL driver at grpc://127.0.0.1:4281
`

export interface DemoPorts {
  readonly options: ClusterOptions
  readonly scale: string | undefined
  /** The data lies in an S3 server instead of a folder. */
  readonly s3: boolean
  readonly signal: AbortSignal
  readonly newId: () => string
  readonly write: Write
  /** True when a person looks: then there is a progress bar. */
  readonly colors: boolean
}

export async function demo(ports: DemoPorts): Promise<void> {
  const { write, options } = ports
  const { clock } = options
  const startedMs = clock.nowMs()
  await write(`Sample data: eight tables of a wholesaler, in ./${FOLDER}\n`)
  await sampleData(ports)
  const store = ports.s3 ? await S3Process.start(resolve(FOLDER, 'lake')) : null
  try {
    await onData(ports, store)
  } finally {
    store?.stop()
  }
  await write(`All of that in ${seconds(clock.nowMs() - startedMs)}.\n\n${store === null ? NEXT : ''}`)
}

async function onData(ports: DemoPorts, store: S3Process | null): Promise<void> {
  const { write, options } = ports
  const { executors } = options
  const config = await openConfig(await writeConfig(store), {})
  if (store !== null) await write(`An S3 server with that data at ${store.endpoint}, a process of its own\n`)
  await write(`A coordinator and ${count(executors, 'executor')}: each a process of its own, all on this machine\n\n`)
  // forced: data this small would otherwise run whole on one executor, and there would be nothing to see
  await withPrivateCluster({ ...options, config, wholeBytes: 0 }, async cluster => {
    for (const { title, sql } of demoQueries) await show(ports, cluster, title, sql)
    await killOne(ports, cluster)
  })
}

async function sampleData({ scale, signal }: DemoPorts): Promise<void> {
  await mkdir(FOLDER, { recursive: true })
  const generator = fileURLToPath(new URL('../bench/tpch/main.js', import.meta.url))
  const words = ['--scale', scale ?? DEFAULT_SCALE, '--folder', resolve(FOLDER, 'lake')]
  const child = spawn(process.execPath, [generator, ...words], { stdio: ['ignore', 'ignore', 'inherit'], signal })
  const status = await new Promise(done => {
    child.once('exit', done)
    child.once('error', () => done('cancelled'))
  })
  if (signal.aborted) throw new QueryError('CANCELLED', 'the demo was stopped')
  if (status !== 0) throw new QueryError('INTERNAL', `the sample data could not be made: exit code ${String(status)}`)
}

/** Over the folder, or over the store; returns its path. */
async function writeConfig(store: S3Process | null): Promise<string> {
  const file = join(FOLDER, store === null ? 'skein.yaml' : 'skein-s3.yaml')
  const keys = 'access_key_id: test, secret_access_key: testsecret'
  const lake = store === null ? '{ provider: local, path: ./lake }'
    : `{ provider: custom, bucket: lake, endpoint: "${store.endpoint}", ${keys} }`
  await writeFile(file, [
    'data_dir: ./data', 'buckets:', `  lake: ${lake}`, 'catalogs:', '  shop:',
    '    type: bucket_tables', '    bucket: lake', '    file_format: parquet', '    tables:',
    ...TABLES.map(table => `      ${table}: "${table}/*.parquet"`), 'default_catalog: shop', '',
  ].join('\n'))
  return file
}

async function show(ports: DemoPorts, cluster: Cluster, title: string, sql: string): Promise<void> {
  const { write } = ports
  await write(`▸ ${title}\n\n${sql.trim().replace(/^/gm, '    ')}\n\n`)
  await run(ports, cluster, sql)
}

/** Runs one query; prints its answer, its picture and its numbers. */
async function run(ports: DemoPorts, cluster: Cluster, sql: string): Promise<void> {
  const { write, signal, options, newId, colors } = ports
  const client = new HttpClient(`http://${cluster.doors.http}`)
  const queryId = newId()
  const bar = !colors ? null : new ProgressBar({
    clock: options.clock, afterMs: PROGRESS_AFTER_MS, indent: '    ', write,
    percentage: async () => (await client.report(queryId)).progress.percentage,
  })
  const pieces: string[] = []
  try {
    // a kept answer would show nothing at work
    const answer = { frames: client.query(sql, queryId, signal, { cache: false }), zone: UTC, stats: async () => ({}) }
    await writeAnswer('table', answer, async piece => { pieces.push(String(piece)) })
  } finally {
    bar?.end()
  }
  await write(`${pieces.join('').replace(/^(?=.)/gm, '    ')}\n${numbers(await client.report(queryId))}\n`)
}

/** The picture of a query, and a line below it. */
function numbers({ stats, task_reports: reports = [] }: QueryReport): string {
  const number = (name: string): number => Number(stats[name])
  const moved = reports.reduce((sum, report) => sum + report.rows, 0)
  const [fetched, cached] = [number('bytes_fetched'), number('bytes_cached')]
  const remote = fetched + cached === 0 ? '' : `${bytes(fetched)} fetched, ${bytes(cached)} in the caches, `
  const work = `${count(number('stages'), 'stage')}, ${count(number('tasks'), 'task')}`
  return `${picture(reports)}  ${work} on ${count(number('executors'), 'executor')}, `
    + `${count(moved, 'row')} between them and to you, ${bytes(number('exchange_bytes'))} exchanged, `
    + `${remote}planned in ${Math.round(number('plan_ms'))} ms, done in ${Math.round(number('elapsed_ms'))} ms\n`
}

async function killOne(ports: DemoPorts, cluster: Cluster): Promise<void> {
  const [last] = demoQueries.slice(-1)
  if (last === undefined) return
  await ports.write('▸ The same once more, and one executor is killed while it runs\n\n')
  const victim = cluster.executorPids()[1] ?? cluster.executorPids()[0]
  ports.options.clock.after(KILL_AFTER_MS, () => { if (victim !== undefined) process.kill(victim, 'SIGKILL') })
  await run(ports, cluster, last.sql)
}

const KILL_AFTER_MS = 60

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
