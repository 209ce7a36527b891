/** Numbers as explanations print them: short, with their unit. */

import { shortCount } from '../planner/cut/about.ts'

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'] as const

export function bytes(value: number): string {
  let at = 0
  let rest = value
  while (rest >= 999.5 && at < BYTES.length - 1) {
    rest /= 1000
    at++
  }
  return `${at === 0 || rest >= 99.95 ? Math.round(rest) : Math.round(rest * 10) / 10} ${BYTES[at]}`
}

export function milliseconds(value: number): string {
  if (value < 10) return `${Math.round(value * 10) / 10} ms`
  return value < 10_000 ? `${Math.round(value)} ms` : `${Math.round(value / 100) / 10} s`
}

export function count(value: number, noun: string): string {
  return `${value.toLocaleString('en-US')} ${noun}${value === 1 ? '' : 's'}`
}

export function estimate(rows: number): string {
  return `~${shortCount(rows)}`
}
