/**
 * BigQuery (GoogleSQL). TIMESTAMP is DuckDB's TIMESTAMPTZ, DATETIME its TIMESTAMP, INT64 BIGINT, FLOAT64 DOUBLE;
 * NUMERIC is DECIMAL(38, 9). A number with a point is a DECIMAL here.
 */

import type { Call, Dialect, Rendered, Rule, TypeRule } from './dialect.ts'
import {
  addInterval, boundaries, commonParts, formatOf, formatted, ofMoment, part, unitOf, unitsWithoutWeeks, truncation,
  type FormatElements,
  type Units,
} from './dates.ts'
import { bigqueryLexicon } from './lexicons.ts'
import {
  commonOperators, distinctFrom, division, divisor, elementAt, like, operator, POSTFIX, special, TIMES,
} from './operators.ts'
import {
  agg, at, cast, code, correlations, exactly, fn, joined, moment, notNegative, sameInAll, standardDeviations, strict,
  strictConcat, trims, tryCast, type Rules,
} from './rules.ts'
import { quoteName } from '../../proto/sql-text.ts'

/** Unicode's. */
const WHITE_SPACE = '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009'
  + '\u200a\u2028\u2029\u202f\u205f\u3000'
const integer: TypeRule = { plain: 'BIGINT', sized: null, kind: 'integer' }
const numeric: TypeRule = { plain: 'DECIMAL(38, 9)', sized: 'DECIMAL($)', kind: 'fraction' }
const double: TypeRule = { plain: 'DOUBLE', sized: null, kind: 'fraction' }
/** WEEK begins on Sunday there, ISOWEEK on Monday as in DuckDB. */
const units: Units = { ...unitsWithoutWeeks, ISOWEEK: 'WEEK' }
const parts: Units = {
  ...commonParts, DAYOFWEEK: '(dayofweek($1) + 1)', DAYOFYEAR: 'dayofyear', ISOWEEK: 'week', ISOYEAR: 'isoyear',
}
const elements: FormatElements = {
  '%Y': '%Y', '%y': '%y', '%m': '%m', '%d': '%d', '%H': '%H', '%I': '%I', '%M': '%M', '%S': '%S', '%p': '%p',
  '%j': '%j',
  '%B': '%B', '%b': '%b', '%A': '%A', '%a': '%a', '%F': '%Y-%m-%d', '%T': '%H:%M:%S', '%%': '%%', '%G': '%G',
  '%V': '%V',
}

/** Functions of DATE, DATETIME and TIMESTAMP have the same forms. */
const dated: Rules = Object.fromEntries(['DATE', 'DATETIME', 'TIMESTAMP'].flatMap(type => [
  [`${type}_ADD`, addInterval('+')], [`${type}_SUB`, addInterval('-')],
  [`${type}_TRUNC`, truncation('date-first', units)], [`${type}_DIFF`, difference(type)],
  [`FORMAT_${type}`, formatted('format-first', elements)],
]))

/** In a subscript, which reads its name off the text. */
const position: Rule = code('path', 'in a subscript', call => {
  exactly(call, 1)
  return `${call.name} ${at(call, 0).sql}`
})

export const bigquery: Dialect = {
  castsOfFractions: 'half-up',
  name: 'bigquery', grammar: 'bigquery', lexicon: bigqueryLexicon, nulls: 'smallest',
  unnamed: (_, unnamed) => `f${unnamed}_`,
  options: { qualify: true, groupByAll: true, unionSaysWhich: true, dottedNames: true, subscripts: 'named' },
  constants: {
    CURRENT_DATE: { sql: 'current_date', kind: 'date' }, CURRENT_TIMESTAMP: { sql: 'now()', kind: 'timestamp' },
  },
  operators: {
    ...commonOperators, ...distinctFrom,
    'LIKE': like('LIKE', '\\'), 'NOT LIKE': like('NOT LIKE', '\\'),
    '||': operator(TIMES, '($1 || $2)', 'text'),
    '/': division('error'),
    '[]': special(POSTFIX, 'list_extract(a, b)', (left, { members: [index] = [] }, refuse) => {
      const [, safe, from, position] = /^(SAFE_)?(OFFSET|ORDINAL) ([\s\S]*)$/.exec(index?.sql ?? '') ?? []
      if (from === undefined || position === undefined) return refuse('a subscript without OFFSET or ORDINAL')
      return elementAt(left.sql, from === 'OFFSET' ? `${position} + 1` : position, safe !== undefined)
    }),
  },
  types: {
    INT64: integer, INT: integer, INTEGER: integer, BIGINT: integer, SMALLINT: integer,
    FLOAT64: double, NUMERIC: numeric, DECIMAL: numeric,
    STRING: { plain: 'VARCHAR', sized: null, kind: 'text' }, BOOL: { plain: 'BOOLEAN', sized: null, kind: 'boolean' },
    BOOLEAN: { plain: 'BOOLEAN', sized: null, kind: 'boolean' },
    DATE: { plain: 'DATE', sized: null, kind: 'date' }, TIME: { plain: 'TIME', sized: null, kind: 'unknown' },
    DATETIME: { plain: 'TIMESTAMP', sized: null, kind: 'timestamp' },
    TIMESTAMP: { plain: 'TIMESTAMPTZ', sized: null, kind: 'timestamp' },
  },
  functions: {
    ...sameInAll, ...standardDeviations, ...correlations, ...dated,
    SAFE_CAST: tryCast, CAST: cast,
    // conditions
    IF: fn('unknown', 'CASE WHEN $1 THEN $2 ELSE $3 END'), IFNULL: fn('same', 'coalesce($1, $2)'),
    GREATEST: strict('greatest'), LEAST: strict('least'),
    // numbers
    ROUND: fn('number', 'round($1)', 'round($1, $2)'), TRUNC: fn('number', 'trunc($1)', 'trunc($1, $2)'),
    POW: fn('fraction', 'pow($1, $2)'), LOG: fn('fraction', 'ln($1)', 'log($2, $1)'),
    LOG10: fn('fraction', 'log10($1)'),
    SAFE_DIVIDE: fn('fraction', '($1 / nullif($2, 0))'), IEEE_DIVIDE: fn('fraction', '(CAST($1 AS DOUBLE) / $2)'),
    MOD: code('number', 'a % b', call => {
      exactly(call, 2)
      return `(${at(call, 0).sql} % ${divisor(at(call, 1), 'error')})`
    }),
    DIV: code('integer', 'trunc(a // b)', call => {
      exactly(call, 2)
      return `trunc(${at(call, 0).sql} // ${divisor(at(call, 1), 'error')})`
    }),
    // strings
    CONCAT: strictConcat, LENGTH: fn('integer', 'length($1)'), CHAR_LENGTH: fn('integer', 'length($1)'),
    BYTE_LENGTH: fn('integer', 'strlen($1)'), SUBSTR: substring(), SUBSTRING: substring(),
    LEFT: fn('text', `left($1, ${notNegative('$2')})`), RIGHT: fn('text', `right($1, ${notNegative('$2')})`),
    ...trims(WHITE_SPACE, 'white space', 1, 2), LPAD: fn('text', "lpad($1, $2, ' ')", 'lpad($1, $2, $3)'),
    RPAD: fn('text', "rpad($1, $2, ' ')", 'rpad($1, $2, $3)'), REPEAT: fn('text', `repeat($1, ${notNegative('$2')})`),
    STRPOS: fn('integer', 'instr($1, $2)'), STARTS_WITH: fn('boolean', 'starts_with($1, $2)'),
    ENDS_WITH: fn('boolean', 'ends_with($1, $2)'), REGEXP_CONTAINS: fn('boolean', 'regexp_matches($1, $2)'),
    REGEXP_REPLACE: fn('text', "regexp_replace($1, $2, $3, 'g')"),
    SPLIT: fn('unknown', "string_split($1, ',')", 'string_split($1, $2)'),
    // arrays and structs
    ARRAY_LENGTH: fn('integer', 'len($1)'),
    GENERATE_ARRAY: fn('unknown', 'generate_series($1, $2)', 'generate_series($1, $2, $3)'),
    ARRAY_TO_STRING: fn('text', 'array_to_string($1, $2)'), ARRAY_CONCAT: fn('unknown', 'list_concat($1, $2)'),
    ARRAY_REVERSE: fn('unknown', 'list_reverse($1)'),
    OFFSET: position, SAFE_OFFSET: position, ORDINAL: position, SAFE_ORDINAL: position,
    STRUCT: { use: 'scalar', shown: "{'name': a, …}", make: struct },
    UNNEST: { use: 'table', shown: 'UNNEST(a)', make: call => call.refuse('UNNEST outside of FROM') },
    // dates
    CURRENT_DATE: fn('date', 'current_date'), CURRENT_TIMESTAMP: fn('timestamp', 'now()'),
    DATE: code('date', 'CAST(a AS DATE), make_date(a, b, c)', call => {
      exactly(call, 1, 3)
      const list = call.args.map(({ sql }) => sql).join(', ')
      return call.args.length === 3 ? `make_date(${list})` : `CAST(${moment(call, 0).sql} AS DATE)`
    }),
    EXTRACT: part(parts), LAST_DAY: ofMoment('date', 'last_day($1)'),
    UNIX_SECONDS: ofMoment('integer', 'CAST(floor(epoch($1)) AS BIGINT)'),
    TIMESTAMP_SECONDS: fn('timestamp', 'to_timestamp($1)'),
    PARSE_DATE: code('date', 'CAST(strptime(text, format) AS DATE)', call => {
      exactly(call, 2)
      return `CAST(strptime(${at(call, 1).sql}, ${formatOf(call, 0, elements)}) AS DATE)`
    }),
    GENERATE_DATE_ARRAY: code('unknown', 'generate_series of dates', call => {
      exactly(call, 2, 3)
      const step = call.args[2]?.sql ?? 'INTERVAL 1 DAY'
      return `CAST(generate_series(${moment(call, 0).sql}, ${moment(call, 1).sql}, ${step}) AS DATE[])`
    }),
    // aggregates
    COUNTIF: agg('integer', 'count_if($1)'), ANY_VALUE: agg('same', 'any_value($1)'),
    LOGICAL_AND: agg('boolean', 'bool_and($1)'), LOGICAL_OR: agg('boolean', 'bool_or($1)'),
    APPROX_COUNT_DISTINCT: agg('integer', 'approx_count_distinct($1)'), STRING_AGG: joined("','"),
    ARRAY_AGG: agg('unknown', 'list($d$1$o)'), MAX_BY: agg('same', 'arg_max_null($1, $2)'),
    MIN_BY: agg('same', 'arg_min_null($1, $2)'),
  },
}

/** How many units begin in between; of timestamps, how many have gone by. */
function difference(type: string): Rule {
  const name = type === 'TIMESTAMP' ? 'date_sub' : 'date_diff'
  return code('integer', `${name}(unit, b, a)`, call => {
    exactly(call, 3)
    const unit = unitOf(call, at(call, 2), units)
    const [from, to] = [moment(call, 1).sql, moment(call, 0).sql]
    return name === 'date_diff' ? boundaries(unit, from, to) : `date_sub('${unit.toLowerCase()}', ${from}, ${to})`
  })
}

/** From 0, and from before the beginning, it is as from 1. */
function substring(): Rule {
  const from = 'CASE WHEN $2 = 0 OR $2 < -length($1) THEN 1 ELSE $2 END'
  return fn('text', `substring($1, ${from})`, `substring($1, ${from}, ${notNegative('$3')})`)
}


function struct(call: Call): Rendered {
  const fields = call.args.map((value, i) => {
    const name = call.argNames[i] ?? value.word
    if (name === undefined || name === null) return call.refuse('a STRUCT with a field without a name', value)
    return `${quoteName(name)} := ${value.sql}`
  })
  if (call.distinct || call.window !== '' || fields.length === 0) return call.refuse('this STRUCT')
  return { sql: `struct_pack(${fields.join(', ')})`, kind: 'unknown' }
}
