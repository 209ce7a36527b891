/**
 * Types of Hive keys: the first of DATE, TIMESTAMP and BIGINT that each value reads as, or VARCHAR if the values
 * disagree. So DuckDB infers them; forms that it takes and nobody writes into paths (infinity, BC) are VARCHAR here.
 */

import { type StatValue } from '../cache/statistics.ts'

export type HiveType = 'DATE' | 'TIMESTAMP' | 'BIGINT' | 'VARCHAR'

/** Null values say nothing; without any other the type is VARCHAR. */
export function hiveType(values: readonly (string | null)[]): HiveType {
  let type: HiveType | undefined
  for (const value of new Set(values)) {
    if (value === null) continue
    const own = typeOf(value)
    if (type !== undefined && type !== own) return 'VARCHAR'
    type = own
  }
  return type ?? 'VARCHAR'
}

/** The value to compare with; null if it is not certain, as for a timestamp with a zone. */
export function hiveStat(text: string, type: string): StatValue | null {
  switch (type) {
    case 'VARCHAR': return text
    case 'BIGINT': return isBigint(text) ? BigInt(text.trim()) : null
    case 'DATE': {
      const days = dateDays(text)
      return days === undefined ? null : BigInt(days)
    }
    case 'TIMESTAMP': return timestampMicros(text)
    default: return null
  }
}

function typeOf(value: string): HiveType {
  if (dateDays(value) !== undefined) return 'DATE'
  if (TIMESTAMP.test(value)) return 'TIMESTAMP'
  return isBigint(value) ? 'BIGINT' : 'VARCHAR'
}

const DATE = /^\s*(\d{2,6})-(\d{1,2})-(\d{1,2})\s*$/
const TIME = /([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?/.source
const ZONE = /(Z|[+-]\d{2}(?::?\d{2})?)?/.source
const TIMESTAMP = new RegExp(`^\\s*(\\d{2,6}-\\d{1,2}-\\d{1,2})[ T]${TIME}\\s*${ZONE}\\s*$`)
const BIGINT = /^\s*-?(?:0|[1-9]\d{0,18})\s*$/
const MAX_BIGINT = 2n ** 63n - 1n
const DAY_MS = 86_400_000
const SECOND_MICROS = 1_000_000n

function isBigint(text: string): boolean {
  if (!BIGINT.test(text)) return false
  const value = BigInt(text.trim())
  return value <= MAX_BIGINT && value >= -MAX_BIGINT - 1n
}

/** Days since 1970; undefined if there is no such day. Goes as far as JavaScript's calendar, 275760. */
function dateDays(text: string): number | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [year, month, day] = match.slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists ? date.getTime() / DAY_MS : undefined
}

function timestampMicros(text: string): bigint | null {
  const match = TIMESTAMP.exec(text)
  const [, date = '', hours = '', minutes = '', seconds = '0', fraction = '', zone] = match ?? []
  const days = dateDays(date)
  if (match === null || days === undefined || zone !== undefined) return null
  const wholeSeconds = days * DAY_MS / 1000 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return BigInt(wholeSeconds) * SECOND_MICROS + BigInt(fraction.padEnd(6, '0'))
}
