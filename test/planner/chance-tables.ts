/**
 * The tables that generated statements read, filled by chance from a seed: how many rows, how often NULL, how many
 * keys, over how many files. A seed repeats its rows.
 */

export type Kind = 'number' | 'text' | 'truth' | 'day' | 'stamp' | 'list' | 'struct'

export interface Column {
  readonly sql: string
  readonly kind: Kind
}

/** Columns that statements name, by their tables. */
export const chanceColumns: Readonly<Record<string, readonly (readonly [string, Kind])[]>> = {
  t: [
    ['id', 'number'], ['k', 'number'], ['g', 'number'], ['s', 'text'], ['m', 'number'], ['b', 'truth'], ['dt', 'day'],
    ['ts', 'stamp'],
  ],
  u: [['k', 'number'], ['v', 'number'], ['s', 'text'], ['h', 'number']],
  one: [['k', 'number'], ['name', 'text']],
  solid: [['k', 'number'], ['g', 'number']],
  empty: [['k', 'number'], ['s', 'text'], ['m', 'number']],
  nested: [['id', 'number'], ['l', 'list'], ['st', 'struct']],
}

export interface ChanceTables {
  readonly selects: Readonly<Record<string, string>>
  readonly filesPerTable: number
  readonly executors: number
}

export function chanceTables(seed: number): ChanceTables {
  const draw = (salt: number, below: number): number => mixed(seed * 31 + salt) % below
  const rows = (salt: number, most: number): number => draw(salt, 12) === 0 ? 0 : 1 + draw(salt + 100, most)
  const keys = 2 + draw(1, 9)
  const nulls = [2, 3, 5, 11, 1_000_000][draw(2, 5)] ?? 5
  /** A number of its own for each row and column. */
  const chance = (column: number): string => `(hash(i * 1009 + ${seed * 64 + column}) >> 8)::BIGINT`
  const some = (column: number, value: string): string =>
    `CASE WHEN ${chance(column + 32)} % ${nulls} = 1 THEN NULL ELSE ${value} END`
  const number = (column: number, below: number, less = 0): string => `(${chance(column)} % ${below} - ${less})`
  return {
    executors: 1 + draw(3, 4),
    filesPerTable: 1 + draw(4, 4),
    selects: {
      t: `SELECT i::INTEGER AS id, ${some(1, number(1, keys, 3))}::INTEGER AS k, ${some(2, number(2, 4))}::BIGINT AS g,
        ${some(3, `'s' || ${number(3, keys)}`)} AS s, ${some(4, `${number(4, 4000, 1500)} / 4`)}::DECIMAL(12,2) AS m,
        ${some(5, `${number(5, 2)} = 0`)} AS b, ${some(6, `DATE '2024-02-25' + ${number(6, 17)}::INTEGER`)} AS dt,
        ${some(7, `TIMESTAMP '2024-03-30 22:15:00' + to_minutes(${number(7, 40)} * 37)`)} AS ts
        FROM range(${rows(5, 90)}) AS r(i)`,
      u: `SELECT ${some(8, number(8, keys, 2))}::INTEGER AS k, ${number(9, 40)} * 10 AS v,
        ${some(10, `'s' || ${number(10, keys + 2)}`)} AS s, ${number(11, 3)}::SMALLINT AS h
        FROM range(${rows(6, 40)}) AS r(i)`,
      one: `SELECT i::INTEGER AS k, 'name' || i AS name FROM range(${rows(7, 9)}) AS r(i)`,
      solid: `SELECT ${number(12, keys)}::INTEGER AS k, ${number(13, 3)}::INTEGER AS g
        FROM range(${rows(8, 12)}) AS r(i)`,
      empty: `SELECT 1::INTEGER AS k, 'x' AS s, 1.5::DECIMAL(9,2) AS m WHERE FALSE`,
      nested: `SELECT i::INTEGER AS id, ${some(14, `[i, ${number(14, keys)}, NULL]`)}::INTEGER[] AS l,
        ${some(15, `{'a': ${number(15, keys)}::INTEGER, 'b c': 'v' || ${number(16, 3)}}`)} AS st
        FROM range(${rows(9, 20)}) AS r(i)`,
    },
  }
}

/** A seed's bits spread: splitmix32 (Guy L. Steele and others, 2014). */
function mixed(value: number): number {
  let x = (value + 0x9E3779B9) | 0
  x = Math.imul(x ^ (x >>> 16), 0x21F0AAAD)
  x = Math.imul(x ^ (x >>> 15), 0x735A2D97)
  return (x ^ (x >>> 15)) >>> 0
}
