/**
 * How far a time zone is from UTC at an instant, from the rules that Node carries. DuckDB carries its own copy of the
 * same rules; they differ only where one of them is newer.
 */

import { QueryError } from './errors.ts'

export interface TimeZone {
  /** Local time minus UTC at `seconds` since 1970. */
  offsetSeconds(seconds: number): number
}

export const UTC: TimeZone = { offsetSeconds: () => 0 }

/** Since then zones have changed their offset only at full quarters of an hour of UTC. */
const REGULAR_SINCE_SECONDS = 63_072_000 // 1972-01-01
const QUARTER_SECONDS = 900
/** Offsets kept per zone; a result rarely spans more quarters of an hour than that. */
const MAX_CACHED = 100_000
/** What a Date can hold; DuckDB's timestamps reach further, into times without changes. */
const MAX_DATE_MS = 8.63e15

/** Throws INVALID_REQUEST for a name that is not a zone. */
export function timeZone(name: string): TimeZone {
  if (/^(?:utc|etc\/utc|gmt)$/i.test(name)) return UTC
  const format = formatOf(name)
  const cache = new Map<number, number>()
  const offsetAt = (seconds: number): number => {
    const ms = Math.max(-MAX_DATE_MS, Math.min(MAX_DATE_MS, seconds * 1000))
    return localSeconds(format, ms) - ms / 1000
  }
  return {
    offsetSeconds(seconds) {
      if (seconds < REGULAR_SINCE_SECONDS) return offsetAt(seconds)
      const quarter = Math.floor(seconds / QUARTER_SECONDS)
      const known = cache.get(quarter)
      if (known !== undefined) return known
      const offset = offsetAt(quarter * QUARTER_SECONDS)
      if (cache.size >= MAX_CACHED) cache.clear()
      cache.set(quarter, offset)
      return offset
    },
  }
}

export function isTimeZone(name: string): boolean {
  try {
    timeZone(name)
    return true
  } catch {
    return false
  }
}

function formatOf(name: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric', day: 'numeric',
      hour: 'numeric', minute: 'numeric', second: 'numeric',
    })
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `unknown time zone ${name}`, { cause })
  }
}

/** The local clock at an instant, read as if it were UTC. */
function localSeconds(format: Intl.DateTimeFormat, ms: number): number {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type))
  const year = parts.get('era')?.startsWith('B') === true ? 1 - part('year') : part('year')
  const date = new Date(0)
  date.setUTCFullYear(year, part('month') - 1, part('day'))
  return date.setUTCHours(part('hour'), part('minute'), part('second')) / 1000
}
