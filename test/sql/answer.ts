/**
 * A query's answer in the one form in which answers are compared: a cell is null, text, or a tree with text at its
 * leaves. A number, a boolean and a date are all text; the column's type says how two texts are compared.
 */

import { parseDuckType, type DuckType } from '../../proto/types.ts'

export type Cell = null | string | readonly Cell[] | { readonly [name: string]: Cell }

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly Cell[])[]
}

/** Floats are equal within this, relative to the larger. */
const TOLERANCE = 1e-10
/** FLOAT has 24 bits. */
const SINGLE_TOLERANCE = 1e-6
/** Rows that could not be paired by sorting are paired by search, up to this many. */
const MAX_SEARCHED_ROWS = 2000

/** What is different, in words; undefined if nothing is. */
export function difference(expected: Answer, actual: Answer, ordered: boolean): string | undefined {
  const header = (answer: Answer): string => answer.columns.map(({ name, type }) => `${name} ${type}`).join(', ')
  if (header(expected) !== header(actual)) return `columns are\n  ${header(actual)}, not\n  ${header(expected)}`
  if (expected.rows.length !== actual.rows.length) {
    return `${actual.rows.length} rows, not ${expected.rows.length}`
  }
  const types = expected.columns.map(({ type }) => parseDuckType(type))
  const [left, right] = ordered ? [expected.rows, actual.rows] : [sorted(expected.rows), sorted(actual.rows)]
  const at = left.findIndex((row, i) => !sameRow(types, row, right[i] ?? []))
  if (at < 0 || (!ordered && pairs(types, left, right))) return undefined
  return `row ${at} is\n  ${JSON.stringify(right[at])}, not\n  ${JSON.stringify(left[at])}`
}

function sameRow(types: readonly DuckType[], left: readonly Cell[], right: readonly Cell[]): boolean {
  return types.every((type, i) => same(type, left[i] ?? null, right[i] ?? null))
}

function same(type: DuckType, left: Cell, right: Cell): boolean {
  if (left === null || right === null) return left === right
  switch (type.kind) {
    case 'list': case 'array':
      return Array.isArray(left) && Array.isArray(right) && left.length === right.length
        && left.every((item: Cell, i) => same(type.child, item, (right as readonly Cell[])[i] ?? null))
    case 'struct': return sameFields(left, right, name => type.fields.find(field => field.name === name)?.type)
    case 'map': return sameFields(left, right, () => type.value)
    default: return sameScalar(type, left, right)
  }
}

function sameFields(left: Cell, right: Cell, typeOf: (name: string) => DuckType | undefined): boolean {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  const [a, b] = [Object.entries(left), Object.entries(right)]
  return a.length === b.length && a.every(([name, value], i) => {
    const [otherName, other] = b[i] ?? ['', null]
    const type = typeOf(name)
    return name === otherName && (type === undefined ? value === other : same(type, value, other))
  })
}

function sameScalar(type: DuckType, left: Cell, right: Cell): boolean {
  if (type.kind === 'scalar' && (type.name === 'DOUBLE' || type.name === 'FLOAT')) {
    return sameFloat(String(left), String(right), type.name === 'FLOAT' ? SINGLE_TOLERANCE : TOLERANCE)
  }
  if (type.kind === 'scalar' && type.name === 'JSON') return jsonText(left) === jsonText(right)
  return left === right
}

function sameFloat(left: string, right: string, tolerance: number): boolean {
  const [a, b] = [Number(left), Number(right)]
  if (/^-?nan$/i.test(left)) return /^-?nan$/i.test(right) // a NaN's sign is not told on every wire
  if (!Number.isFinite(a) || !Number.isFinite(b)) return left.toLowerCase() === right.toLowerCase()
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b))
}

/** JSON is compared as a value: one side may hold its text, the other the value itself. */
function jsonText(cell: Cell): string {
  if (typeof cell !== 'string') return JSON.stringify(cell).replaceAll(/"(-?[0-9][0-9.eE+-]*|true|false)"/g, '$1')
  try {
    return JSON.stringify(JSON.parse(cell))
  } catch {
    return JSON.stringify(cell)
  }
}

function sorted(rows: Answer['rows']): Answer['rows'] {
  return rows.map(row => ({ row, key: JSON.stringify(row) }))
    .sort((a, b) => a.key < b.key ? -1 : 1).map(({ row }) => row)
}

/** Floats that differ in their last digits sort differently; then every row looks for its own partner. */
function pairs(types: readonly DuckType[], left: Answer['rows'], right: Answer['rows']): boolean {
  if (left.length > MAX_SEARCHED_ROWS) return false
  const open = [...right]
  return left.every(row => {
    const at = open.findIndex(other => sameRow(types, row, other))
    if (at >= 0) open.splice(at, 1)
    return at >= 0
  })
}

/** Reads JSON text without losing a digit: every number and boolean becomes text. */
export function parseCells(json: string): Cell {
  return JSON.parse(json.replaceAll(/"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|\btrue\b|\bfalse\b/g, token =>
    token.startsWith('"') ? token : `"${token}"`)) as Cell
}
