/**
 * Joins as SQL. Two kinds have no join of their own in SQL:
 *
 *   MARK     the left columns and whether a right row matches, with NULL where that is not known: op ANY (SELECT …)
 *   SINGLE   as LEFT, but a second match is an error: only a scalar subquery keeps that error
 */

import { unreachable } from '../proto/errors.ts'
import { emitExpression } from './emit-expression.ts'
import type { Join, JoinCondition } from './plan.ts'
import { from, select, type Relation } from './relation.ts'
import { Unsupported } from './unsupported.ts'

/** Both sides under their aliases, and the SQL of what comes out of each. */
interface Sides {
  readonly join: Join
  readonly leftFrom: string
  readonly rightFrom: string
  readonly rightAlias: string
  readonly left: readonly string[]
  readonly right: readonly string[]
  readonly leftSql: (condition: JoinCondition) => string
  readonly rightSql: (condition: JoinCondition) => string
  readonly condition: (condition: JoinCondition) => string
  /** All conditions, or the predicate. */
  readonly on: string
}

/** `alias` makes a new one at each call. */
export function emitJoin(join: Join, left: Relation, right: Relation, alias: () => string): Relation {
  const [l, r] = [alias(), alias()]
  const leftSql = (c: JoinCondition) => emitExpression(c.left, i => `${l}.c${i}`)
  const rightSql = (c: JoinCondition) => emitExpression(c.right, i => `${r}.c${i}`)
  const condition = (c: JoinCondition) => `(${leftSql(c)} ${c.op} ${rightSql(c)})`
  const shielded = (c: JoinCondition) => `(${condition(c)} IS TRUE)`
  const conditions = join.conditions.map(isEmptiedByStatistics(join) ? shielded : condition)
  const predicate = join.predicate === null ? []
    : [emitExpression(join.predicate, i => i < left.width ? `${l}.c${i}` : `${r}.c${i - left.width}`)]
  const sides: Sides = {
    join, leftFrom: from(left, l), rightFrom: from(right, r), rightAlias: r, leftSql, rightSql, condition,
    left: (join.leftOutput ?? positions(left)).map(i => `${l}.c${i}`),
    right: (join.rightOutput ?? positions(right)).map(i => `${r}.c${i}`),
    on: [...conditions, ...predicate].join(' AND ') || 'TRUE',
  }
  return join.asof ? asof(sides, alias) : plain(sides, alias)
}

/**
 * DuckDB 1.5 takes an ANTI JOIN for empty when statistics say that its only comparison is always true, though the other
 * side may turn out to have no rows.
 */
function isEmptiedByStatistics({ type, conditions }: Join): boolean {
  const isEquality = ({ op }: JoinCondition): boolean => op === '=' || op === 'IS NOT DISTINCT FROM'
  return (type === 'ANTI' || type === 'RIGHT_ANTI') && !conditions.some(isEquality)
}

const positions = ({ width }: Relation) => Array.from({ length: width }, (_, i) => i)

function plain(sides: Sides, alias: () => string): Relation {
  const { join: { type }, leftFrom, rightFrom, left, right, on } = sides
  switch (type) {
    case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL':
      return select([...left, ...right], ` FROM ${leftFrom} ${type} JOIN ${rightFrom} ON ${on}`)
    case 'SEMI': case 'ANTI': return select(left, ` FROM ${leftFrom} ${type} JOIN ${rightFrom} ON ${on}`)
    case 'RIGHT_SEMI': return select(right, ` FROM ${rightFrom} SEMI JOIN ${leftFrom} ON ${on}`)
    case 'RIGHT_ANTI': return select(right, ` FROM ${rightFrom} ANTI JOIN ${leftFrom} ON ${on}`)
    case 'MARK': return mark(sides)
    case 'SINGLE': return single(sides, alias)
    default: return unreachable(type)
  }
}

function asof(sides: Sides, alias: () => string): Relation {
  const { join: { type }, leftFrom, rightFrom, left, right, on } = sides
  switch (type) {
    case 'INNER': return select([...left, ...right], ` FROM ${leftFrom} ASOF JOIN ${rightFrom} ON ${on}`)
    case 'LEFT': return select([...left, ...right], ` FROM ${leftFrom} ASOF LEFT JOIN ${rightFrom} ON ${on}`)
    case 'RIGHT': return asofWithRest(sides, '', alias)
    case 'FULL': return asofWithRest(sides, 'LEFT ', alias)
    default: return refuse(`ASOF ${type}`)
  }
}

/**
 * RIGHT and FULL: the pairs, then the right rows that are in none. DuckDB 1.5's own joins wait for ever in an instance
 * of one thread, past an interrupt, when some of its partitions have right rows and no left ones.
 */
function asofWithRest({ leftFrom, rightFrom, right, rightAlias, left, on }: Sides, kept: string, alias: () => string) {
  const [numbered, pairs] = [alias(), alias()]
  const { sql, width } = select([...left, ...right],
    `, ${rightAlias}.n AS n FROM ${leftFrom} ASOF ${kept}JOIN ${numbered} AS ${rightAlias} ON ${on}`)
  const rest = select([...left.map(() => 'NULL'), ...right],
    ` FROM ${numbered} AS ${rightAlias} ANTI JOIN ${pairs} ON ${rightAlias}.n = ${pairs}.n`)
  return {
    sql: `WITH ${numbered} AS MATERIALIZED (SELECT *, row_number() OVER () AS n FROM ${rightFrom}), `
      + `${pairs} AS MATERIALIZED (${sql}) SELECT * EXCLUDE (n) FROM ${pairs} UNION ALL ${rest.sql}`,
    width,
  }
}

/**
 * Null-safe conditions are a correlation; the other one, if any, is the comparison of ANY, or if there are several, all
 * equalities, of a row with IN.
 */
function mark({ join, leftFrom, rightFrom, left, leftSql, rightSql, condition }: Sides): Relation {
  const isCorrelation = ({ op }: JoinCondition) => op === 'IS NOT DISTINCT FROM'
  const where = join.conditions.filter(isCorrelation).map(condition).join(' AND ')
  const source = ` FROM ${rightFrom}${where === '' ? '' : ` WHERE ${where}`}`
  const compared = join.conditions.filter(c => !isCorrelation(c))
  const [first, second] = compared
  const lefts = compared.map(leftSql).join(', ')
  const rights = compared.map(rightSql).join(', ')
  const marked = (sql: string) => select([...left, sql], ` FROM ${leftFrom}`)
  if (join.predicate !== null) return refuse('mark join on any condition')
  if (first === undefined) return marked(`EXISTS (SELECT 1${source})`)
  if (second !== undefined) {
    if (where !== '' || compared.some(({ op }) => op !== '=')) return refuse('mark join on several comparisons')
    return marked(`((${lefts}) IN (SELECT ${rights}${source}))`)
  }
  if (first.op === 'IS DISTINCT FROM') return refuse(`${first.op} ANY`)
  return marked(`(${lefts} ${first.op} ANY (SELECT ${rights}${source}))`)
}

/** Several columns travel in a struct; without a match it is NULL, and so are its fields. */
function single({ leftFrom, rightFrom, left, right, on }: Sides, alias: () => string): Relation {
  const source = ` FROM ${rightFrom} WHERE ${on}`
  const [only, ...more] = right
  if (only === undefined) return refuse('single join of no column')
  if (more.length === 0) return select([...left, `(SELECT ${only}${source})`], ` FROM ${leftFrom}`)
  const packed = right.map((item, i) => `'v${i}': ${item}`).join(', ')
  const inner = select([...left, `(SELECT {${packed}}${source})`], ` FROM ${leftFrom}`)
  const outer = alias()
  const unpacked = right.map((_, i) => `struct_extract(${outer}.c${left.length}, 'v${i}')`)
  return select([...left.map((_, i) => `${outer}.c${i}`), ...unpacked], ` FROM ${from(inner, outer)}`)
}

function refuse(reason: string): never {
  throw new Unsupported(reason)
}
