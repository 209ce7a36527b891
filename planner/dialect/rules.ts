/**
 * How the functions of a dialect are written in DuckDB. Most rules are forms, one for each number of arguments:
 *
 *   $1 … $9   an argument          $*   all of them, with commas
 *   $d        DISTINCT             $o   the ORDER BY inside
 *   $n        IGNORE NULLS         $w   FILTER and OVER
 *
 * What a call has and its form has no place for is refused.
 */

import type { Call, Kind, Rendered, Rule, Value } from './dialect.ts'
import { escapeText } from './literal.ts'
import { asMoment } from './operators.ts'

export type Rules = Readonly<Record<string, Rule>>

/** `kind` same: as the first argument. */
function byForm(use: Rule['use'], kind: Kind | 'same', forms: readonly string[], frame?: string): Rule {
  const make = (call: Call): Rendered => {
    const { args } = call
    const form = forms.find(form => form.includes('$*') ? args.length > 0 : arity(form) === args.length)
    if (form === undefined) return call.refuse(`${call.name} with ${args.length} arguments`)
    return { sql: fillForm(form, call), kind: kind === 'same' ? args[0]?.kind ?? 'unknown' : kind }
  }
  const shown = forms.map(form => form.replace(/\$[donw]/g, '').replace('$*', '…')
    .replace(/\$(\d)/g, (_, digit: string) => 'abcdefghi'[Number(digit) - 1] ?? '')).join('; ')
  return { use, shown, make, ...frame === undefined ? {} : { frame } }
}

function arity(form: string): number {
  return Math.max(0, ...[...form.matchAll(/\$(\d)/g)].map(([, digit]) => Number(digit)))
}

export function fillForm(form: string, call: Call): string {
  const { args, distinct, order, window, separator, ignoresNulls, type, argNames } = call
  const lacks = (mark: string): boolean => !form.includes(mark)
  if (distinct && lacks('$d')) call.refuse(`DISTINCT of ${call.name}`)
  if (order !== '' && lacks('$o')) call.refuse(`ORDER BY of ${call.name}`)
  if (window !== '' && lacks('$w')) call.refuse(`OVER or FILTER of ${call.name}`)
  if (ignoresNulls && lacks('$n')) call.refuse(`IGNORE NULLS of ${call.name}`)
  if (separator !== null) call.refuse(`SEPARATOR of ${call.name}`)
  if (type !== null) call.refuse(`a type in ${call.name}`)
  if (argNames.some(name => name !== null)) call.refuse(`names in ${call.name}`)
  return form.replace(/\$(\d|[*donw])/g, (_, mark: string) => {
    switch (mark) {
      case '*': return args.map(({ sql }) => sql).join(', ')
      case 'd': return distinct ? 'DISTINCT ' : ''
      case 'o': return order
      case 'n': return ignoresNulls ? ' IGNORE NULLS' : ''
      case 'w': return window
      default: return args[Number(mark) - 1]?.sql ?? ''
    }
  })
}

export function fn(kind: Kind | 'same', ...forms: readonly string[]): Rule {
  return byForm('scalar', kind, forms)
}

export function agg(kind: Kind | 'same', ...forms: readonly string[]): Rule {
  return byForm('aggregate', kind, forms.map(form => form.includes('$w') ? form : `${form}$w`))
}

export function win(kind: Kind | 'same', ...forms: readonly string[]): Rule {
  return byForm('window', kind, forms.map(form => `${form}$w`))
}

export function withFrame(rule: Rule, frame: string): Rule {
  return { ...rule, frame }
}

export function groups(name: string): Rule {
  return { use: 'group', shown: `${name} (…)`, make: call => call.refuse(`${name} outside of GROUP BY`) }
}

/** `make` reads the arguments alone; what else the call has is refused. */
export function code(kind: Kind, shown: string, make: (call: Call) => string | Rendered): Rule {
  return {
    use: 'scalar', shown,
    make: call => {
      const made = make(call)
      const sql = typeof made === 'string' ? made : made.sql
      fillForm('', call)
      return { sql, kind: typeof made === 'string' ? kind : made.kind }
    },
  }
}

export function at(call: Call, i: number): Value {
  return call.args[i] ?? call.refuse(`${call.name} with ${call.args.length} arguments`)
}

export function exactly(call: Call, ...lengths: readonly number[]): void {
  if (!lengths.includes(call.args.length)) call.refuse(`${call.name} with ${call.args.length} arguments`)
}

/** The text of an argument that must be a string written out. */
export function literal(call: Call, i: number, what: string): string {
  const value = at(call, i)
  return value.text ?? call.refuse(`${what} that is not written out`, value)
}

export function moment(call: Call, i: number): Rendered {
  return asMoment(at(call, i))
}

const casting = (isTry: boolean): Rule => ({
  use: 'scalar', shown: isTry ? 'TRY_CAST(a AS type)' : 'CAST(a AS type)',
  make: call => {
    exactly(call, 1)
    if (call.type === null) return call.refuse(`${call.name} without a type`)
    return call.cast(at(call, 0), call.type, isTry)
  },
})
export const cast = casting(false)
export const tryCast = casting(true)

/** A list with what stands between: of an ordered one the order is kept. */
export function joined(defaultSeparator: string | null, args: readonly number[] = [1, 2]): Rule {
  return {
    use: 'aggregate', shown: "string_agg(a, b)",
    make: call => {
      exactly(call, ...args)
      const separator = call.separator ?? call.args[1]?.sql ?? defaultSeparator
      if (separator === null) return call.refuse(`${call.name} without a separator`)
      if (call.ignoresNulls) return call.refuse(`IGNORE NULLS of ${call.name}`)
      const { sql } = at(call, 0)
      const list = `${call.distinct ? 'DISTINCT ' : ''}CAST(${sql} AS VARCHAR), ${separator}${call.order}`
      return { sql: `string_agg(${list})${call.window}`, kind: 'text' }
    },
  }
}

/** PERCENTILE_CONT(f) WITHIN GROUP (ORDER BY x) */
export function percentile(name: 'quantile_cont' | 'quantile_disc'): Rule {
  return {
    use: 'aggregate', shown: `${name}(x, a)`,
    make: call => {
      exactly(call, 1)
      const [by, ...more] = call.orderBy
      if (by === undefined || more.length > 0) return call.refuse(`${call.name} without WITHIN GROUP (ORDER BY x)`)
      if (call.distinct || call.ignoresNulls) return call.refuse(`DISTINCT of ${call.name}`)
      const part = at(call, 0).sql
      const share = call.orderTerms[0]?.descending === true ? `1 - ${part}` : part
      return { sql: `${name}(${by.sql}, ${share})${call.window}`, kind: 'unknown' }
    },
  }
}

/** NULL if one of the arguments is NULL, where DuckDB leaves NULLs out. */
export function strict(name: 'greatest' | 'least'): Rule {
  return code('unknown', `${name}(…), NULL if one is`, ({ args }) => {
    const nulls = args.map(({ sql }) => `${sql} IS NULL`).join(' OR ')
    return `CASE WHEN ${nulls} THEN NULL ELSE ${name}(${args.map(({ sql }) => sql).join(', ')}) END`
  })
}

/** TRIM, LTRIM and RTRIM, which take these characters off, called `shown`, or those of a second argument. */
export function trims(characters: string, shown: string, ...lengths: readonly number[]): Rules {
  return Object.fromEntries(['trim', 'ltrim', 'rtrim'].map(name => [
    name.toUpperCase(),
    code('text', `${name}(a) of ${shown}${lengths.includes(2) ? `; ${name}(a, b)` : ''}`, call => {
      exactly(call, ...lengths)
      return `${name}(${at(call, 0).sql}, ${call.args[1]?.sql ?? escapeText(characters)})`
    }),
  ]))
}

/** A count that fails where it is negative. */
export function notNegative(sql: string): string {
  return `CASE WHEN ${sql} < 0 THEN CAST('negative length' AS TINYINT) ELSE ${sql} END`
}

export const strictConcat: Rule = code('text', 'a || b …, NULL if one is', ({ args }) =>
  `(${args.map(({ sql }) => `CAST(${sql} AS VARCHAR)`).join(' || ')})`)

/** Functions that mean the same under the same name. */
export const sameInAll: Rules = {
  ABS: fn('same', 'abs($1)'), CEIL: fn('number', 'ceil($1)'), CEILING: fn('number', 'ceil($1)'),
  FLOOR: fn('number', 'floor($1)'), SIGN: fn('number', 'sign($1)'), SQRT: fn('fraction', 'sqrt($1)'),
  EXP: fn('fraction', 'exp($1)'), POWER: fn('fraction', 'pow($1, $2)'), LN: fn('fraction', 'ln($1)'),
  SIN: fn('fraction', 'sin($1)'), COS: fn('fraction', 'cos($1)'), TAN: fn('fraction', 'tan($1)'),
  ASIN: fn('fraction', 'asin($1)'), ACOS: fn('fraction', 'acos($1)'), ATAN: fn('fraction', 'atan($1)'),
  COALESCE: fn('same', 'coalesce($*)'), NULLIF: fn('same', 'nullif($1, $2)'),
  UPPER: fn('text', 'upper($1)'), LOWER: fn('text', 'lower($1)'),
  REPLACE: fn('text', 'replace($1, $2, $3)'), REVERSE: fn('text', 'reverse($1)'),
  CAST: cast,
  COUNT: agg('integer', 'count($d$1)'), SUM: agg('number', 'sum($d$1)'), AVG: agg('fraction', 'avg($d$1)'),
  MIN: agg('same', 'min($d$1)'), MAX: agg('same', 'max($d$1)'),
  ROW_NUMBER: win('integer', 'row_number()'), RANK: win('integer', 'rank()'),
  DENSE_RANK: win('integer', 'dense_rank()'), PERCENT_RANK: win('fraction', 'percent_rank()'),
  CUME_DIST: win('fraction', 'cume_dist()'), NTILE: win('integer', 'ntile($1)'),
  LAG: win('same', 'lag($1$n)', 'lag($1, $2$n)', 'lag($1, $2, $3$n)'),
  LEAD: win('same', 'lead($1$n)', 'lead($1, $2$n)', 'lead($1, $2, $3$n)'),
  FIRST_VALUE: win('same', 'first_value($1$n)'), LAST_VALUE: win('same', 'last_value($1$n)'),
  NTH_VALUE: win('same', 'nth_value($1, $2$n)'),
  ROLLUP: groups('ROLLUP'), CUBE: groups('CUBE'), 'GROUPING SETS': groups('GROUPING SETS'),
  GROUPING: fn('integer', 'grouping($*)'),
}

export const standardDeviations: Rules = {
  STDDEV: agg('fraction', 'stddev_samp($d$1)'), STDDEV_SAMP: agg('fraction', 'stddev_samp($d$1)'),
  STDDEV_POP: agg('fraction', 'stddev_pop($d$1)'), VARIANCE: agg('fraction', 'var_samp($d$1)'),
  VAR_SAMP: agg('fraction', 'var_samp($d$1)'), VAR_POP: agg('fraction', 'var_pop($d$1)'),
}

export const correlations: Rules = {
  CORR: agg('fraction', 'corr($1, $2)'), COVAR_POP: agg('fraction', 'covar_pop($1, $2)'),
  COVAR_SAMP: agg('fraction', 'covar_samp($1, $2)'),
}
