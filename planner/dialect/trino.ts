/**
 * Trino. Of integers `/` is a whole number; of decimals it answers DOUBLE here. Casts to varchar(n) cut. Weeks begin on
 * Monday.
 */

import type { Dialect, Rule, TypeRule } from './dialect.ts'
import {
  addUnits, commonParts, commonUnits, difference, formatted, mysqlElements, ofMoment, parsed, part, partFunction,
  truncation, type FormatElements, type Units,
} from './dates.ts'
import { trinoLexicon } from './lexicons.ts'
import {
  commonOperators, CONCAT, distinctFrom, divisor, elementAt, integerDivision, isOrdinal, LAMBDA, like,
  modulo, operator, POSTFIX,
  special, ZONE,
} from './operators.ts'
import {
  agg, at, cast, code, correlations, exactly, fn, joined, sameInAll, standardDeviations, strict, trims, tryCast,
} from './rules.ts'

/** Of the first argument, an array. */
const WITHOUT_NULL = 'len($1) = list_count($1)'
const WHITE_SPACE = '\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009'
  + '\u200a\u2028\u2029\u205f\u3000'
const text: TypeRule = { plain: 'VARCHAR', sized: 'VARCHAR', kind: 'text' }
const integer = (plain: string): TypeRule => ({ plain, sized: null, kind: 'integer' })
const decimal: TypeRule = { plain: 'DECIMAL(38, 0)', sized: 'DECIMAL($)', kind: 'fraction' }
const double: TypeRule = { plain: 'DOUBLE', sized: null, kind: 'fraction' }
const parts: Units = {
  ...commonParts, DAY_OF_WEEK: 'isodow', DOW: 'isodow', DAY_OF_YEAR: 'dayofyear', DOY: 'dayofyear', WEEK: 'week',
  DAY_OF_MONTH: 'day', YEAR_OF_WEEK: 'isoyear', YOW: 'isoyear',
}
/** Of Joda. */
const joda: FormatElements = {
  yyyy: '%Y', yy: '%y', MMMM: '%B', MMM: '%b', MM: '%m', dd: '%d', EEEE: '%A', EEE: '%a', HH: '%H', hh: '%I', mm: '%M',
  ss: '%S', a: '%p',
}

export const trino: Dialect = {
  name: 'trino', grammar: 'trino', lexicon: trinoLexicon, nulls: 'last',
  castsOfFractions: 'half-up',
  unnamed: position => `_col${position}`,
  options: { subscripts: 'one', lambdas: true },
  constants: {
    CURRENT_DATE: { sql: 'current_date', kind: 'date' }, CURRENT_TIMESTAMP: { sql: 'now()', kind: 'timestamp' },
    LOCALTIMESTAMP: { sql: 'CAST(now() AS TIMESTAMP)', kind: 'timestamp' },
  },
  operators: {
    ...commonOperators, ...distinctFrom,
    'LIKE': like('LIKE', null), 'NOT LIKE': like('NOT LIKE', null), '||': operator(CONCAT, '($1 || $2)', 'text'),
    '/': integerDivision, '%': modulo('error'),
    'AT TIME ZONE': special(ZONE, 'a AT TIME ZONE b', (left, _, refuse) => left.kind === 'timestamp'
      ? refuse('AT TIME ZONE, whose answer has a time zone of its own there,') : refuse('AT TIME ZONE')),
    '[]': special(POSTFIX, 'list_extract(a, b), an error beyond the end', (left, { members: [index] = [] }, refuse) => {
      if (index === undefined) return refuse('this subscript')
      if (index.kind === 'text') return refuse('a subscript of a map')
      return elementAt(left.sql, index.sql, false)
    }),
    '->': special(LAMBDA, 'lambda a: b', (left, right, refuse) => {
      const names = left.kind === 'tuple' ? left.members ?? [] : [left]
      if (names.some(({ word, sql }) => word === undefined && !/^"[^".]*"$/.test(sql))) return refuse('this lambda')
      return { sql: `lambda ${names.map(({ sql }) => sql).join(', ')}: ${right.sql}`, kind: 'path' }
    }),
  },
  types: {
    VARCHAR: text, TINYINT: integer('TINYINT'), SMALLINT: integer('SMALLINT'), INTEGER: integer('INTEGER'),
    INT: integer('INTEGER'), BIGINT: integer('BIGINT'), DECIMAL: decimal, DOUBLE: double,
    REAL: { plain: 'FLOAT', sized: null, kind: 'fraction' },
    BOOLEAN: { plain: 'BOOLEAN', sized: null, kind: 'boolean' },
    DATE: { plain: 'DATE', sized: null, kind: 'date' }, TIME: { plain: 'TIME', sized: null, kind: 'unknown' },
    TIMESTAMP: { plain: 'TIMESTAMP', sized: null, kind: 'timestamp' },
    'TIMESTAMP WITH TIME ZONE': { plain: 'TIMESTAMPTZ', sized: null, kind: 'timestamp' },
  },
  functions: {
    ...sameInAll, ...standardDeviations, ...correlations,
    CAST: cast, TRY_CAST: tryCast, TRY: fn('same', 'TRY($1)'),
    // conditions
    IF: fn('unknown', 'CASE WHEN $1 THEN $2 END', 'CASE WHEN $1 THEN $2 ELSE $3 END'),
    GREATEST: strict('greatest'), LEAST: strict('least'),
    // numbers
    ROUND: fn('number', 'round($1)', 'round($1, $2)'), TRUNCATE: fn('number', 'trunc($1)', 'trunc($1, $2)'),
    MOD: code('number', 'a % b', call => {
      exactly(call, 2)
      return `(${at(call, 0).sql} % ${divisor(at(call, 1), 'error')})`
    }),
    POW: fn('fraction', 'pow($1, $2)'), LOG: fn('fraction', 'log($1, $2)'), LOG10: fn('fraction', 'log10($1)'),
    LOG2: fn('fraction', 'log2($1)'), CBRT: fn('fraction', 'cbrt($1)'), PI: fn('fraction', 'pi()'),
    IS_NAN: fn('boolean', 'isnan($1)'),
    // strings
    CONCAT: code('unknown', 'a || b …, NULL if one is', ({ args }) => `(${args.map(({ sql }) => sql).join(' || ')})`),
    LENGTH: fn('integer', 'length($1)'), SUBSTR: substring(), SUBSTRING: substring(),
    ...trims(WHITE_SPACE, 'white space', 1),
    LPAD: fn('text', 'lpad($1, $2, $3)'), RPAD: fn('text', 'rpad($1, $2, $3)'), STRPOS: fn('integer', 'instr($1, $2)'),
    POSITION: fn('integer', 'instr($2, $1)'), STARTS_WITH: fn('boolean', 'starts_with($1, $2)'),
    SPLIT: fn('unknown', 'string_split($1, $2)'), CHR: fn('text', 'chr($1)'),
    SPLIT_PART: code('text', 'split_part(a, b, c), NULL beyond the last', call => {
      exactly(call, 3)
      const [value, separator, part] = [at(call, 0).sql, at(call, 1).sql, at(call, 2)]
      if (!isOrdinal(part)) return call.refuse('SPLIT_PART of a part that is not 1 or more, as a number', part)
      return `list_extract(string_split(${value}, ${separator}), ${part.sql})`
    }),
    REGEXP_LIKE: fn('boolean', 'regexp_matches($1, $2)'), CONCAT_WS: fn('text', 'concat_ws($*)'),
    // arrays
    CARDINALITY: fn('integer', 'len($1)'), ELEMENT_AT: fn('unknown', 'list_extract($1, $2)'),
    CONTAINS: fn('boolean',
      `CASE WHEN $2 IS NULL THEN NULL WHEN list_contains($1, $2) THEN TRUE WHEN ${WITHOUT_NULL} THEN FALSE END`),
    ARRAY_JOIN: fn('text', 'array_to_string($1, $2)'),
    ARRAY_DISTINCT: fn('unknown', 'list_filter($1, lambda x, i: list_position($1, x) = i)'),
    ARRAY_MAX: fn('unknown', `CASE WHEN ${WITHOUT_NULL} THEN list_max($1) END`),
    ARRAY_MIN: fn('unknown', `CASE WHEN ${WITHOUT_NULL} THEN list_min($1) END`),
    SEQUENCE: fn('unknown', 'generate_series($1, $2, CASE WHEN $1 <= $2 THEN 1 ELSE -1 END)',
      'generate_series($1, $2, $3)'),
    TRANSFORM: fn('unknown', 'list_transform($1, $2)'), FILTER: fn('unknown', 'list_filter($1, $2)'),
    UNNEST: { use: 'table', shown: 'UNNEST(a)', make: call => call.refuse('UNNEST outside of FROM') },
    // dates
    NOW: fn('timestamp', 'now()'), DATE: ofMoment('date', 'CAST($1 AS DATE)'),
    YEAR: partFunction('year'), QUARTER: partFunction('quarter'), MONTH: partFunction('month'),
    DAY: partFunction('day'),
    DAY_OF_MONTH: partFunction('day'), HOUR: partFunction('hour'), MINUTE: partFunction('minute'),
    SECOND: partFunction('second'), DAY_OF_WEEK: partFunction('isodow'), DOW: partFunction('isodow'),
    DAY_OF_YEAR: partFunction('dayofyear'), DOY: partFunction('dayofyear'), WEEK: partFunction('week'),
    EXTRACT: part(parts), DATE_ADD: addUnits(['unit', 'count', 'date'], commonUnits),
    DATE_DIFF: difference('whole', ['unit', 'from', 'to'], commonUnits),
    DATE_TRUNC: truncation('unit-first', commonUnits),
    LAST_DAY_OF_MONTH: ofMoment('date', 'last_day($1)'), FORMAT_DATETIME: formatted('date-first', joda),
    DATE_FORMAT: formatted('date-first', mysqlElements),
    DATE_PARSE: parsed('text-first', mysqlElements, 'TIMESTAMP', 'error'),
    FROM_UNIXTIME: fn('timestamp', 'to_timestamp($1)'), TO_UNIXTIME: ofMoment('fraction', 'epoch($1)'),
    FROM_ISO8601_DATE: fn('date', 'CAST($1 AS DATE)'),
    // aggregates
    APPROX_DISTINCT: agg('integer', 'approx_count_distinct($1)'), ARRAY_AGG: agg('unknown', 'list($d$1$o)'),
    COUNT_IF: agg('integer', 'count_if($1)'), BOOL_AND: agg('boolean', 'bool_and($1)'),
    EVERY: agg('boolean', 'bool_and($1)'),
    BOOL_OR: agg('boolean', 'bool_or($1)'), ARBITRARY: agg('same', 'any_value($1)'),
    ANY_VALUE: agg('same', 'any_value($1)'),
    MAX_BY: agg('same', 'arg_max_null($1, $2)'), MIN_BY: agg('same', 'arg_min_null($1, $2)'),
    LISTAGG: joined(null, [2]),
  },
}

/** From 0, and from before the beginning, it is empty. */
function substring(): Rule {
  return fn('text', "CASE WHEN $2 = 0 OR $2 < -length($1) THEN '' ELSE substring($1, $2) END",
    "CASE WHEN $2 = 0 OR $2 < -length($1) OR $3 <= 0 THEN '' ELSE substring($1, $2, $3) END")
}
