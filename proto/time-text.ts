/**
 * Dates, times and intervals as DuckDB prints them: proleptic Gregorian, years before 1 as `0044-03-15 (BC)`, fractions
 * without trailing zeros, and the two infinities.
 */

const SECONDS_PER_DAY = 86_400
const SECONDS_PER_HOUR = 3_600
/** DATE's infinities, and the largest int64 for those of the timestamps. */
const INFINITE_DATE = 0x7fff_ffff
const INFINITE_TIMESTAMP = 0x7fff_ffff_ffff_ffffn
const DAYS_PER_ERA = 146_097

/** Days since 1970-01-01. */
export function dateText(days: number): string {
  if (days === INFINITE_DATE) return 'infinity'
  if (days === -INFINITE_DATE) return '-infinity'
  // Howard Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years that begin on 1 March
  const fromEraZero = days + 719_468
  const era = Math.floor(fromEraZero / DAYS_PER_ERA)
  const day = fromEraZero - era * DAYS_PER_ERA
  const leapDays = Math.floor(day / 1460) - Math.floor(day / 36_524) + Math.floor(day / 146_096)
  const yearOfEra = Math.floor((day - leapDays) / 365)
  const dayOfYear = day - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const monthAndDay = `-${two(month)}-${two(dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1)}`
  return year > 0 ? pad(year, 4) + monthAndDay : `${pad(1 - year, 4)}${monthAndDay} (BC)`
}

/** `seconds` of the day and the fraction in units of 10^-digits seconds. 24:00:00 is a time. */
export function timeText(seconds: number, fraction: number, digits: number): string {
  const hours = Math.floor(seconds / SECONDS_PER_HOUR)
  const clock = `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return fraction === 0 ? clock : `${clock}.${pad(fraction, digits).replace(/0+$/, '')}`
}

/** Seconds since 1970 and the fraction of a second in units of 10^-digits, counted upwards. */
export function instantText(seconds: number, fraction: number, digits: number): string {
  const days = Math.floor(seconds / SECONDS_PER_DAY)
  return `${dateText(days)} ${timeText(seconds - days * SECONDS_PER_DAY, fraction, digits)}`
}

/** The text of a timestamp that is not a point in time, or undefined. */
export function infinityText(value: bigint): string | undefined {
  if (value === INFINITE_TIMESTAMP) return 'infinity'
  return value === -INFINITE_TIMESTAMP ? '-infinity' : undefined
}

export function intervalText(months: number, days: number, micros: bigint): string {
  const parts: string[] = []
  const years = Math.trunc(months / 12)
  if (years !== 0) parts.push(counted(years, 'year'))
  if (months % 12 !== 0) parts.push(counted(months % 12, 'month'))
  if (days !== 0) parts.push(counted(days, 'day'))
  if (micros !== 0n || parts.length === 0) {
    const magnitude = micros < 0n ? -micros : micros
    const clock = timeText(Number(magnitude / 1_000_000n), Number(magnitude % 1_000_000n), 6)
    parts.push(micros < 0n ? `-${clock}` : clock)
  }
  return parts.join(' ')
}

/** `+00`, `-04`, `+05:30`; DuckDB leaves out the seconds that zones had before they were standardised. */
export function offsetText(offsetSeconds: number): string {
  const magnitude = Math.abs(offsetSeconds)
  const minutes = Math.floor(magnitude / 60) % 60
  const hours = `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(magnitude / SECONDS_PER_HOUR))}`
  return minutes === 0 ? hours : `${hours}:${two(minutes)}`
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 || count === -1 ? '' : 's'}`
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
