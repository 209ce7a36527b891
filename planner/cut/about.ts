/** Estimated numbers of rows as people read them: 3 rows, 12k rows, 1.5M rows. */

const UNITS = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const

export function about(rows: number): string {
  return `about ${shortCount(rows)} row${Math.round(rows) === 1 ? '' : 's'}`
}

/** Three digits at most, then a unit. */
export function shortCount(count: number): string {
  const rounded = Math.round(count)
  for (const [size, unit] of UNITS) {
    if (rounded < size) continue
    const value = rounded / size
    return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)}${unit}`
  }
  return String(rounded)
}
