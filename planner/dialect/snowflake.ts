/**
 * Snowflake. Unquoted names are upper case there, and quoted ones as written; as DuckDB's mean the same in any case,
 * two that differ by case alone are refused. Division answers DOUBLE; weeks begin on Monday (WEEK_START 0).
 */

import { escapeText } from './literal.ts'
import type { Call, Dialect, Rendered, Rule, TypeRule, Value } from './dialect.ts'
import {
  addUnits, commonParts, commonUnits, difference, formatOf, ofMoment, parsed, part, partFunction, truncation,
  type FormatElements, type Units,
} from './dates.ts'
import { snowflakeLexicon } from './lexicons.ts'
import {
  commonOperators, COMPARISON, distinctFrom, division, divisor, isOrdinal, like, modulo, negated, operator,
  PLUS, POSTFIX, special,
} from './operators.ts'
import {
  agg, at, cast, code, correlations, exactly, fn, joined, percentile, sameInAll, standardDeviations, strict,
  strictConcat, trims, tryCast, win, withFrame,
} from './rules.ts'

const text: TypeRule = { plain: 'VARCHAR', sized: 'VARCHAR', kind: 'text' }
const number: TypeRule = { plain: 'DECIMAL(38, 0)', sized: 'DECIMAL($)', kind: 'fraction' }
const integer: TypeRule = { plain: 'BIGINT', sized: null, kind: 'integer' }
const double: TypeRule = { plain: 'DOUBLE', sized: null, kind: 'fraction' }
const moment: TypeRule = { plain: 'TIMESTAMP', sized: null, kind: 'timestamp' }
const rlike = operator(COMPARISON, 'regexp_full_match($1, $2)', 'boolean')
const WHOLE = 'ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING'

const units: Units = {
  ...commonUnits,
  ...Object.fromEntries(Object.keys(commonUnits).map(unit => [`${unit}S`, unit])),
  YY: 'YEAR', YYYY: 'YEAR', YR: 'YEAR', MM: 'MONTH', MON: 'MONTH', D: 'DAY', DD: 'DAY', WK: 'WEEK', Q: 'QUARTER',
  QTR: 'QUARTER', H: 'HOUR', HH: 'HOUR', HR: 'HOUR', M: 'MINUTE', MI: 'MINUTE', MIN: 'MINUTE', S: 'SECOND',
  SEC: 'SECOND',
}
const parts: Units = {
  ...commonParts, DAYOFWEEK: 'dayofweek', DOW: 'dayofweek', DAYOFWEEKISO: 'isodow', DAYOFYEAR: 'dayofyear',
  DOY: 'dayofyear', WEEKISO: 'week', EPOCH_SECOND: 'CAST(epoch($1) AS BIGINT)', MM: 'MONTH', YY: 'YEAR', DD: 'DAY',
}
const elements: FormatElements = {
  YYYY: '%Y', YY: '%y', MMMM: '%B', MM: '%m', MON: '%b', DD: '%d', DY: '%a', HH24: '%H', HH12: '%I', MI: '%M', SS: '%S',
  AM: '%p', PM: '%p',
}

export const snowflake: Dialect = {
  name: 'snowflake', grammar: 'snowflake', lexicon: snowflakeLexicon, nulls: 'largest', foldsNames: 'upper',
  castsOfFractions: 'half-up',
  options: { top: true, qualify: true, groupByAll: true, minus: true, jsonPaths: true },
  constants: {
    CURRENT_DATE: { sql: 'current_date', kind: 'date' }, CURRENT_TIMESTAMP: { sql: 'now()', kind: 'timestamp' },
  },
  operators: {
    ...commonOperators, ...distinctFrom,
    'LIKE': like('LIKE', null), 'NOT LIKE': like('NOT LIKE', null),
    'ILIKE': like('ILIKE', null), 'NOT ILIKE': like('NOT ILIKE', null),
    'RLIKE': rlike, 'REGEXP': rlike, 'NOT RLIKE': negated(rlike), 'NOT REGEXP': negated(rlike),
    '||': operator(PLUS, '($1 || $2)', 'text'),
    '/': division('error'), '%': modulo('error'),
    // days lie between two dates
    '-': special(PLUS, 'a - b', (left, right, refuse) => {
      const isMoment = ({ kind }: Value): boolean => kind === 'date' || kind === 'unknown'
      if (left.kind !== 'interval' && right.kind !== 'interval' && isMoment(left) && isMoment(right)) {
        return { sql: `(${left.sql} - ${right.sql})`, kind: 'number' }
      }
      return commonOperators['-']?.make(left, right, refuse) ?? refuse('-')
    }),
    '::': special(POSTFIX, 'CAST(a AS type)', (left, { type }, refuse) => {
      if (type === undefined) return refuse('this cast')
      const isPath = left.kind === 'json'
      const value = isPath ? { ...left, sql: left.sql.replace('json_extract(', 'json_extract_string(') } : left
      const sql = `CAST(${value.sql} AS ${type.sql})`
      return { sql: type.length === null ? sql : `left(${sql}, ${type.length})`, kind: type.kind }
    }),
    ':': special(POSTFIX, 'json_extract(a, path)', (left, right) =>
      ({ sql: `json_extract(${left.sql}, ${right.sql})`, kind: 'json' })),
  },
  types: {
    VARCHAR: text, STRING: text, TEXT: text, CHAR: { ...text, sized: null },
    NUMBER: number, DECIMAL: number, NUMERIC: number,
    INT: integer, INTEGER: integer, BIGINT: integer, SMALLINT: integer, TINYINT: integer,
    FLOAT: double, DOUBLE: double, 'DOUBLE PRECISION': double, REAL: double,
    BOOLEAN: { plain: 'BOOLEAN', sized: null, kind: 'boolean' },
    DATE: { plain: 'DATE', sized: null, kind: 'date' }, TIME: { plain: 'TIME', sized: null, kind: 'unknown' },
    TIMESTAMP: moment, DATETIME: moment, TIMESTAMP_NTZ: moment, TIMESTAMP_TZ: { ...moment, plain: 'TIMESTAMPTZ' },
  },
  functions: {
    ...sameInAll, ...standardDeviations, ...correlations,
    FIRST_VALUE: withFrame(win('same', 'first_value($1$n)'), WHOLE),
    LAST_VALUE: withFrame(win('same', 'last_value($1$n)'), WHOLE),
    NTH_VALUE: withFrame(win('same', 'nth_value($1, $2$n)'), WHOLE),
    TRY_CAST: tryCast, CAST: cast,
    // conditions
    IFF: fn('unknown', 'CASE WHEN $1 THEN $2 ELSE $3 END'), IFNULL: fn('same', 'coalesce($1, $2)'),
    NVL: fn('same', 'coalesce($1, $2)'), NVL2: fn('unknown', 'CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END'),
    ZEROIFNULL: fn('number', 'coalesce($1, 0)'), NULLIFZERO: fn('same', 'nullif($1, 0)'),
    EQUAL_NULL: fn('boolean', '($1 IS NOT DISTINCT FROM $2)'), GREATEST: strict('greatest'), LEAST: strict('least'),
    DECODE: code('unknown', 'CASE WHEN a IS NOT DISTINCT FROM b THEN c … END', decode),
    // numbers
    ROUND: fn('number', 'round($1)', 'round($1, $2)'), TRUNC: truncate(),
    TRUNCATE: fn('number', 'trunc($1)', 'trunc($1, $2)'),
    MOD: code('number', 'a % b', call => {
      exactly(call, 2)
      return `(${at(call, 0).sql} % ${divisor(at(call, 1), 'error')})`
    }),
    POW: fn('fraction', 'pow($1, $2)'), SQUARE: fn('number', '($1 * $1)'), LOG: fn('fraction', 'log($1, $2)'),
    PI: fn('fraction', 'pi()'),
    DIV0: fn('fraction', 'CASE WHEN $2 = 0 THEN 0 ELSE $1 / $2 END'),
    DIV0NULL: fn('fraction', 'CASE WHEN coalesce($2, 0) = 0 THEN 0 ELSE $1 / $2 END'),
    // strings
    CONCAT: strictConcat, CONCAT_WS: strictWithSeparator(), LENGTH: fn('integer', 'length($1)'),
    LEN: fn('integer', 'length($1)'),
    SUBSTR: substring(), SUBSTRING: substring(), LEFT: fn('text', 'left($1, greatest($2, 0))'),
    RIGHT: fn('text', 'right($1, greatest($2, 0))'),
    ...trims(' ', 'blanks', 1, 2), LPAD: fn('text', 'lpad($1, $2, $3)'),
    RPAD: fn('text', 'rpad($1, $2, $3)'), REPEAT: fn('text', 'repeat($1, greatest($2, 0))'),
    CHARINDEX: fn('integer', 'instr($2, $1)'), POSITION: fn('integer', 'instr($2, $1)'),
    CONTAINS: fn('boolean', 'contains($1, $2)'), STARTSWITH: fn('boolean', 'starts_with($1, $2)'),
    ENDSWITH: fn('boolean', 'ends_with($1, $2)'), ASCII: fn('integer', 'ascii($1)'), CHR: fn('text', 'chr($1)'),
    SPLIT_PART: code('text', 'split_part(a, b, c)', call => {
      exactly(call, 3)
      const part = at(call, 2)
      if (!isOrdinal(part)) return call.refuse('SPLIT_PART of a part that is not 1 or more, as a number', part)
      return `split_part(${call.args.map(({ sql }) => sql).join(', ')})`
    }),
    REGEXP_LIKE: fn('boolean', 'regexp_full_match($1, $2)'), MD5: fn('text', 'md5($1)'),
    TO_VARCHAR: toText(), TO_CHAR: toText(),
    TO_NUMBER: fn('fraction', 'CAST($1 AS DECIMAL(38, 0))'), TO_DOUBLE: fn('fraction', 'CAST($1 AS DOUBLE)'),
    // dates
    TO_DATE: toDate('DATE', 'error'), TRY_TO_DATE: toDate('DATE', 'null'), DATE: toDate('DATE', 'error'),
    TO_TIMESTAMP: toDate('TIMESTAMP', 'error'), TO_TIMESTAMP_NTZ: toDate('TIMESTAMP', 'error'),
    CURRENT_DATE: fn('date', 'current_date'), CURRENT_TIMESTAMP: fn('timestamp', 'now()'),
    YEAR: partFunction('year'), QUARTER: partFunction('quarter'), MONTH: partFunction('month'),
    DAY: partFunction('day'),
    DAYOFMONTH: partFunction('day'), HOUR: partFunction('hour'), MINUTE: partFunction('minute'),
    SECOND: partFunction('second'), DAYOFWEEK: partFunction('dayofweek'), DAYOFWEEKISO: partFunction('isodow'),
    DAYOFYEAR: partFunction('dayofyear'), WEEKISO: partFunction('week'),
    EXTRACT: part(parts), DATE_PART: part(parts),
    DATEADD: addUnits(['unit', 'count', 'date'], units), TIMESTAMPADD: addUnits(['unit', 'count', 'date'], units),
    DATEDIFF: difference('boundaries', ['unit', 'from', 'to'], units),
    TIMESTAMPDIFF: difference('boundaries', ['unit', 'from', 'to'], units),
    DATE_TRUNC: truncation('unit-first', units), LAST_DAY: ofMoment('date', 'last_day($1)'),
    ADD_MONTHS: code('unknown', 'date + b * INTERVAL 1 MONTH, the last day stays the last', call => {
      exactly(call, 2)
      return call.refuse('ADD_MONTHS, which keeps the last day of a month: DATEADD does not, and it')
    }),
    DAYNAME: ofMoment('text', "strftime($1, '%a')"), MONTHNAME: ofMoment('text', "strftime($1, '%b')"),
    DATE_FROM_PARTS: fn('date', 'make_date($1, $2, $3)'),
    // aggregates
    LISTAGG: emptyForNull(joined("''")), COUNT_IF: agg('integer', 'count_if($1)'),
    ANY_VALUE: agg('same', 'any_value($1)'),
    MEDIAN: agg('fraction', 'median($1)'), APPROX_COUNT_DISTINCT: agg('integer', 'approx_count_distinct($1)'),
    PERCENTILE_CONT: percentile('quantile_cont'), PERCENTILE_DISC: percentile('quantile_disc'),
    BOOLAND_AGG: agg('boolean', 'bool_and($1)'), BOOLOR_AGG: agg('boolean', 'bool_or($1)'),
    MAX_BY: agg('same', 'arg_max_null($1, $2)'), MIN_BY: agg('same', 'arg_min_null($1, $2)'),
  },
}

function decode(call: Call): string {
  const [value, ...rest] = call.args
  if (value === undefined || rest.length < 2) return call.refuse('DECODE of so few arguments')
  let sql = 'CASE'
  for (let i = 0; i + 1 < rest.length; i += 2) {
    sql += ` WHEN ${value.sql} IS NOT DISTINCT FROM ${rest[i]?.sql} THEN ${rest[i + 1]?.sql}`
  }
  return `${sql}${rest.length % 2 === 1 ? ` ELSE ${rest.at(-1)?.sql}` : ''} END`
}

/** Of a date to a unit, or of a number to its digits. */
function truncate(): Rule {
  const ofDate = truncation('date-first', units)
  return code('unknown', 'trunc(a), trunc(a, b), or date_trunc', (call): Rendered => {
    exactly(call, 1, 2)
    const [value, to] = [at(call, 0), call.args[1]]
    if (to === undefined) return { sql: `trunc(${value.sql})`, kind: 'number' }
    return to.text !== undefined ? ofDate.make(call) : { sql: `trunc(${value.sql}, ${to.sql})`, kind: 'number' }
  })
}

/** NULL if one is NULL, the separator too. */
function strictWithSeparator(): Rule {
  return code('text', 'a with b between, NULL if one is', call => {
    const [separator, ...values] = call.args
    if (separator === undefined || values.length === 0) return call.refuse('CONCAT_WS of nothing')
    return `(${values.map(({ sql }) => `CAST(${sql} AS VARCHAR)`).join(` || ${separator.sql} || `)})`
  })
}

/** From 0 it is as from 1. */
function substring(): Rule {
  return fn('text', 'substring($1, CASE WHEN $2 = 0 THEN 1 ELSE $2 END)',
    "CASE WHEN $3 <= 0 THEN '' ELSE substring($1, CASE WHEN $2 = 0 THEN 1 ELSE $2 END, $3) END")
}

function toText(): Rule {
  return code('text', 'CAST(a AS VARCHAR), strftime(a, format)', call => {
    exactly(call, 1, 2)
    const { sql } = at(call, 0)
    return call.args.length === 1 ? `CAST(${sql} AS VARCHAR)` : `strftime(${sql}, ${formatOf(call, 1, elements)})`
  })
}

function toDate(type: 'DATE' | 'TIMESTAMP', failing: 'null' | 'error'): Rule {
  const withFormat = parsed('text-first', elements, type, failing)
  const kind = type === 'DATE' ? 'date' : 'timestamp'
  const word = failing === 'null' ? 'TRY_CAST' : 'CAST'
  return code(kind, `${word}(a AS ${type}), or strptime with a format`, call => {
    exactly(call, 1, 2)
    if (call.args.length === 2) return withFormat.make(call)
    const value = at(call, 0)
    if (value.kind === 'integer' || value.kind === 'number' || /^\s*\d+\s*$/.test(value.text ?? '')) {
      return call.refuse(`${call.name} of a number of seconds`, value)
    }
    return `${word}(${value.sql} AS ${type})`
  })
}

/** LISTAGG of nothing is an empty string. */
function emptyForNull(rule: Rule): Rule {
  return {
    ...rule, shown: `coalesce(${rule.shown}, ${escapeText('')})`,
    make: call => ({ sql: `coalesce(${rule.make(call).sql}, '')`, kind: 'text' }),
  }
}
