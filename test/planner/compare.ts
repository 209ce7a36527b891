/** Whether two answers are the same: types, and rows as a set or in order; floats within a relative distance. */

import type { Answer } from './in-process-cluster.ts'

const FLOAT_DISTANCE = 1e-10

/** null: the same; else what differs, for a message. */
export function difference(expected: Answer, actual: Answer, inOrder: boolean): string | null {
  if (expected.types.join() !== actual.types.join()) return `types ${expected.types.join()} / ${actual.types.join()}`
  if (expected.rows.length !== actual.rows.length) {
    return `${expected.rows.length} rows / ${actual.rows.length} rows ${show(expected)} / ${show(actual)}`
  }
  const [a, b] = inOrder ? [expected.rows, actual.rows] : [sorted(expected), sorted(actual)]
  const at = a.findIndex((row, i) => !row.every((value, k) => isSame(value, b[i]?.[k], expected.types[k] ?? '')))
  return at < 0 ? null : `row ${at}: ${JSON.stringify(a[at])} / ${JSON.stringify(b[at])}`
}

function show({ rows }: Answer): string {
  return JSON.stringify(rows.slice(0, 5))
}

/** Floats are cut to fewer digits for sorting, so that rows that differ in the last ones meet. */
function sorted({ rows, types }: Answer): readonly (readonly unknown[])[] {
  const key = (row: readonly unknown[]): string => JSON.stringify(row.map((value, k) =>
    isFloat(types[k] ?? '') && typeof value === 'number' ? Number(value.toPrecision(9)) : value))
  return rows.map(row => ({ row, key: key(row) })).sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
    .map(({ row }) => row)
}

function isSame(a: unknown, b: unknown, type: string): boolean {
  if (isFloat(type) && typeof a === 'number' && typeof b === 'number') {
    return a === b || Math.abs(a - b) <= FLOAT_DISTANCE * Math.max(Math.abs(a), Math.abs(b))
  }
  if (isFloat(type) && Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, i) => isSame(value, b[i], type))
  }
  return JSON.stringify(a) === JSON.stringify(b)
}

function isFloat(type: string): boolean {
  return /DOUBLE|FLOAT/.test(type)
}
