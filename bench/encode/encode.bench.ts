/** DuckDB's rows to Arrow batches: the executor's encoder against the bare stream, and against DuckDB's own COPY. */

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import vm from 'node:vm'
import v8 from 'node:v8'
import { BodyPool } from '../../proto/body-pool.ts'
import { DuckInstance, type DuckConnection } from '../../executor/instances.ts'
import type { ResultColumn } from '../../proto/arrow-schema.ts'
import { systemClock } from '../../proto/clock.ts'
import { quoteText } from '../../proto/sql-text.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { compare, measuredOf, type Measured } from '../harness.ts'
import { ratio, whole } from '../report.ts'
import { discard, encode, type Drained } from './encoder-side.ts'
import { encodeTables, type EncodeTable } from './tables.ts'

const DISCARD = 'stream, discard'
const ENCODER = 'encoder'
const PLAIN_COPY = 'COPY uncompressed'
const ZSTD_COPY = 'COPY zstd'

/** As the measurements that the figures come from. */
const SETTINGS = [
  'SET threads = 2', 'SET preserve_insertion_order = false', "SET streaming_buffer_size = '4MB'",
]
const SMOKE_SHARE = 100
const MAX_RUNS = 3
/** In memory where there is such a place: what counts is the CPU, not the disk. */
const MEMORY_DISK = '/dev/shm'

interface TableResult {
  readonly table: EncodeTable
  readonly sides: readonly Measured[]
  readonly encoded: Drained
  readonly faults: readonly string[]
}

export const family: Family = { name: 'encode', run }

async function run({ smoke, rounds, print }: FamilyOptions): Promise<FamilyResult> {
  const folder = await mkdtemp(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), 'skein-encode-'))
  try {
    const results: TableResult[] = []
    for (const table of encodeTables) {
      const rows = Math.ceil(table.rowCount / (smoke ? SMOKE_SHARE : 1))
      const result = await measure(table, rows, { folder, rounds })
      print(`${table.name}: ${result.sides.map(side => `${side.name} ${whole(side.cpuMs)} ms`).join(', ')}`)
      results.push(result)
    }
    return resultOf(results)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function measure(
  table: EncodeTable, rows: number, { folder, rounds }: { readonly folder: string; readonly rounds: number },
): Promise<TableResult> {
  const instance = await DuckInstance.open({})
  const connection = await instance.connect()
  try {
    for (const setting of SETTINGS) await connection.run(setting)
    await connection.run(`CREATE TABLE measured AS ${table.sql(rows)}`)
    const sql = 'SELECT * FROM measured'
    const columns = await columnsOf(connection)
    const pool = new BodyPool()
    const [dropped, encoded] = [await discard(connection, sql), await encode(connection, sql, columns, pool)]
    const copy = (name: string, compression: string) => side(name, () => connection.run(
      `COPY measured TO ${quoteText(join(folder, 'copy.parquet'))} (FORMAT parquet, COMPRESSION ${compression})`))
    const sides = await compare([
      side(DISCARD, () => discard(connection, sql)), side(ENCODER, () => encode(connection, sql, columns, pool)),
      copy(PLAIN_COPY, 'uncompressed'), copy(ZSTD_COPY, 'zstd'),
    ], { rounds, maxRuns: MAX_RUNS }, systemClock)
    const faults = [dropped, encoded].flatMap(({ rowCount }) =>
      rowCount === rows ? [] : [`${table.name}: ${rowCount} rows instead of ${rows}`])
    return { table, sides, encoded, faults }
  } finally {
    connection.close()
    instance.close()
  }
}

v8.setFlagsFromString('--expose-gc')
const collectAll = vm.runInNewContext('gc') as () => void

function side(name: string, work: () => Promise<unknown>) {
  return {
    name, prepare: collectAll, run: async () => { await work() },
    cpuMs: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
  }
}

async function columnsOf(connection: DuckConnection): Promise<ResultColumn[]> {
  const rows = await connection.texts('SELECT column_name, column_type FROM (DESCRIBE measured)', [0, 1])
  return rows.map(([name, type]) => ({ name: name ?? '', type: type ?? '' }))
}

function resultOf(results: readonly TableResult[]): FamilyResult {
  const against = (name: string) => ({ sides }: TableResult): number =>
    measuredOf(sides, ENCODER).cpuMs / measuredOf(sides, name).cpuMs
  const figure = (result: TableResult, name: string, limit: number) => ({
    what: `${result.table.name}: encoder over ${name}`, value: against(name)(result), bound: 'at most' as const, limit,
    unit: '',
  })
  const sides = [DISCARD, ENCODER, PLAIN_COPY, ZSTD_COPY]
  const yardsticks = [DISCARD, PLAIN_COPY, ZSTD_COPY]
  return {
    method: [
      'Tables in memory, two threads, streaming buffer of 4 MB, order not kept. CPU of the process, DuckDB',
      'included; medians of rounds that take turns. The stream is read to its end and dropped, with a minor',
      'collection every 32 chunks (without one its memory grows without bound); the encoder is driven as the',
      'executor drives it, and its batches are dropped; COPY writes to a file in memory. Row counts were',
      'compared.',
    ].join(' '),
    tables: [{
      title: '', heads: [
        'rows', ...sides.map(name => `${name}, CPU ms`), ...yardsticks.map(name => `encoder / ${name}`), 'Mrow/s',
        'GB/s of Arrow',
      ],
      rows: results.map(result => {
        const { table, encoded } = result
        const seconds = measuredOf(result.sides, ENCODER).wallMs / 1000
        return [
          table.name, ...sides.map(name => whole(measuredOf(result.sides, name).cpuMs)),
          ...yardsticks.map(name => ratio(against(name)(result))),
          ratio(encoded.rowCount / 1e6 / seconds), ratio(encoded.byteCount / 1e9 / seconds),
        ]
      }),
    }],
    figures: results.flatMap(result => [
      figure(result, DISCARD, 2.3), figure(result, PLAIN_COPY, 0.85), figure(result, ZSTD_COPY, 0.45),
    ]),
    chart: {
      title: 'CPU ms to read a result', unit: ' ms', series: sides,
      groups: results.map(result => ({
        name: result.table.name, values: sides.map(name => measuredOf(result.sides, name).cpuMs),
      })),
    },
    checks: results.length, faults: results.flatMap(({ faults }) => faults),
  }
}
