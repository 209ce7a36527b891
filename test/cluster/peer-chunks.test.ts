/**
 * A table that every task reads, in a remote bucket, on three executors: its chunks leave the store once, whatever
 * becomes of the executor that brings them for all.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { rank } from '../../cache/affinity.ts'
import { systemClock } from '../../proto/clock.ts'
import type { Executor } from '../../proto/gen/admin_pb.js'
import type { ExecutorId } from '../../proto/ids.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { bucketConfig, serveFolder } from '../s3/folder.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { runCommand } from './command.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { Operator, until } from './watch.ts'

const SIDE = 'side/0.parquet'
const SQL = `SELECT count(*), min(word), sum(length(word) + n)::BIGINT FROM large JOIN side USING (i)`
const EXECUTORS = 3
const SEEN_WITHIN_MS = 30_000
/** A lost executor is noticed, and its tasks run again, on a machine with much else to do. */
const ANSWER_WITHIN_MS = 60_000

const root = mkdtempSync(join(tmpdir(), 'skein-peers-'))
const data = join(root, 'data')
const neededBytes = await write()
const tables = { large: 'large/*.parquet', side: 'side/*.parquet' }
const oracle = await Oracle.open(data, Object.entries(tables).map(([name, glob]) =>
  ({ catalog: 'lake', name, glob, reader: 'read_parquet' })), 'lake')
const server = await serveFolder(t, data)
const skein = await Skein.start({
  folder: join(root, 'cluster'), executors: EXECUTORS, environment: { SKEIN_WHOLE_BYTES: '0' },
  config: {
    buckets: { prod: bucketConfig(server) }, default_catalog: 'lake',
    catalogs: { lake: { type: 'bucket_tables', bucket: 'prod', assume_immutable: true, tables } },
    node: { memory: '2GB', spill: '1GB', cache: '300MB', threads: EXECUTORS },
  },
})
const operator = new Operator(skein.doors)
const expected = await oracle.run(SQL)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  oracle.close()
  rmSync(root, { recursive: true })
})

/** Gives the bytes of all columns. */
async function write(): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const name of ['large', 'side']) mkdirSync(join(data, name), { recursive: true })
  await connection.run(`COPY (SELECT i, md5(i::VARCHAR) || md5((-i)::VARCHAR) AS word FROM range(80000) t(i))
    TO '${join(data, SIDE)}' (FORMAT parquet, ROW_GROUP_SIZE 20000)`)
  for (const part of [0, 1, 2, 3, 4, 5]) {
    await connection.run(`COPY (SELECT hash(i) % 80000 AS i, i AS n FROM range(${60_000 * part}, ${60_000 * (part + 1)})
      t(i)) TO '${join(data, `large/${part}.parquet`)}' (FORMAT parquet)`)
  }
  const sum = await connection.runAndReadAll(
    `SELECT sum(total_compressed_size)::DOUBLE FROM parquet_metadata('${join(data, '*/*.parquet')}')`)
  connection.closeSync()
  instance.closeSync()
  return Number(sum.getRowsJS()[0]?.[0])
}

function wrong(outcome: SkeinOutcome): string | undefined {
  if (outcome.kind === 'error') return `${outcome.code}: ${outcome.message}`
  return difference(expected, outcome.answer, true)
}

async function allActive(): Promise<readonly Executor[]> {
  let executors: readonly Executor[] = []
  await until('all are active', SEEN_WITHIN_MS, async () => {
    executors = (await operator.executors()).filter(({ state }) => state === 'active')
    return executors.length === EXECUTORS
  })
  return executors
}

/** Who brings the table that all read. */
async function bringer(): Promise<number> {
  const executors = await allActive()
  const [first] = rank({ bucket: 'prod', key: SIDE }, executors.map(({ id }) => id as ExecutorId))
  return executors.find(({ id }) => id === first)?.pid ?? 0
}

async function cache(t: Test, ...words: string[]): Promise<Record<string, unknown>[]> {
  const more = ['--format', 'json', '--url', skein.doors.admin ?? '']
  const { status, stdout, stderr } = await runCommand(['admin', 'cache', ...words, ...more])
  t.equal(status, 0, stderr)
  return JSON.parse(stdout) as Record<string, unknown>[]
}

/** The answer within its time, to the query marked `mark`. */
async function ask(t: Test, mark: string): Promise<SkeinOutcome> {
  const startMs = systemClock.nowMs()
  const outcome = await skein.query(SQL.replace('SELECT', `SELECT /* ${mark} */`))
  const tookMs = systemClock.nowMs() - startMs
  t.ok(tookMs < ANSWER_WITHIN_MS, `${mark}: ${tookMs} ms`)
  return outcome
}

t.test('its chunks leave the store once, and every byte is counted once', async t => {
  await allActive()
  const plan = await skein.query(`EXPLAIN ${SQL}`)
  t.match(JSON.stringify(plan), /read by every task/)
  server.forget()
  const outcome = await ask(t, 'first')
  t.equal(wrong(outcome), undefined)
  const { bytes } = server.traffic('get')
  t.ok(bytes < 1.1 * neededBytes, `${bytes} for ${neededBytes}`)
  if (outcome.kind === 'rows') t.equal(outcome.stats['bytes_fetched'], bytes)
  const sent = (await cache(t, 'status')).reduce((sum, { bytes_from_peers: own }) => sum + Number(own), 0)
  t.ok(sent > 0.5 * neededBytes, `${sent} from other executors`)
})

t.test('when who brings them says nothing, or dies in the midst, the others answer', async t => {
  await cache(t, 'evict', 'table', 'lake.main.side')
  const silent = await bringer()
  process.kill(silent, 'SIGSTOP')
  try {
    t.equal(wrong(await ask(t, 'silent')), undefined)
  } finally {
    process.kill(silent, 'SIGCONT')
  }
  await allActive()
  await cache(t, 'evict')
  const victim = await bringer()
  server.forget()
  server.latencyMs = 100
  const answer = ask(t, 'killed')
  await until('it is being brought', SEEN_WITHIN_MS, () => server.seen.some(({ key }) => key === SIDE))
  process.kill(victim, 'SIGKILL')
  server.latencyMs = 0
  t.equal(wrong(await answer), undefined)
  await allActive()
})
