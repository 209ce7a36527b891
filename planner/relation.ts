/** SQL of a relation whose columns are c0, c1, …, and how texts of that form are put together. */

export interface Relation {
  readonly sql: string
  /** If it is no more than a named relation: its name, which a FROM can take as it is. */
  readonly table?: string
  /** How many columns it has; at 0 the text still selects one, which nobody reads. */
  readonly width: number
}

/** SELECT of the items as c0, c1, …; `tail` starts with a blank, `modifier` ends with one. */
export function select(items: readonly string[], tail: string, modifier = ''): Relation {
  const list = items.map((item, i) => item === `c${i}` ? item : `${item} AS c${i}`).join(', ')
  return { sql: `SELECT ${modifier}${list === '' ? '1 AS c0' : list}${tail}`, width: items.length }
}

/** The relation in a FROM. */
export function from({ sql, table }: Relation, alias: string): string {
  return table === undefined ? `(${sql}) AS ${alias}` : `${table} AS ${alias}`
}

/** `c0, c1, …` */
export function columnList(width: number): string {
  return Array.from({ length: width }, (_, i) => `c${i}`).join(', ')
}
