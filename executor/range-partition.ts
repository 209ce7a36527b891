/**
 * SQL of the number of the range that a row falls into, by its key: a tree of comparisons, as deep as the logarithm of
 * their number. A value that has several ranges to itself, because so many rows have it, gives its rows to all of
 * these, by what else is in them; so a row falls into the same range however often it is asked.
 */

import type { RangeOutput } from '../proto/gen/executor_pb.js'

/** Bounds that are the same, as one. */
interface Bound {
  readonly hex: string
  /** How many bounds are less. */
  readonly from: number
  /** How many bounds are not greater: the range that begins with it. */
  readonly to: number
}

/** `key`: a column. */
export function rangeNumber(key: string, { bounds, ties }: Pick<RangeOutput, 'bounds' | 'ties'>): string {
  const distinct: Bound[] = []
  bounds.map(bound => Buffer.from(bound).toString('hex')).forEach((hex, i) => {
    const last = distinct.at(-1)
    if (last?.hex === hex) distinct[distinct.length - 1] = { ...last, to: i + 1 }
    else distinct.push({ hex, from: i, to: i + 1 })
  })
  const spread = (bound: Bound): string => {
    const { from, to } = bound
    if (to - from === 1 || ties.length === 0) return String(to)
    const number = `${from + 1} + CAST(hash(${ties.join(', ')}) % ${to - from} AS INTEGER)`
    return `CASE WHEN ${key} = ${literal(bound)} THEN ${number} ELSE ${to} END`
  }
  /** Of keys not less than the bound before `from`, and less than the one at `to`. */
  const tree = (from: number, to: number): string => {
    const middle = Math.floor((from + to) / 2)
    const bound = distinct[middle]
    if (from === to || bound === undefined) {
      const before = distinct[from - 1]
      return before === undefined ? '0' : spread(before)
    }
    return `CASE WHEN ${key} < ${literal(bound)} THEN ${tree(from, middle)} ELSE ${tree(middle + 1, to)} END`
  }
  return tree(0, distinct.length)
}

function literal({ hex }: Bound): string {
  return `unhex('${hex}')`
}
