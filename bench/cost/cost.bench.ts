/**
 * What the constants of planner/cut/cost.ts stand on: CPU of one value that is scanned, written to an exchange or read
 * from it, of one row that is dealt out by hash, and of one that goes into a join's hash table.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckInstance, type DuckConnection } from '../../executor/instances.ts'
import {
  BUILD_ROW_NS, DIVIDE_ROW_NS, READ_NUMBER_NS, READ_TEXT_NS, SCAN_NUMBER_NS, SCAN_TEXT_NS, WRITE_NUMBER_NS,
  WRITE_TEXT_NS,
} from '../../planner/cut/cost.ts'
import { systemClock } from '../../proto/clock.ts'
import { quoteText } from '../../proto/sql-text.ts'
import type { Family, FamilyOptions, FamilyResult } from '../family.ts'
import { compare, measuredOf, type Measured } from '../harness.ts'

const ROWS = 2_000_000
const SMOKE_ROWS = 20_000
const MAX_RUNS = 3
/** As the executor writes them (exchange-writer.ts). */
const EXCHANGE = 'FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1'
const SETTINGS = ['threads = 1', 'preserve_insertion_order = false', 'enable_external_file_cache = false']
const NS_PER_MS = 1_000_000

/** Two numbers, two texts of few kinds, two texts of many. */
const source = (rows: number): string => `SELECT (i * 7)::BIGINT AS n0,
  ((hash(i) % 100000) * 0.01)::DECIMAL(15,2) AS n1,
  ['AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'][1 + (hash(i) % 6)::INTEGER] AS k0,
  ['N', 'R', 'A'][1 + (i % 3)::INTEGER] AS k1,
  left(md5(i::VARCHAR), (10 + hash(i) % 23)::INTEGER) AS t0, md5((i + 1)::VARCHAR) AS t1 FROM range(${rows}) r(i)`

interface Constant {
  readonly name: string
  /** The planner's, in nanoseconds. */
  readonly used: number
  /** Nanoseconds a value or a row. */
  readonly measured: number
}

export const family: Family = { name: 'cost', run }

async function run({ smoke, rounds, print }: FamilyOptions): Promise<FamilyResult> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-cost-'))
  const instance = await DuckInstance.open({})
  const connection = await instance.connect()
  const rows = smoke ? SMOKE_ROWS : ROWS
  try {
    for (const setting of SETTINGS) await connection.run(`SET ${setting}`)
    const constants = await measure(connection, folder, rows, rounds)
    for (const { name, measured } of constants) print(`${name}: ${measured.toFixed(1)} ns`)
    const found = await connection.texts(`SELECT sum(n0) FROM ${read(join(folder, 'numbers.parquet'))}`, [0])
    const expected = await connection.texts(`SELECT sum(n0) FROM ${read(join(folder, 'table.parquet'))}`, [0])
    return resultOf(constants, rows, String(found) === String(expected) ? [] : [`read back ${String(found)}`])
  } finally {
    connection.close()
    instance.close()
    await rm(folder, { recursive: true })
  }
}

const read = (path: string): string => `read_parquet(${quoteText(path)}, hive_partitioning = false)`

const ownCpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function measure(
  connection: DuckConnection, folder: string, rows: number, rounds: number,
): Promise<readonly Constant[]> {
  const file = (name: string): string => join(folder, `${name}.parquet`)
  await connection.run(`COPY (${source(rows)}) TO ${quoteText(file('table'))} (FORMAT parquet)`)
  const table = read(file('table'))
  const copy = (columns: string, name: string): string =>
    `COPY (SELECT ${columns} FROM ${table}) TO ${quoteText(file(name))} (${EXCHANGE})`
  const dealt = `COPY (SELECT n0, n1, (hash(n0) % 4)::INTEGER AS part FROM ${table})
    TO ${quoteText(join(folder, 'dealt'))} (${EXCHANGE}, PARTITION_BY (part), HIVE_FILE_PATTERN false, OVERWRITE true)`
  const probe = `(SELECT i FROM range(${3 * rows}) r(i)) p`
  const statements: readonly (readonly [string, string])[] = [
    ['scan numbers', `SELECT sum(n0), max(n1) FROM ${table}`],
    ['scan kinds', `SELECT max(k0), max(k1) FROM ${table}`],
    ['scan texts', `SELECT max(t0), max(t1) FROM ${table}`],
    ['write numbers', copy('n0, n1', 'numbers')],
    ['write texts', copy('t0, t1', 'texts')],
    ['deal', dealt],
    ['read numbers', `SELECT sum(n0), max(n1) FROM ${read(file('numbers'))}`],
    ['read texts', `SELECT max(t0), max(t1) FROM ${read(file('texts'))}`],
    // the rows that are not built on are three times as many, so DuckDB builds on the others
    ['build', `SELECT count(*) FROM ${read(file('numbers'))} b, ${probe} WHERE b.n0 = i`],
    ['probe alone', `SELECT count(*) FROM (VALUES (0)) b(n0), ${probe} WHERE b.n0 = i`],
  ]
  const sides = statements.map(([name, sql]) => ({ name, cpuMs: ownCpu, run: () => connection.run(sql) }))
  return constantsOf(await compare(sides, { rounds, maxRuns: MAX_RUNS }, systemClock), rows)
}

function constantsOf(times: readonly Measured[], rows: number): readonly Constant[] {
  const ns = (name: string): number => measuredOf(times, name).cpuMs * NS_PER_MS / rows
  return [
    { name: 'scan a number', used: SCAN_NUMBER_NS, measured: ns('scan numbers') / 2 },
    { name: 'scan a text of few kinds', used: SCAN_NUMBER_NS, measured: ns('scan kinds') / 2 },
    { name: 'scan a text', used: SCAN_TEXT_NS, measured: ns('scan texts') / 2 },
    { name: 'write a number', used: WRITE_NUMBER_NS, measured: (ns('write numbers') - ns('scan numbers')) / 2 },
    { name: 'write a text', used: WRITE_TEXT_NS, measured: (ns('write texts') - ns('scan texts')) / 2 },
    { name: 'read a number', used: READ_NUMBER_NS, measured: ns('read numbers') / 2 },
    { name: 'read a text', used: READ_TEXT_NS, measured: ns('read texts') / 2 },
    { name: 'deal out a row', used: DIVIDE_ROW_NS, measured: ns('deal') - ns('write numbers') },
    { name: 'build on a row', used: BUILD_ROW_NS, measured: ns('build') - ns('probe alone') - ns('read numbers') / 2 },
  ]
}

function resultOf(constants: readonly Constant[], rows: number, faults: readonly string[]): FamilyResult {
  return {
    method: [
      `${rows} rows in one Parquet file, one thread; CPU of the process, medians of rounds. What a step costs is the`,
      'difference to the same statement without it. The planner uses rounded values of several such runs, on this',
      'data and on TPC-H: only the order of plans counts.',
    ].join(' '),
    tables: [{
      title: 'Nanoseconds', heads: ['step', 'measured', 'used by the planner'],
      rows: constants.map(({ name, measured, used }) => [name, measured.toFixed(1), String(used)]),
    }],
    figures: [],
    chart: {
      title: 'CPU ns a value or row', unit: ' ns', series: ['measured', 'used by the planner'],
      groups: constants.map(({ name, measured, used }) => ({ name, values: [measured, used] })),
    },
    checks: 1, faults,
  }
}
