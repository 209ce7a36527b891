/**
 * The small tables of the SQL cases: rows, files they are dealt over, and each column as an expression of the row's
 * number `i`, which is the same in every run. Three catalogs: `lake` (Parquet), `csvs` and `jsons`.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance, type DuckDBConnection } from '../duckdb.ts'
import { type OracleTable } from './oracle.ts'

interface ParquetTable {
  readonly rows: number
  readonly files: number
  readonly columns: Readonly<Record<string, string>>
}

const parquetTables: Readonly<Record<string, ParquetTable>> = {
  /** Five teams of very different size, and none; a boss for each but the first. */
  people: { rows: 48, files: 3, columns: {
    id: 'i::INTEGER',
    name: "'person ' || (i % 40)",
    team: "CASE WHEN i % 9 <> 4 THEN ['red', 'blue', 'red', 'green', 'red', 'white', 'grey'][1 + i % 7] END",
    age: 'CASE WHEN i % 11 <> 3 THEN 18 + i * 7 % 50 END::SMALLINT',
    pay: 'CASE WHEN i % 13 <> 6 THEN 1000 + i * 377 % 5000 + (i % 100) / 100 END::DECIMAL(10,2)',
    joined: "DATE '2020-02-27' + (i * 31 % 900)::INTEGER",
    boss: 'CASE WHEN i > 0 THEN i // 3 END::INTEGER',
    active: 'i % 3 = 0',
  } },
  /** Half of all rows have customer 7; 1 in 20 has none. Sums of `big` pass 2^63. */
  sales: { rows: 12_000, files: 6, columns: {
    id: 'i::BIGINT',
    customer: 'CASE WHEN i % 20 = 11 THEN NULL WHEN i % 2 = 0 THEN 7 ELSE i * 17 % 301 END::INTEGER',
    product: "'product ' || (i * 13 % 37)",
    quantity: '(1 + i * 7 % 12)::INTEGER',
    price: '((100 + i * 7919 % 99900) / 100)::DECIMAL(12,2)',
    rating: '(i * 31 % 1000) / 8 - 20',
    sold: "TIMESTAMP '2023-12-25 06:00:00' + to_seconds(i * 617)",
    day: "DATE '2023-12-25' + (i * 617 // 86400)::INTEGER",
    big: '9007199254740993 * (i % 1000)::BIGINT',
    note: "CASE WHEN i % 50 = 3 THEN 'returned' END",
  } },
  customers: { rows: 90, files: 2, columns: {
    id: '(i * 3)::INTEGER', name: "'customer ' || i", zone: "['north', 'south', 'east', NULL][1 + i % 4]",
  } },
  /** NULL keys and repeated keys on both sides, keys that only one side has, of two types. */
  lefts: { rows: 30, files: 3, columns: {
    k: 'CASE WHEN i % 5 <> 2 THEN i % 8 END::INTEGER', s: "CASE WHEN i % 7 <> 1 THEN 's' || (i % 4) END",
    v: 'i::INTEGER',
  } },
  rights: { rows: 18, files: 3, columns: {
    k: 'CASE WHEN i % 7 <> 3 THEN i % 6 + 3 END::BIGINT', s: "CASE WHEN i % 4 <> 3 THEN 's' || (i % 5) END",
    w: '(i * 100)::INTEGER',
  } },
  /** No NULL. */
  solid: { rows: 11, files: 2, columns: { k: '(i % 5)::INTEGER', v: 'i::INTEGER' } },
  nothing: { rows: 0, files: 1, columns: { k: 'i::INTEGER', s: "'x'", m: '1.5::DECIMAL(9,2)', d: '2.5::DOUBLE' } },
  single: { rows: 1, files: 1, columns: { k: '3::INTEGER', s: "'only'", m: '1.25::DECIMAL(9,2)', d: 'NULL::DOUBLE' } },
  /** One column a type that Parquet keeps. */
  kinds: { rows: 10, files: 2, columns: {
    id: 'i::INTEGER',
    yes: 'CASE WHEN i % 3 < 2 THEN i % 3 = 0 END',
    tiny: '(i - 5)::TINYINT',
    small: '(i * 1000 - 4000)::SMALLINT',
    big: '(i - 4)::BIGINT * 3000000000',
    utiny: '(i * 25)::UTINYINT',
    usmall: '(i * 7000)::USMALLINT',
    uint: '(i * 400000000)::UINTEGER',
    ubig: 'i::UBIGINT * 1844674407370955161',
    f4: '(i / 3)::FLOAT',
    f8: "CASE i WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf' ELSE i * 0.1 || '' END::DOUBLE",
    dec4: '(i * 1.001)::DECIMAL(4,3)',
    dec9: '(i * 12345.67)::DECIMAL(9,2)',
    dec18: '(i * 12345678901.01 - 20000000000)::DECIMAL(18,2)',
    dec38: '(i::HUGEINT * 1234567890123456789)::DECIMAL(38,5)',
    word: "CASE WHEN i <> 6 THEN 'ä' || chr(97 + i::INTEGER) || '∑' END",
    bytes: "('a' || chr(i::INTEGER) || 'z')::BLOB",
    uuid: "('00000000-0000-4000-8000-00000000000' || i)::UUID",
    day: "DATE '1969-12-28' + i::INTEGER",
    hour: "TIME '10:20:30.123456' + to_minutes(i * 211)",
    stamp: "TIMESTAMP '1969-12-31 23:59:59.999999' + to_seconds(i)",
    nanos: 'make_timestamp_ns(1700000000000000000 + i)',
    zoned: "TIMESTAMPTZ '2024-03-31 00:30:00+00' + to_minutes(i * 17)",
    span: 'to_months(i::INTEGER) + to_days((i * 40)::INTEGER)',
    doc: "('{\"a\": ' || i || ', \"b\": [1, \"x\"]}')::JSON",
  } },
  nested: { rows: 8, files: 2, columns: {
    id: 'i::INTEGER',
    nums: 'CASE WHEN i <> 3 THEN [i, i % 2, NULL, 5] END::INTEGER[]',
    pair: "CASE WHEN i <> 4 THEN {'a': i::INTEGER, 'b c': 'v' || i} END",
    dict: "CASE WHEN i <> 5 THEN MAP {'x': i::INTEGER, 'y''z': NULL} END",
    deep: '[[i], [], NULL]::BIGINT[][]',
    pairs: "[{'x': i::INTEGER, 'y': 'p'}, NULL, {'x': NULL, 'y': 'q'}]",
    words: "CASE WHEN i % 2 = 0 THEN [] ELSE ['b', 'a', NULL, 'c'] END::VARCHAR[]",
    money: '[i * 0.5, 1.25]::DECIMAL(9,2)[]',
    days: "[DATE '2024-02-28' + i::INTEGER]",
  } },
  trades: { rows: 36, files: 3, columns: {
    id: 'i::INTEGER', sym: "'sym' || (i % 3)", ts: "TIMESTAMP '2024-01-01 09:00:00' + to_seconds(i * 7)",
    quantity: '(1 + i % 4)::INTEGER',
  } },
  quotes: { rows: 20, files: 2, columns: {
    sym: "'sym' || (i % 4)", ts: "TIMESTAMP '2024-01-01 09:00:03' + to_seconds(i * 11)",
    price: '(100 + i / 8)::DECIMAL(9,2)',
  } },
  edges: { rows: 14, files: 1, columns: { parent: '(i // 2)::INTEGER', child: '(i + 1)::INTEGER' } },
}

/** In Hive folders `region=…/year=…`; the keys are no columns of the files. */
const visits: ParquetTable = { rows: 60, files: 1, columns: {
  id: 'i::INTEGER', amount: '(i * 5 % 23)::INTEGER', region: "['north', 'south', 'west'][1 + i % 3]",
  year: '2022 + i % 4',
} }

const CITIES = [
  'id,name,country,founded,population', '1,Ghent,BE,0630-01-01,265086', '2,"Aix, en Provence",FR,,147478',
  '3,Ulm,DE,0854-07-22,128928', '4,,DE,,', '5,Łódź,PL,1423-07-29,658444', '6,"He said ""hi""",XX,2000-02-29,1', '',
].join('\n')

const EVENTS = Array.from({ length: 12 }, (_, i) => JSON.stringify({
  id: i, kind: i % 3 === 0 ? 'open' : 'close', tags: i % 4 === 1 ? [] : ['a', `t${i % 5}`],
  size: i % 5 === 2 ? null : i / 4, origin: { host: `h${i % 2}`, port: 8000 + i },
})).join('\n')

interface CaseTable extends OracleTable {
  /** In the configuration, besides its path. */
  readonly definition?: Readonly<Record<string, unknown>>
}

/** A table whose columns changed from file to file. */
const GROWN = [
  `SELECT i::INTEGER AS id, 'n' || i % 5 AS name, {'a': i} AS s FROM range(40) t(i)`,
  'SELECT i / 4 AS added, i * 3000000000 AS ID FROM range(30) t(i)',
  `SELECT 'x' AS name, i::SMALLINT AS id, (i / 8)::FLOAT AS added, {'a': i, 'b': [i]} AS s FROM range(20) t(i)`,
]

const PRICES = Array.from({ length: 40 }, (_, i) =>
  `${i}|${i % 9 === 4 ? '-' : `${i * 3},5`}|${10 + i % 18}.0${1 + i % 9}.2023|${i % 7 === 2 ? 'n/a' : `'a|b ${i}'`}\n`)

const ITEMS = Array.from({ length: 15 }, (_, i) =>
  ({ id: i * 7, seen: `${10 + i}/02/2024 10:${20 + i}`, tags: i % 3 === 0 ? [i, 'x'] : { k: i }, more: 'unread' }))

export const tables: readonly CaseTable[] = [
  ...Object.keys(parquetTables).map(name => ({
    catalog: 'lake', name, glob: `${name}/*.parquet`, reader: 'read_parquet',
  })),
  { catalog: 'lake', name: 'visits', glob: 'visits/*/*/*.parquet', reader: 'read_parquet' },
  { catalog: 'csvs', name: 'cities', glob: 'cities.csv', reader: 'read_csv' },
  { catalog: 'jsons', name: 'events', glob: 'events.json', reader: 'read_json' },
  {
    catalog: 'csvs', name: 'prices', glob: 'prices/*', reader: 'read_csv',
    options: `, delim = '|', quote = '''', header = false, nullstr = ['-', 'n/a'], dateformat = '%d.%m.%Y',
      decimal_separator = ',', columns = {'id': 'INTEGER', 'price': 'DECIMAL(9,2)', 'day': 'DATE', 'note': 'VARCHAR'}`,
    definition: { csv: {
      delimiter: '|', quote: "'", header: false, null_text: ['-', 'n/a'], date_format: '%d.%m.%Y',
      decimal_separator: ',', columns: { id: 'INTEGER', price: 'DECIMAL(9,2)', day: 'DATE', note: 'VARCHAR' },
    } },
  },
  {
    catalog: 'jsons', name: 'items', glob: 'items.txt', reader: 'read_json',
    options: `, format = 'array', compression = 'gzip', timestampformat = '%d/%m/%Y %H:%M',
      columns = {'id': 'UINTEGER', 'seen': 'TIMESTAMP', 'tags': 'JSON'}`,
    definition: { json: {
      format: 'array', compression: 'gzip', columns: { id: 'UINTEGER', seen: 'TIMESTAMP', tags: 'JSON' },
      timestamp_format: '%d/%m/%Y %H:%M',
    } },
  },
  {
    catalog: 'lake', name: 'grown', glob: 'grown/*.parquet', reader: 'read_parquet',
    options: ', union_by_name = true',
  },
]

/** Small, so that one file can be several splits. */
const ROW_GROUP_ROWS = 2048

/** Row i goes to file i % files, so that NULLs, duplicates and every key are in each. */
export async function writeTables(folder: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  for (const [name, table] of Object.entries(parquetTables)) {
    await mkdir(join(folder, name), { recursive: true })
    for (let file = 0; file < table.files; file++) await writeFileOf(connection, table, file, join(folder, name))
  }
  await connection.run(`COPY (${selectOf(visits)}) TO '${join(folder, 'visits')}'
    (FORMAT parquet, PARTITION_BY (region, year))`)
  await mkdir(join(folder, 'grown'))
  for (const [i, select] of GROWN.entries()) {
    await connection.run(`COPY (${select}) TO '${join(folder, `grown/${i}.parquet`)}' (FORMAT parquet)`)
  }
  instance.closeSync()
  await writeFile(join(folder, 'cities.csv'), CITIES)
  await writeFile(join(folder, 'events.json'), EVENTS)
  await mkdir(join(folder, 'prices'))
  await writeFile(join(folder, 'prices/a.txt'), PRICES.slice(0, 25).join(''))
  await writeFile(join(folder, 'prices/b.txt'), PRICES.slice(25).join(''))
  await writeFile(join(folder, 'items.txt'), gzipSync(JSON.stringify(ITEMS)))
}

async function writeFileOf(
  connection: DuckDBConnection, table: ParquetTable, file: number, folder: string,
): Promise<void> {
  await connection.run(`COPY (${selectOf(table)} WHERE i % ${table.files} = ${file} ORDER BY i)
    TO '${join(folder, `${file}.parquet`)}' (FORMAT parquet, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`)
}

function selectOf({ rows, columns }: ParquetTable): string {
  const list = Object.entries(columns).map(([name, expression]) => `${expression} AS "${name}"`)
  return `SELECT ${list.join(', ')} FROM range(${rows}) AS numbers(i)`
}

/** The same tables as parts of a configuration. */
export function tablesConfig(folder: string): Record<string, unknown> {
  const catalog = (name: string, format: string): Record<string, unknown> => ({
    type: 'bucket_tables', bucket: 'files', file_format: format,
    tables: Object.fromEntries(tables.filter(table => table.catalog === name).map(({ name, glob, definition }) =>
      [name, definition === undefined ? glob : { path: glob, ...definition }])),
  })
  return {
    buckets: { files: { provider: 'local', path: folder } },
    catalogs: { lake: catalog('lake', 'parquet'), csvs: catalog('csvs', 'csv'), jsons: catalog('jsons', 'json') },
    default_catalog: 'lake',
  }
}
