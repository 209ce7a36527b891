/** The four shapes of results that the encoder is measured with, as SELECTs over `range`; the same rows each time. */

export interface EncodeTable {
  readonly name: string
  /** At full size. */
  readonly rowCount: number
  /** SELECT of `rows` rows. */
  readonly sql: (rows: number) => string
}

/** Rows as they come out of a mixed scan: values differ from row to row, so nothing compresses well. */
const numbers = (): string => [
  'i::BIGINT AS a', '(hash(i) % 1000000)::BIGINT AS b', '(i % 1000)::INTEGER AS c', '(hash(i) % 77777)::INTEGER AS d',
  'i * 0.5::DOUBLE AS e', '(hash(i) % 1000003)::DOUBLE / 7 AS f', '(i % 91)::SMALLINT AS g',
  '(hash(i) % 30000)::SMALLINT AS h',
].join(', ')

const lineitem = (): string => [
  '(i // 4)::BIGINT AS l_orderkey', '(hash(i) % 200000)::BIGINT AS l_partkey',
  '(hash(i + 1) % 10000)::BIGINT AS l_suppkey',
  '(i % 7 + 1)::INTEGER AS l_linenumber', '(i % 50 + 1)::DECIMAL(15,2) AS l_quantity',
  '((hash(i) % 10000000) * 0.01)::DECIMAL(15,2) AS l_extendedprice', '((i % 11) * 0.01)::DECIMAL(15,2) AS l_discount',
  '((i % 9) * 0.01)::DECIMAL(15,2) AS l_tax', "['N', 'R', 'A'][1 + i % 3] AS l_returnflag",
  "['O', 'F'][1 + i % 2] AS l_linestatus", "DATE '1992-01-01' + (hash(i) % 2500)::INTEGER AS l_shipdate",
  "DATE '1992-01-01' + (hash(i + 2) % 2500)::INTEGER AS l_commitdate",
  "DATE '1992-01-01' + (hash(i + 3) % 2500)::INTEGER AS l_receiptdate",
  "['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'][1 + (hash(i) % 4)::INTEGER] AS l_shipinstruct",
  "['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'][1 + (hash(i + 4) % 7)::INTEGER] AS l_shipmode",
  'left(md5(i::VARCHAR) || md5((i + 1)::VARCHAR), (10 + hash(i) % 34)::INTEGER) AS l_comment',
].join(', ')

const wideColumn = (k: number): string => {
  switch (k % 5) {
    case 0: return `(i + ${k})::BIGINT AS c${k}`
    case 1: return `(hash(i + ${k}) % 1000)::INTEGER AS c${k}`
    case 2: return `(i * ${k} % 10007)::DOUBLE AS c${k}`
    case 3: return `'v' || (hash(i + ${k}) % 1000) AS c${k}`
    default: return `((i + ${k}) % 100000 * 0.01)::DECIMAL(12,2) AS c${k}`
  }
}

const select = (list: string) => (rows: number): string => `SELECT ${list} FROM range(${rows}) t(i)`

export const encodeTables: readonly EncodeTable[] = [
  { name: '8 numeric', rowCount: 8_000_000, sql: select(numbers()) },
  { name: 'TPC-H-like', rowCount: 3_000_000, sql: select(lineitem()) },
  {
    name: 'long strings', rowCount: 2_000_000,
    sql: select("repeat(md5(i::VARCHAR), 10)[1:(100 + hash(i) % 201)::INTEGER] AS s"),
  },
  {
    name: '100 columns', rowCount: 300_000,
    sql: select(Array.from({ length: 100 }, (_, k) => wideColumn(k)).join(', ')),
  },
]
