/** Sizes as people write them: `16GB`, `1.5 GiB`, `512MB`, `4096`. GB is 10^9 bytes and GiB is 2^30, as in DuckDB. */

const unitBytes: Readonly<Record<string, number>> = {
  '': 1, b: 1,
  kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12,
  kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
}

/** Whole bytes, or undefined if `text` is not a size or is more than a number holds exactly. */
export function parseSize(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  const unit = unitBytes[match?.[2]?.toLowerCase() ?? '']
  if (match === null || unit === undefined) return undefined
  const bytes = Math.floor(Number(match[1]) * unit)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
