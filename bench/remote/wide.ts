/**
 * Two of fifty columns of one remote file with nine row groups, every request delayed: how much is fetched, how much
 * longer it takes to fetch the whole file first, and what a second run asks of the store.
 */

import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../proto/clock.ts'
import { quoteText } from '../../proto/sql-text.ts'
import { Skein, type SkeinOutcome } from '../../test/cluster/skein.ts'
import { DuckDBInstance } from '../../test/duckdb.ts'
import { bucketConfig, putFolder } from '../../test/s3/folder.ts'
import { S3Server } from '../../test/s3-server.ts'
import { median } from '../harness.ts'
import { Caches } from './caches.ts'
import { footerBytes } from './needed-bytes.ts'

const COLUMNS = 50
const ROW_GROUPS = 9
const ROW_GROUP_ROWS = 122_880
const SMOKE_ROW_GROUP_ROWS = 2_048
const LATENCY_MS = 20
const SQL = 'SELECT sum(c7), max(c31) FROM wide'

export interface WideResult {
  readonly fileBytes: number
  /** Chunks of the two columns, and the footer. */
  readonly neededBytes: number
  readonly fetchedBytes: number
  /** Medians, cold. */
  readonly columnsMs: number
  readonly wholeMs: number
  /** Of the second run. */
  readonly againBytes: number
  readonly againRequests: number
  readonly faults: readonly string[]
}

export async function wide(folder: string, smoke: boolean, rounds: number): Promise<WideResult> {
  const rows = ROW_GROUPS * (smoke ? SMOKE_ROW_GROUP_ROWS : ROW_GROUP_ROWS)
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  const ask = async (sql: string): Promise<readonly string[]> =>
    ((await connection.runAndReadAll(sql)).getRows()[0] ?? []).map(String)
  const data = join(folder, `wide-${rows}`)
  const path = join(data, '0.parquet')
  if (!existsSync(path)) {
    mkdirSync(data, { recursive: true })
    const columns = Array.from({ length: COLUMNS }, (_, i) => `hash(i, ${i}) % 1000000007 AS c${i}`)
    await connection.run(`COPY (SELECT ${columns.join(', ')} FROM range(${rows}) t(i)) TO ${quoteText(`${path}.part`)}
      (FORMAT parquet, ROW_GROUP_SIZE ${rows / ROW_GROUPS})`)
    renameSync(`${path}.part`, path)
  }
  const [chunks, groups] = await ask(`SELECT sum(total_compressed_size) FILTER (path_in_schema IN ('c7', 'c31')),
    count(DISTINCT row_group_id) FROM parquet_metadata(${quoteText(path)})`)
  const [fileBytes] = await ask(`SELECT size FROM read_blob(${quoteText(path)})`)
  const expected = await ask(SQL.replace('wide', `read_parquet(${quoteText(path)})`))
  instance.closeSync()
  const measured = await withCluster(data, (skein, server) => measure(skein, server, rounds, expected))
  const faults = [...measured.faults, ...Number(groups) === ROW_GROUPS ? [] : [`the file has ${groups} row groups`]]
  return { ...measured, fileBytes: Number(fileBytes), neededBytes: Number(chunks) + footerBytes(path), faults }
}

async function withCluster<T>(data: string, use: (skein: Skein, server: S3Server) => Promise<T>): Promise<T> {
  const server = await S3Server.start()
  const folder = await mkdtemp(join(tmpdir(), 'skein-bench-'))
  try {
    putFolder(server, data)
    const table = { type: 'bucket_tables', bucket: 'far', assume_immutable: true, tables: { wide: '*.parquet' } }
    const skein = await Skein.start({
      folder, executors: 1, config: { buckets: { far: bucketConfig(server) }, catalogs: { far: table } },
    })
    try {
      return await use(skein, server)
    } finally {
      await skein.stop()
    }
  } finally {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(skein: Skein, server: S3Server, rounds: number, expected: readonly string[]) {
  const caches = new Caches(skein)
  const faults: string[] = []
  const check = (outcome: SkeinOutcome): void => {
    const told = outcome.kind === 'rows' ? outcome.answer.rows[0]?.map(String) : [outcome.message]
    if (String(told) !== String(expected)) faults.push(`wide: ${String(told)} for ${String(expected)}`)
  }
  check(await skein.query(SQL)) // the coordinator knows the footer from now on
  server.latencyMs = LATENCY_MS
  const times = { columns: [] as number[], whole: [] as number[] }
  let fetchedBytes = 0
  for (let round = 0; round < rounds; round++) {
    for (const side of ['whole', 'columns'] as const) {
      await caches.evict()
      server.forget()
      const startMs = systemClock.nowMs()
      if (side === 'whole') await caches.warm('wide')
      check(await skein.query(SQL))
      times[side].push(systemClock.nowMs() - startMs)
      fetchedBytes = server.traffic('get').bytes
    }
  }
  server.forget()
  check(await skein.query(SQL))
  caches.close()
  return {
    fetchedBytes, columnsMs: median(times.columns), wholeMs: median(times.whole),
    againBytes: server.traffic('get').bytes, againRequests: server.requests, faults,
  }
}
