/**
 * The eight tables of TPC-H as DuckDB SQL: one SELECT for a range of a table, from the rules of the specification's
 * section 4.2.3 (row counts, key relations, value ranges).
 *
 * Every value is a function of the row's key: `pick(key, field, n)` is a hash of both, modulo n, and no two tables
 * share a field number. So any range can be made alone, twice, or in parallel, and is the same each time with the same
 * DuckDB. `orders` reads `lineitem` back for its totals and states.
 */

import { unreachable } from '../../proto/errors.ts'
import {
  colours, containers, instructions, modes, nations, phrases, priorities, regions, segments, types,
} from './words.ts'

export const tableNames = [
  'region', 'nation', 'supplier', 'customer', 'part', 'partsupp', 'lineitem', 'orders',
] as const

export type TableName = typeof tableNames[number]

/** Row counts at one scale factor. */
export interface Sizes {
  readonly suppliers: number
  readonly customers: number
  readonly parts: number
  readonly orders: number
  readonly clerks: number
}

export function sizesAt(scale: number): Sizes {
  const at = (rows: number): number => Math.round(rows * scale)
  return { suppliers: at(10_000), customers: at(150_000), parts: at(200_000), orders: at(1_500_000), clerks: at(1000) }
}

/** How many units the ranges of a table count: rows, but orders for lineitem and parts for partsupp. */
export function unitsOf(table: TableName, sizes: Sizes): number {
  switch (table) {
    case 'region': return regions.length
    case 'nation': return nations.length
    case 'supplier': return sizes.suppliers
    case 'customer': return sizes.customers
    case 'part': case 'partsupp': return sizes.parts
    case 'orders': case 'lineitem': return sizes.orders
    default: return unreachable(table)
  }
}

/** 0 to 63. Chosen so that at scale 0.01, too, an order passes the 300 pieces of Q18, as one in 24,000 does. */
const SEED = 3

/** Run once on a connection before any text of `selectOf`. */
export const preparation: readonly string[] = [
  ...Object.entries({
    colours, containers, instructions, modes, phrases, priorities, regions, segments, types,
    nations: nations.map(([name]) => name),
  }).map(([name, values]) => `SET VARIABLE ${name} = [${values.map(value => `'${value}'`).join(', ')}]`),
  `SET VARIABLE nation_regions = [${nations.map(([, region]) => region).join(', ')}]`,
  `CREATE OR REPLACE TEMP MACRO pick(key, field, n) AS
     (hash(((key)::BIGINT * 64 + (field)) * 64 + ${SEED}) % (n)::UBIGINT)::INTEGER`,
  `CREATE OR REPLACE TEMP MACRO one_of(name, key, field) AS
     getvariable(name)[1 + pick(key, field, len(getvariable(name)))]`,
  `CREATE OR REPLACE TEMP MACRO money(key, field, cents_from, cents_to) AS
     ((cents_from + pick(key, field, cents_to - cents_from + 1)) * 0.01)::DECIMAL(15,2)`,
  // 8 keys are used of every 32
  'CREATE OR REPLACE TEMP MACRO order_key(i) AS (i)::BIGINT // 8 * 32 + (i)::BIGINT % 8 + 1',
  "CREATE OR REPLACE TEMP MACRO order_date(i) AS DATE '1992-01-01' + pick(i, 34, 2406)",
  `CREATE OR REPLACE TEMP MACRO address(key, field) AS
     left(md5((key)::VARCHAR) || md5((-key)::VARCHAR), 10 + pick(key, field, 31))`,
  `CREATE OR REPLACE TEMP MACRO phone(key, field, nation) AS format('{}-{}-{}-{}', 10 + nation,
     100 + pick(key, field, 900), 100 + pick(key, field + 1, 900), 1000 + pick(key, field + 2, 9000))`,
  // the n-th, from 0, of the four suppliers of a part
  `CREATE OR REPLACE TEMP MACRO supplier_of(part, n, suppliers) AS
     ((part + n * (suppliers // 4 + (part - 1) // suppliers)) % suppliers + 1)::INTEGER`,
  'CREATE OR REPLACE TEMP MACRO cents_of(part) AS 90000 + (part // 10) % 20001 + 100 * (part % 1000)',
]

/** Prose of `shortest` to `longest` characters; a phrase has at least 16, so enough of them are joined. */
function prose(key: string, field: number, shortest: number, longest: number): string {
  const count = Math.ceil((longest + 1) / 17)
  const parts = Array.from({ length: count }, (_, i) => `one_of('phrases', ${key} * 16 + ${i}, ${field})`)
  const length = `${shortest} + pick(${key}, ${field + 1}, ${longest - shortest + 1})`
  return `left(concat_ws(' ', ${parts.join(', ')}), ${length})`
}

export interface Range {
  readonly from: number
  readonly to: number
}

/** Rows of `range` as one SELECT; for orders, `lineitem` is the relation that holds the lines of these orders. */
export function selectOf(table: TableName, sizes: Sizes, range: Range, lineitem: string): string {
  const keys = `range(${range.from + 1}, ${range.to + 1}) t(k)`
  switch (table) {
    case 'region': return `
      SELECT (k - 1)::INTEGER r_regionkey, getvariable('regions')[k] r_name, ${prose('k', 0, 31, 115)} r_comment
      FROM ${keys}`
    case 'nation': return `
      SELECT (k - 1)::INTEGER n_nationkey, getvariable('nations')[k] n_name,
        getvariable('nation_regions')[k]::INTEGER n_regionkey, ${prose('k', 2, 31, 114)} n_comment
      FROM ${keys}`
    case 'supplier': return supplier(keys)
    case 'customer': return customer(keys)
    case 'part': return part(keys)
    case 'partsupp': return partsupp(keys, sizes)
    case 'lineitem': return lines(range, sizes)
    case 'orders': return orders(range, sizes, lineitem)
    default: return unreachable(table)
  }
}

/** Of every 2000 suppliers one has complaints and one is recommended. */
function supplier(keys: string): string {
  return `
    SELECT k::INTEGER s_suppkey, format('Supplier#{:09d}', k) s_name, address(k, 4) s_address,
      pick(k, 5, 25) s_nationkey, phone(k, 6, pick(k, 5, 25)) s_phone, money(k, 9, -99999, 999999) s_acctbal,
      CASE k % 2000 WHEN 13 THEN 'Customer ' || one_of('phrases', k, 10) || ' Complaints '
        WHEN 57 THEN 'Customer ' || one_of('phrases', k, 10) || ' Recommends ' ELSE '' END
        || ${prose('k', 10, 25, 60)} s_comment
    FROM ${keys}`
}

function customer(keys: string): string {
  return `
    SELECT k::INTEGER c_custkey, format('Customer#{:09d}', k) c_name, address(k, 12) c_address,
      pick(k, 13, 25) c_nationkey, phone(k, 14, pick(k, 13, 25)) c_phone, money(k, 17, -99999, 999999) c_acctbal,
      one_of('segments', k, 18) c_mktsegment, ${prose('k', 19, 29, 116)} c_comment
    FROM ${keys}`
}

/** Each colour of a name is 1 to 22 places further than the one before, round the list: five never meet. */
function part(keys: string): string {
  const colour = (n: number): string => {
    const steps = Array.from({ length: n }, (_, i) => ` + 1 + pick(k, ${22 + i}, 22)`).join('')
    return `getvariable('colours')[1 + (pick(k, 21, ${colours.length})${steps}) % ${colours.length}]`
  }
  return `
    SELECT k::INTEGER p_partkey, concat_ws(' ', ${[0, 1, 2, 3, 4].map(colour).join(', ')}) p_name,
      'Manufacturer#' || (1 + pick(k, 26, 5)) p_mfgr, 'Brand#' || (1 + pick(k, 26, 5)) || (1 + pick(k, 27, 5)) p_brand,
      one_of('types', k, 28) p_type, 1 + pick(k, 29, 50) p_size, one_of('containers', k, 30) p_container,
      (cents_of(k) * 0.01)::DECIMAL(15,2) p_retailprice, ${prose('k', 31, 5, 22)} p_comment
    FROM ${keys}`
}

function partsupp(keys: string, sizes: Sizes): string {
  return `
    SELECT k::INTEGER ps_partkey, supplier_of(k, n, ${sizes.suppliers}) ps_suppkey,
      1 + pick(k * 4 + n, 36, 9999) ps_availqty, money(k * 4 + n, 37, 100, 100000) ps_supplycost,
      ${prose('(k * 4 + n)', 38, 49, 198)} ps_comment
    FROM (SELECT k, unnest([0, 1, 2, 3]) n FROM ${keys})`
}

/** 1 to 7 lines an order. Shipped 1-121 days after the order, received 1-30 days after that, due after 30-90. */
function lines(range: Range, sizes: Sizes): string {
  return `
    SELECT order_key(i) l_orderkey, part l_partkey, supplier_of(part, pick(line, 42, 4), ${sizes.suppliers}) l_suppkey,
      n::INTEGER l_linenumber, pieces::DECIMAL(15,2) l_quantity,
      (pieces * cents_of(part) * 0.01)::DECIMAL(15,2) l_extendedprice,
      (pick(line, 43, 11) * 0.01)::DECIMAL(15,2) l_discount, (pick(line, 44, 9) * 0.01)::DECIMAL(15,2) l_tax,
      CASE WHEN received > DATE '1995-06-17' THEN 'N' WHEN pick(line, 45, 2) = 0 THEN 'R' ELSE 'A' END l_returnflag,
      CASE WHEN shipped > DATE '1995-06-17' THEN 'O' ELSE 'F' END l_linestatus,
      shipped l_shipdate, order_date(i) + 30 + pick(line, 46, 61) l_commitdate, received l_receiptdate,
      one_of('instructions', line, 47) l_shipinstruct, one_of('modes', line, 48) l_shipmode,
      ${prose('line', 49, 10, 43)} l_comment
    FROM (
      SELECT *, shipped + 1 + pick(line, 51, 30) received
      FROM (
        SELECT i, n, line, 1 + pick(line, 52, ${sizes.parts}) part, 1 + pick(line, 53, 50) pieces,
          order_date(i) + 1 + pick(line, 54, 121) shipped
        FROM (
          SELECT i, n, i * 8 + n line
          FROM (SELECT i, unnest(range(1, 2 + pick(i, 33, 7))) n FROM range(${range.from}, ${range.to}) t(i)))))`
}

/** Customers whose key is a multiple of 3 never order. One order in 92 has a special request. */
function orders(range: Range, sizes: Sizes, lineitem: string): string {
  const buyers = sizes.customers - Math.floor(sizes.customers / 3)
  return `
    SELECT order_key(i) o_orderkey,
      (pick(i, 55, ${buyers}) // 2 * 3 + 1 + pick(i, 55, ${buyers}) % 2)::INTEGER o_custkey,
      o_orderstatus, o_totalprice, order_date(i) o_orderdate, one_of('priorities', i, 56) o_orderpriority,
      format('Clerk#{:09d}', 1 + pick(i, 57, ${sizes.clerks})) o_clerk, 0::INTEGER o_shippriority,
      CASE WHEN pick(i, 58, 92) = 0
        THEN one_of('phrases', i, 59) || ' special ' || one_of('phrases', i, 60) || ' requests'
        ELSE ${prose('i', 61, 19, 78)} END o_comment
    FROM range(${range.from}, ${range.to}) t(i)
    JOIN (
      SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount))::DECIMAL(15,2) o_totalprice,
        CASE WHEN min(l_linestatus) = max(l_linestatus) THEN min(l_linestatus) ELSE 'P' END o_orderstatus
      FROM ${lineitem}
      WHERE l_orderkey BETWEEN order_key(${range.from}) AND order_key(${range.to - 1})
      GROUP BY l_orderkey
    ) ON l_orderkey = order_key(i)
    ORDER BY o_orderkey`
}
