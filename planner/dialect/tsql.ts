/**
 * Transact-SQL of SQL Server. Of integers `/` is a whole number; strings are compared by their bytes here, with their
 * trailing blanks, not by a collation; division of other numbers answers DOUBLE.
 */

import type { Dialect, Rendered, Rule, TypeRule, Value } from './dialect.ts'
import {
  addUnits, commonParts, difference, formatOf, part, partFunction, unitsWithoutWeeks, truncation,
  type FormatElements, type Units,
} from './dates.ts'
import { tsqlLexicon } from './lexicons.ts'
import {
  commonOperators, distinctFrom, INTEGERS, integerDivision, isNumber, like, modulo, PLUS, special,
} from './operators.ts'
import {
  agg, at, cast, code, exactly, fn, joined, moment, notNegative, percentile, sameInAll, trims, tryCast,
  type Rules,
} from './rules.ts'

const text: TypeRule = { plain: null, sized: 'VARCHAR', kind: 'text' }
const integer = (plain: string): TypeRule => ({ plain, sized: null, kind: 'integer' })
const decimal: TypeRule = { plain: 'DECIMAL(18, 0)', sized: 'DECIMAL($)', kind: 'fraction' }
const time: TypeRule = { plain: 'TIMESTAMP', sized: null, kind: 'timestamp' }
/** Its weeks begin on Sunday. */
const units: Units = {
  ...unitsWithoutWeeks, YY: 'YEAR', YYYY: 'YEAR', QQ: 'QUARTER', Q: 'QUARTER', MM: 'MONTH', M: 'MONTH', DD: 'DAY',
  D: 'DAY',
  HH: 'HOUR', MI: 'MINUTE', N: 'MINUTE', SS: 'SECOND', S: 'SECOND', MS: 'MILLISECOND', MCS: 'MICROSECOND',
}
const addedUnits: Units = { ...units, WEEK: 'WEEK', WK: 'WEEK', WW: 'WEEK' }
const parts: Units = {
  ...commonParts, YY: 'YEAR', YYYY: 'YEAR', QQ: 'QUARTER', Q: 'QUARTER', MM: 'MONTH', M: 'MONTH', DD: 'DAY', D: 'DAY',
  HH: 'HOUR', MI: 'MINUTE', N: 'MINUTE', SS: 'SECOND', S: 'SECOND', DAYOFYEAR: 'dayofyear', DY: 'dayofyear',
  ISO_WEEK: 'week', ISOWK: 'week', WEEKDAY: '(dayofweek($1) + 1)', DW: '(dayofweek($1) + 1)',
}
const elements: FormatElements = {
  yyyy: '%Y', yy: '%y', MMMM: '%B', MMM: '%b', MM: '%m', dddd: '%A', ddd: '%a', dd: '%d', HH: '%H', hh: '%I', mm: '%M',
  ss: '%S', tt: '%p',
}
/** CONVERT's styles of dates. */
const styles: Readonly<Record<string, string>> = {
  23: '%Y-%m-%d', 112: '%Y%m%d', 120: '%Y-%m-%d %H:%M:%S', 101: '%m/%d/%Y', 103: '%d/%m/%Y', 104: '%d.%m.%Y',
  108: '%H:%M:%S', 111: '%Y/%m/%d',
}

/**
 * Of strings `+` puts one behind the other; a string beside a number would become one there. Of a column the type is
 * not known: substring takes strings alone, so DuckDB says if it is none.
 */
const plus = special(PLUS, 'a + b, of strings a || b', (left, right, refuse) => {
  const isText = ({ kind }: Value): boolean => kind === 'text'
  if (!isText(left) && !isText(right)) return commonOperators['+']?.make(left, right, refuse) ?? refuse('+')
  if ([left, right].some(isNumber)) return refuse('a string + a number')
  const [first, second] = [left, right].map(value => isText(value) ? value.sql : `substring(${value.sql}, 1)`)
  return { sql: `(${first} || ${second})`, kind: 'text' }
})

/** `[a-z]` in a pattern is a set of characters there. */
const pattern = (name: 'LIKE' | 'NOT LIKE') => special(like(name, null).level, `a ${name} b`, (left, right, refuse) => {
  if (right.text === undefined) return refuse(`${name} of a pattern that is not written out`)
  if (right.text.includes('[')) return refuse(`${name} of a pattern with [`)
  return like(name, null).make(left, right, refuse)
})

const convert = (isTry: boolean): Rule => ({
  use: 'scalar', shown: isTry ? 'TRY_CAST(a AS type)' : 'CAST(a AS type), strftime with a style',
  make: (call): Rendered => {
    exactly(call, 1, 2)
    const { type, args: [value, style] } = call
    if (type === null || value === undefined) return call.refuse(`${call.name} without a type`)
    if (style === undefined) return call.cast(value, type, isTry)
    const format = Object.hasOwn(styles, style.sql) ? styles[style.sql] : undefined
    if (format === undefined || type.kind !== 'text' || isTry) {
      return call.refuse(`the style ${style.sql} of ${call.name}`, style)
    }
    const sql = `strftime(${moment(call, 0).sql}, '${format}')`
    return { sql: type.length === null ? sql : `left(${sql}, ${type.length})`, kind: 'text' }
  },
})

const deviations: Rules = {
  STDEV: agg('fraction', 'stddev_samp($d$1)'), STDEVP: agg('fraction', 'stddev_pop($d$1)'),
  VAR: agg('fraction', 'var_samp($d$1)'), VARP: agg('fraction', 'var_pop($d$1)'),
}

export const tsql: Dialect = {
  name: 'tsql', grammar: 'transactsql', lexicon: tsqlLexicon, nulls: 'smallest', castsOfFractions: 'cut',
  options: { top: true, aliasEquals: true, recursiveUnsaid: true, textAliases: true },
  constants: { CURRENT_TIMESTAMP: { sql: 'CAST(now() AS TIMESTAMP)', kind: 'timestamp' } },
  operators: {
    ...commonOperators, ...distinctFrom,
    '+': plus, 'LIKE': pattern('LIKE'), 'NOT LIKE': pattern('NOT LIKE'), '/': integerDivision, '%': modulo('error'),
  },
  types: {
    VARCHAR: text, NVARCHAR: text,
    INT: integer('INTEGER'), INTEGER: integer('INTEGER'), BIGINT: integer('BIGINT'), SMALLINT: integer('SMALLINT'),
    TINYINT: integer('UTINYINT'), BIT: { plain: 'BOOLEAN', sized: null, kind: 'boolean' },
    DECIMAL: decimal, NUMERIC: decimal, MONEY: { plain: 'DECIMAL(19, 4)', sized: null, kind: 'fraction' },
    FLOAT: { plain: 'DOUBLE', sized: null, kind: 'fraction' }, REAL: { plain: 'FLOAT', sized: null, kind: 'fraction' },
    DATE: { plain: 'DATE', sized: null, kind: 'date' }, TIME: { plain: 'TIME', sized: null, kind: 'unknown' },
    DATETIME: time, DATETIME2: time, SMALLDATETIME: time,
    DATETIMEOFFSET: { plain: 'TIMESTAMPTZ', sized: null, kind: 'timestamp' },
  },
  functions: {
    ...withoutStandard(), ...deviations,
    CAST: { ...cast, make: refusingBits(cast.make) }, TRY_CAST: tryCast, CONVERT: convert(false),
    TRY_CONVERT: convert(true),
    // conditions
    ISNULL: fn('same', 'coalesce($1, $2)'), IIF: fn('unknown', 'CASE WHEN $1 THEN $2 ELSE $3 END'),
    GREATEST: fn('unknown', 'greatest($*)'), LEAST: fn('unknown', 'least($*)'),
    CHOOSE: code('unknown', 'CASE a WHEN 1 THEN b … END', call => {
      const [index, ...values] = call.args
      if (index === undefined || values.length === 0) return call.refuse('CHOOSE of nothing')
      return `CASE ${index.sql} ${values.map(({ sql }, i) => `WHEN ${i + 1} THEN ${sql}`).join(' ')} END`
    }),
    // numbers
    ROUND: fn('number', 'round($1, $2)'), LOG: fn('fraction', 'ln($1)', 'log($2, $1)'),
    LOG10: fn('fraction', 'log10($1)'),
    SQUARE: fn('fraction', '(CAST($1 AS DOUBLE) * $1)'), PI: fn('fraction', 'pi()'),
    // strings
    LEN: fn('integer', "length(rtrim($1, ' '))"), CONCAT: fn('text', 'concat($*)'),
    CONCAT_WS: fn('text', 'concat_ws($*)'), SUBSTRING: substring(),
    LEFT: fn('text', `left($1, ${notNegative('$2')})`), RIGHT: fn('text', `right($1, ${notNegative('$2')})`),
    ...trims(' ', 'blanks', 1),
    CHARINDEX: fn('integer', 'instr($2, $1)'),
    REPLICATE: fn('text', 'CASE WHEN $2 >= 0 THEN repeat($1, $2) END'),
    SPACE: fn('text', "CASE WHEN $1 >= 0 THEN repeat(' ', $1) END"), ASCII: fn('integer', 'ascii($1)'),
    STUFF: fn('text', "CASE WHEN $2 BETWEEN 1 AND length($1) AND $3 >= 0 "
      + "THEN (left($1, $2 - 1) || coalesce($4, '') || substring($1, $2 + $3)) END"),
    FORMAT: code('text', 'strftime(a, format)', call => {
      exactly(call, 2)
      if ((call.args[1]?.text?.length ?? 0) < 2) return call.refuse('a FORMAT that is a letter', call.args[1])
      return `strftime(${moment(call, 0).sql}, ${formatOf(call, 1, elements)})`
    }),
    // dates
    GETDATE: fn('timestamp', 'CAST(now() AS TIMESTAMP)'), SYSDATETIME: fn('timestamp', 'CAST(now() AS TIMESTAMP)'),
    YEAR: partFunction('year'), MONTH: partFunction('month'), DAY: partFunction('day'),
    DATEPART: part(parts),
    DATENAME: code('text', "strftime(a, '%B'), strftime(a, '%A')", call => {
      exactly(call, 2)
      const format = { MONTH: '%B', MM: '%B', M: '%B', WEEKDAY: '%A', DW: '%A' }[at(call, 0).word ?? '']
      if (format === undefined) return call.refuse('this part in DATENAME', at(call, 0))
      return `strftime(${moment(call, 1).sql}, '${format}')`
    }),
    DATEADD: addUnits(['unit', 'count', 'date'], addedUnits),
    DATEDIFF: difference('boundaries', ['unit', 'from', 'to'], units),
    DATEDIFF_BIG: difference('boundaries', ['unit', 'from', 'to'], units),
    DATETRUNC: truncation('unit-first', { ...units, ISO_WEEK: 'WEEK' }),
    EOMONTH: code('date', 'last_day(a)', call => {
      exactly(call, 1, 2)
      const months = call.args[1]
      return months === undefined ? `last_day(${moment(call, 0).sql})`
        : `last_day(${moment(call, 0).sql} + INTERVAL 1 MONTH * ${months.sql})`
    }),
    DATEFROMPARTS: fn('date', 'make_date($1, $2, $3)'),
    DATETIMEFROMPARTS: fn('timestamp', 'make_timestamp($1, $2, $3, $4, $5, $6 + $7 / 1000.0)'),
    // aggregates
    COUNT_BIG: agg('integer', 'count($d$1)'), STRING_AGG: joined(null, [2]),
    PERCENTILE_CONT: percentile('quantile_cont'), PERCENTILE_DISC: percentile('quantile_disc'),
    APPROX_COUNT_DISTINCT: agg('integer', 'approx_count_distinct($1)'),
  },
}

/** Its AVG of integers is an integer, and of what type a column is, the text says nothing; LN is called LOG. */
function withoutStandard(): Rules {
  const { LN: _, CEIL: _ceil, ...rules } = sameInAll
  return {
    ...rules,
    AVG: {
      use: 'aggregate', shown: 'avg(a); of integers trunc(avg(a))',
      make: call => {
        exactly(call, 1)
        const value = at(call, 0)
        const plain = `avg(${call.distinct ? 'DISTINCT ' : ''}${value.sql})${call.window}`
        if (call.order !== '' || call.ignoresNulls) return call.refuse('this AVG')
        if (value.kind === 'integer') return { sql: `CAST(trunc(${plain}) AS BIGINT)`, kind: 'integer' }
        if (value.kind === 'fraction') return { sql: plain, kind: 'fraction' }
        const isInteger = `typeof(min(${value.sql})${call.window}) IN ${INTEGERS}`
        return { sql: `CASE WHEN ${isInteger} THEN trunc(${plain}) ELSE ${plain} END`, kind: 'number' }
      },
    },
  }
}

/** What lies before the beginning counts, and is not there. */
function substring(): Rule {
  const length = notNegative('$3')
  const before = `left($1, greatest($2 - 1 + ${length}, 0))`
  return fn('text', `CASE WHEN $2 < 1 THEN ${before} ELSE substring($1, $2, ${length}) END`)
}

function refusingBits(make: typeof cast.make): typeof cast.make {
  return call => call.type?.sql === 'BOOLEAN' && call.args[0]?.kind === 'text'
    ? call.refuse('a string as BIT') : make(call)
}
