/**
 * What a Flight SQL client may ask of the server's SQL (CommandGetSqlInfo). The list is complete, because old JDBC
 * drivers fail on a missing code; the union member of each is the one that drivers read, which for limits and cases
 * is int64. Codes: enum SqlInfo of Arrow's FlightSql.proto. A limit of 0 is no limit; in a mask, bit n is value n.
 */

import { MAX_SQL_CHARACTERS } from '../../planner/statement.ts'
import type { InfoValue, SmallColumn } from '../../proto/arrow-table.ts'
import { DEFAULT_SESSION_LIMITS } from '../session/sessions.ts'
import { MAX_PREPARED } from './flight-prepared.ts'

const text = (value: string): InfoValue => ({ text: value })
const flag = (value: boolean): InfoValue => ({ flag: value })
const int64 = (value: bigint): InfoValue => ({ int64: value })
const mask = (value: number): InfoValue => ({ mask: value })
const texts = (value: string): InfoValue => ({ texts: value.split(' ') })

/** Limits that neither DuckDB has nor Skein. */
const unlimited = [541, 542, 543, 544, 545, 546, 547, 548, 549, 550, 551, 552, 553, 554, 555, 559, 560, 561]

/** Words that DuckDB has besides the standard's. */
const keywords = 'anti asof at attach copy describe exclude glob ilike lambda macro positional pivot pragma qualify '
  + 'sample semi summarize unpivot'
const numericFunctions = 'abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees exp floor ln log log10 log2 mod '
  + 'pi pow power radians random round sign sin sqrt tan trunc'
const textFunctions = 'ascii chr concat concat_ws contains ends_with left length lower lpad ltrim md5 position '
  + 'regexp_extract regexp_matches regexp_replace repeat replace reverse right rpad rtrim split starts_with substring '
  + 'trim upper'
const timeFunctions = 'age current_date current_time current_timestamp date_diff date_part date_trunc dayname extract '
  + 'last_day make_date make_timestamp monthname now strftime strptime time_bucket today'

/** CASTs between the SQL types of enum SqlSupportsConvert; BIT is BOOLEAN, and all binary types are BLOB. */
export function conversions(): ReadonlyMap<number, readonly number[]> {
  const numbers = [0, 2, 5, 6, 7, 12, 13, 14, 17]
  const binaries = [1, 10, 18]
  const characters = [3, 11, 19]
  const [date, time, timestamp] = [4, 15, 16]
  const intervals = [8, 9]
  const all = [...numbers, ...binaries, ...characters, date, time, timestamp, ...intervals]
  const targets: readonly (readonly [from: readonly number[], to: readonly number[]])[] = [
    [numbers, [...numbers, ...characters]], [binaries, [...binaries, ...characters]], [characters, all],
    [[date], [date, timestamp, ...characters]], [[time], [time, ...characters]],
    [[timestamp], [date, time, timestamp, ...characters]], [intervals, [...intervals, ...characters]],
  ]
  return new Map(targets.flatMap(([from, to]) => from.map(code => [code, to] as const)))
}

export function sqlInfos(version: string): ReadonlyMap<number, InfoValue> {
  return new Map<number, InfoValue>([
    [0, text('Skein')], [1, text(version)], [2, text('21.2.0')], [3, flag(false)], [4, flag(true)], [5, flag(false)],
    [8, mask(1)], [9, flag(true)], [10, flag(true)], [11, flag(true)],
    [100, mask(DEFAULT_SESSION_LIMITS.idleMs)], [101, mask(DEFAULT_SESSION_LIMITS.idleMs)],
    [500, flag(false)], [501, flag(true)], [502, flag(true)], [503, int64(1n)], [504, text('"')], [505, int64(1n)],
    [506, flag(true)], [507, int64(3n)],
    [508, texts(keywords)],
    [509, texts(numericFunctions)],
    [510, texts(textFunctions)],
    [511, texts('current_catalog current_database current_schema version')],
    [512, texts(timeFunctions)],
    [513, text('\\')], [514, text('$')], [515, flag(true)], [516, flag(true)], [517, { map: conversions() }],
    [518, flag(true)], [519, flag(false)], [520, flag(true)], [521, flag(true)], [522, mask(3)], [523, flag(true)],
    [524, flag(true)], [525, mask(7)], [526, mask(1)], [527, flag(true)], [528, mask(6)], [529, text('schema')],
    [530, text('procedure')], [531, text('catalog')], [532, flag(true)], [533, mask(2)], [534, mask(2)], [535, mask(0)],
    [536, flag(false)], [537, flag(false)], [538, mask(15)], [539, flag(true)], [540, mask(3)],
    ...unlimited.map((code): [number, InfoValue] => [code, int64(0n)]),
    [556, flag(true)], [557, int64(BigInt(MAX_SQL_CHARACTERS))], [558, int64(BigInt(MAX_PREPARED))],
    [562, int64(4n)], [563, flag(true)], [564, mask(16)], [565, flag(false)], [566, flag(false)],
    [567, mask(2)], [568, mask(0)], [569, mask(2)], [570, mask(0)], [571, mask(0)], [572, flag(true)],
    [573, flag(false)], [574, flag(true)], [575, flag(false)], [576, flag(false)],
  ])
}

/** The rows of the asked codes, in the order of the codes; none asked is all. Codes that do not exist are left out. */
export function sqlInfoColumns(version: string, asked: readonly number[]): readonly SmallColumn[] {
  const wanted = new Set(asked)
  const rows = [...sqlInfos(version)].filter(([code]) => wanted.size === 0 || wanted.has(code))
  rows.sort(([a], [b]) => a - b)
  return [
    { name: 'info_name', kind: 'uint32', nullable: false, values: rows.map(([code]) => code) },
    { name: 'value', kind: 'info', nullable: false, values: rows.map(([, value]) => value) },
  ]
}
