/**
 * Rows between stages: what it costs to write and to read them by format and by number of partitions, and to bring a
 * file from another host.
 */

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckInstance, type DuckConnection } from '../../executor/instances.ts'
import { systemClock } from '../../proto/clock.ts'
import { quoteText } from '../../proto/sql-text.ts'
import type { Family, FamilyOptions, FamilyResult, Table } from '../family.ts'
import { compare, measuredOf, type Measured } from '../harness.ts'
import { ratio, whole } from '../report.ts'
import { compareTransport, type TransportResult } from './transport.ts'

const SHIPPED = 'snappy, v2, no dictionary (shipped)'

/** COPY's options by name; the first is the executor's own (exchange-writer.ts). */
const formats: readonly (readonly [string, string])[] = [
  [SHIPPED, 'FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1'],
  ['snappy', 'FORMAT parquet, COMPRESSION snappy'],
  ['lz4', 'FORMAT parquet, COMPRESSION lz4'],
  ['zstd', 'FORMAT parquet, COMPRESSION zstd'],
  ['uncompressed', 'FORMAT parquet, COMPRESSION uncompressed'],
]

interface Shape {
  readonly name: string
  /** SELECT of `rows` rows; c0 is the key. */
  readonly sql: (rows: number) => string
  /** An aggregate over every column. */
  readonly aggregate: string
}

const shapes: readonly Shape[] = [
  {
    name: 'numbers', aggregate: 'sum(c0), sum(c1), sum(c2), max(c3)',
    sql: rows => `SELECT (i // 4)::BIGINT AS c0, ((hash(i) % 10000000) * 0.01)::DECIMAL(15,2) AS c1,
      ((i % 11) * 0.01)::DECIMAL(15,2) AS c2, DATE '1992-01-01' + (hash(i) % 2500)::INTEGER AS c3
      FROM range(${rows}) t(i)`,
  },
  {
    name: 'texts', aggregate: 'sum(c0), max(c1), max(c2), max(c3), max(c4)',
    sql: rows => `SELECT (i // 4)::BIGINT AS c0,
      ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'][1 + (hash(i) % 4)::INTEGER] AS c1,
      ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'][1 + (hash(i + 4) % 7)::INTEGER] AS c2,
      ['N', 'R', 'A'][1 + (i % 3)::INTEGER] AS c3, left(md5(i::VARCHAR), (10 + hash(i) % 23)::INTEGER) AS c4
      FROM range(${rows}) t(i)`,
  },
]

const SETTINGS = ['threads = 1', 'preserve_insertion_order = false', 'enable_external_file_cache = false']
const ROWS = 2_000_000
const SMOKE_ROWS = 20_000
const FORMAT_PARTITIONS = 4
/** How many partitions a hash exchange may have; 1 is one file. */
const PARTITIONS = [1, 4, 16, 64]
const MAX_RUNS = 3
const MEMORY_DISK = '/dev/shm'

interface ShapeResult {
  readonly shape: Shape
  readonly writes: readonly Measured[]
  readonly reads: readonly Measured[]
  readonly partitions: readonly Measured[]
  /** By format. */
  readonly bytesPerRow: ReadonlyMap<string, number>
  readonly faults: readonly string[]
}

export const family: Family = { name: 'exchange', run }

async function run({ smoke, rounds, print }: FamilyOptions): Promise<FamilyResult> {
  const folder = await mkdtemp(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), 'skein-exchange-'))
  const instance = await DuckInstance.open({})
  const connection = await instance.connect()
  try {
    for (const setting of SETTINGS) await connection.run(`SET ${setting}`)
    const results: ShapeResult[] = []
    const rows = smoke ? SMOKE_ROWS : ROWS
    for (const shape of shapes) {
      results.push(await measure(shape, connection, folder, rows, rounds))
      print(`${shape.name}: done`)
    }
    const transport = await compareTransport(connection, folder, { smoke, rounds })
    return resultOf(results, transport, rows)
  } finally {
    connection.close()
    instance.close()
    await rm(folder, { recursive: true })
  }
}

const ownCpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function measure(
  shape: Shape, connection: DuckConnection, folder: string, rows: number, rounds: number,
): Promise<ShapeResult> {
  await connection.run(`CREATE OR REPLACE TABLE source AS ${shape.sql(rows)}`)
  mkdirSync(join(folder, shape.name))
  const pathOf = (format: string): string => join(folder, shape.name, fileName(format))
  const faults: string[] = []
  const bytesPerRow = new Map<string, number>()
  const writes = await compare(formats.map(([name, options]) => ({
    name, cpuMs: ownCpu, run: () => write(connection, pathOf(name), options, FORMAT_PARTITIONS),
  })), { rounds, maxRuns: MAX_RUNS }, systemClock)
  const expected = await connection.texts(`SELECT ${shape.aggregate} FROM source`, [0])
  const reader = (name: string): string =>
    `SELECT ${shape.aggregate} FROM read_parquet(${quoteText(`${pathOf(name)}/*/*.parquet`)})`
  for (const [name] of formats) {
    bytesPerRow.set(name, sizeOf(pathOf(name)) / rows)
    const found = await connection.texts(reader(name), [0])
    if (String(found) === String(expected)) continue
    faults.push(`${shape.name}, ${name}: read back ${found} instead of ${expected}`)
  }
  const reads = await compare(formats.map(([name]) => ({
    name, cpuMs: ownCpu, run: () => connection.run(reader(name)),
  })), { rounds, maxRuns: MAX_RUNS }, systemClock)
  const [[, shipped] = ['', '']] = formats
  const partitions = await compare(PARTITIONS.map(count => ({
    name: String(count), cpuMs: ownCpu,
    run: () => write(connection, join(folder, shape.name, `partitions-${count}`), shipped, count),
  })), { rounds, maxRuns: 1 }, systemClock)
  return { shape, writes, reads, partitions, bytesPerRow, faults }
}

function write(connection: DuckConnection, path: string, options: string, partitions: number): Promise<void> {
  const target = partitions === 1 ? `${path}.parquet` : path
  const list = partitions === 1 ? '*' : `*, (hash(c0) % ${partitions})::INTEGER AS part`
  const more = partitions === 1 ? '' : ', PARTITION_BY (part), OVERWRITE true'
  return connection.run(`COPY (SELECT ${list} FROM source) TO ${quoteText(target)} (${options}${more})`)
}

const fileName = (format: string): string => format.replaceAll(/[^a-z0-9]+/g, '-')

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => statSync(join(folder, name))).filter(stat => stat.isFile()).reduce((sum, { size }) => sum + size, 0)
}

function resultOf(results: readonly ShapeResult[], transport: TransportResult, rows: number): FamilyResult {
  const formatTable = ({ shape, writes, reads, bytesPerRow }: ShapeResult): Table => ({
    title: `${shape.name}, ${FORMAT_PARTITIONS} hash partitions`,
    heads: ['format', 'write, CPU ms', 'over shipped', 'read, CPU ms', 'over shipped', 'bytes/row'],
    rows: formats.map(([name]) => {
      const [written, read] = [measuredOf(writes, name), measuredOf(reads, name)]
      return [name, whole(written.cpuMs), ratio(written.cpuRatio), whole(read.cpuMs), ratio(read.cpuRatio),
        (bytesPerRow.get(name) ?? NaN).toFixed(1)]
    }),
  })
  return {
    method: [
      `${rows} rows of a table in memory, one thread, files in memory. Numbers: BIGINT, two DECIMAL(15,2),`,
      'DATE; texts: BIGINT and four VARCHAR. Reading is an aggregate over every column of all partitions; every',
      'format was read back equal. Between hosts: the executor\'s own server and reader of exchange files, each',
      'in a process of its own, against a plain TCP copy into a file and a hard link (what one host does). CPU',
      'is that of all processes of the way; medians of rounds that take turns.',
    ].join(' '),
    tables: [
      ...results.map(formatTable),
      {
        title: 'Number of partitions, shipped format, CPU ms to write', heads: ['rows', ...PARTITIONS.map(String)],
        rows: results.map(({ shape, partitions }) =>
          [shape.name, ...PARTITIONS.map(count => whole(measuredOf(partitions, String(count)).cpuMs))]),
      },
      transport.table,
    ],
    figures: [],
    chart: {
      title: 'CPU ms to write and to read, by format', unit: ' ms',
      series: results.flatMap(({ shape }) => [`${shape.name}, write`, `${shape.name}, read`]),
      groups: formats.map(([name]) => ({
        name, values: results.flatMap(({ writes, reads }) =>
          [measuredOf(writes, name).cpuMs, measuredOf(reads, name).cpuMs]),
      })),
    },
    checks: results.length * formats.length + transport.checks,
    faults: [...results.flatMap(({ faults }) => faults), ...transport.faults],
  }
}
