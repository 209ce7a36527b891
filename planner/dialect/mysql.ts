/**
 * MySQL 8, with its default sql_mode: `||` is OR, double quotes are strings. Strings are compared by their bytes here,
 * not by a collation; comparisons are BOOLEAN, not 0 and 1; division answers DOUBLE.
 */

import type { Dialect, Rule, TypeRule } from './dialect.ts'
import {
  addInterval, commonParts, commonUnits, difference, formatted, mysqlElements, ofMoment, parsed, part, partFunction,
} from './dates.ts'
import { mysqlLexicon } from './lexicons.ts'
import {
  commonOperators, COMPARISON, division, isOrdinal, like, modulo, negated, operator, OR, quotient, special, TIMES, XOR,
  AND,
} from './operators.ts'
import {
  agg, at, cast, code, exactly, fn, joined, moment, sameInAll, standardDeviations, strict, strictConcat,
  trims,
} from './rules.ts'

const text: TypeRule = { plain: 'VARCHAR', sized: 'VARCHAR', kind: 'text' }
const regexp = operator(COMPARISON, 'regexp_matches($1, $2)', 'boolean')
/** Not its code point. */
const FIRST_BYTE = "CASE WHEN ascii($1) > 127 THEN CAST('0x' || left(hex($1), 2) AS INTEGER) ELSE ascii($1) END"
const nullDivision = division('null')

export const mysql: Dialect = {
  name: 'mysql', grammar: 'mysql', lexicon: mysqlLexicon, nulls: 'smallest',
  options: { limitWithComma: true, withRollup: true, textAliases: true, joinWithoutOn: true },
  constants: {
    CURRENT_DATE: { sql: 'current_date', kind: 'date' },
    CURRENT_TIMESTAMP: { sql: 'CAST(now() AS TIMESTAMP)', kind: 'timestamp' },
    LOCALTIMESTAMP: { sql: 'CAST(now() AS TIMESTAMP)', kind: 'timestamp' },
  },
  operators: {
    ...commonOperators,
    '||': operator(OR, '($1 OR $2)', 'boolean'), '&&': operator(AND, '($1 AND $2)', 'boolean'),
    'XOR': operator(XOR, '(CAST($1 AS BOOLEAN) <> CAST($2 AS BOOLEAN))', 'boolean'),
    '<=>': operator(COMPARISON, '($1 IS NOT DISTINCT FROM $2)', 'boolean'),
    'LIKE': like('LIKE', '\\'), 'NOT LIKE': like('NOT LIKE', '\\'),
    'REGEXP': regexp, 'RLIKE': regexp, 'NOT REGEXP': negated(regexp), 'NOT RLIKE': negated(regexp),
    '/': nullDivision, '%': modulo('null'), 'MOD': modulo('null'),
    'DIV': special(TIMES, 'a // b; CAST(trunc(a / b) AS BIGINT) of what is no integer', (left, right) => {
      const { sql, kind } = quotient(left, right, 'null')
      return kind === 'integer' ? { sql, kind } : { sql: `CAST(trunc(${sql}) AS BIGINT)`, kind: 'integer' }
    }),
  },
  types: {
    SIGNED: { plain: 'BIGINT', sized: null, kind: 'integer' },
    'SIGNED INTEGER': { plain: 'BIGINT', sized: null, kind: 'integer' },
    UNSIGNED: { plain: 'UBIGINT', sized: null, kind: 'integer' },
    'UNSIGNED INTEGER': { plain: 'UBIGINT', sized: null, kind: 'integer' },
    DECIMAL: { plain: 'DECIMAL(10, 0)', sized: 'DECIMAL($)', kind: 'fraction' },
    DOUBLE: { plain: 'DOUBLE', sized: null, kind: 'fraction' },
    FLOAT: { plain: 'FLOAT', sized: null, kind: 'fraction' },
    REAL: { plain: 'DOUBLE', sized: null, kind: 'fraction' },
    CHAR: text,
    DATE: { plain: 'DATE', sized: null, kind: 'date' }, TIME: { plain: 'TIME', sized: null, kind: 'unknown' },
    DATETIME: { plain: 'TIMESTAMP', sized: null, kind: 'timestamp' },
    TIMESTAMP: { plain: 'TIMESTAMP', sized: null, kind: 'timestamp' },
  },
  functions: {
    ...sameInAll, ...standardDeviations,
    STDDEV: agg('fraction', 'stddev_pop($d$1)'), STD: agg('fraction', 'stddev_pop($d$1)'),
    VARIANCE: agg('fraction', 'var_pop($d$1)'),
    CONVERT: cast,
    // conditions
    IF: fn('unknown', 'CASE WHEN $1 THEN $2 ELSE $3 END'), IFNULL: fn('same', 'coalesce($1, $2)'),
    ISNULL: fn('boolean', '($1 IS NULL)'),
    GREATEST: strict('greatest'), LEAST: strict('least'),
    // numbers
    ROUND: fn('number', 'round($1)', 'round($1, $2)'), TRUNCATE: fn('number', 'trunc($1, $2)'),
    MOD: fn('number', '($1 % nullif($2, 0))'),
    POW: fn('fraction', 'pow($1, $2)'), LOG: fn('fraction', 'ln($1)', 'log($1, $2)'),
    LOG10: fn('fraction', 'log10($1)'), LOG2: fn('fraction', 'log2($1)'), PI: fn('fraction', 'pi()'),
    // strings
    CONCAT: strictConcat,
    CONCAT_WS: fn('text', 'concat_ws($*)'), CHAR_LENGTH: fn('integer', 'length($1)'),
    CHARACTER_LENGTH: fn('integer', 'length($1)'), LENGTH: fn('integer', 'strlen($1)'),
    SUBSTRING: substring(), SUBSTR: substring(), MID: substring(),
    LEFT: fn('text', 'left($1, greatest($2, 0))'), RIGHT: fn('text', 'right($1, greatest($2, 0))'),
    ...trims(' ', 'blanks', 1),
    LPAD: fn('text', 'lpad($1, $2, $3)'), RPAD: fn('text', 'rpad($1, $2, $3)'),
    REPEAT: fn('text', 'repeat($1, greatest($2, 0))'), LOCATE: fn('integer', 'instr($2, $1)'),
    INSTR: fn('integer', 'instr($1, $2)'), POSITION: fn('integer', 'instr($2, $1)'),
    LCASE: fn('text', 'lower($1)'), UCASE: fn('text', 'upper($1)'), ASCII: fn('integer', FIRST_BYTE),
    MD5: fn('text', 'md5($1)'), REGEXP_LIKE: fn('boolean', 'regexp_matches($1, $2)'),
    SUBSTRING_INDEX: code('text', 'a up to the nth b', call => {
      exactly(call, 3)
      const [value, separator, count] = [at(call, 0), at(call, 1), at(call, 2)]
      if (!isOrdinal(count)) return call.refuse('SUBSTRING_INDEX of a count that is not 1 or more, as a number', count)
      return `array_to_string(string_split(${value.sql}, ${separator.sql})[1:${count.sql}], ${separator.sql})`
    }),
    // dates
    NOW: fn('timestamp', 'CAST(now() AS TIMESTAMP)'), CURDATE: fn('date', 'current_date'),
    CURRENT_DATE: fn('date', 'current_date'), CURRENT_TIMESTAMP: fn('timestamp', 'CAST(now() AS TIMESTAMP)'),
    DATE: ofMoment('date', 'CAST($1 AS DATE)'),
    YEAR: partFunction('year'), MONTH: partFunction('month'), DAY: partFunction('day'),
    DAYOFMONTH: partFunction('day'), QUARTER: partFunction('quarter'), HOUR: partFunction('hour'),
    MINUTE: partFunction('minute'), SECOND: partFunction('second'), DAYOFYEAR: partFunction('dayofyear'),
    DAYOFWEEK: partFunction('(dayofweek($1) + 1)'), WEEKDAY: partFunction('(isodow($1) - 1)'),
    WEEKOFYEAR: partFunction('week'),
    DAYNAME: ofMoment('text', 'dayname($1)'), MONTHNAME: ofMoment('text', 'monthname($1)'),
    EXTRACT: part(commonParts),
    DATE_ADD: addInterval('+'), ADDDATE: addInterval('+'), DATE_SUB: addInterval('-'), SUBDATE: addInterval('-'),
    DATEDIFF: code('integer', "date_diff('day', b, a)", call => {
      exactly(call, 2)
      return `date_diff('day', CAST(${moment(call, 1).sql} AS DATE), CAST(${moment(call, 0).sql} AS DATE))`
    }),
    TIMESTAMPDIFF: timestampDifference(),
    LAST_DAY: ofMoment('date', 'last_day($1)'),
    DATE_FORMAT: formatted('date-first', mysqlElements),
    STR_TO_DATE: code('unknown', 'try_strptime(text, format), a DATE if the format has no time', call => {
      const hasTime = /%[HhIkliSsTfpr]/.test(call.args[1]?.text ?? '')
      return parsed('text-first', mysqlElements, hasTime ? 'TIMESTAMP' : 'DATE', 'null').make(call)
    }),
    UNIX_TIMESTAMP: ofMoment('integer', 'CAST(floor(epoch(CAST($1 AS TIMESTAMPTZ))) AS BIGINT)'),
    FROM_UNIXTIME: fn('timestamp', 'CAST(to_timestamp($1) AS TIMESTAMP)'),
    // aggregates
    GROUP_CONCAT: joined("','", [1]), ANY_VALUE: agg('same', 'any_value($1)'),
  },
}
/** From 0, and from before the beginning, it is empty. */
function substring() {
  return fn('text', "CASE WHEN $2 = 0 OR $2 < -length($1) THEN '' ELSE substring($1, $2) END",
    "CASE WHEN $2 = 0 OR $2 < -length($1) OR $3 <= 0 THEN '' ELSE substring($1, $2, $3) END")
}

/** A month is over on its day of the next one, and not before: DuckDB takes the last day of a shorter month for it. */
function timestampDifference(): Rule {
  const rest = difference('whole', ['unit', 'from', 'to'], commonUnits)
  return {
    ...rest, shown: 'date_sub(unit, from, to); of months and more by the day of the month',
    make: call => {
      const months = { MONTH: 1, QUARTER: 3, YEAR: 12 }[at(call, 0).word ?? '']
      if (months === undefined) return rest.make(call)
      exactly(call, 3)
      const [from, to] = [1, 2].map(i => `CAST(${moment(call, i).sql} AS TIMESTAMP)`)
      const inMonth = (sql: string | undefined): string => `(${sql} - date_trunc('month', ${sql}))`
      const gone = (from: string | undefined, to: string | undefined): string =>
        `(date_diff('month', ${from}, ${to}) - CASE WHEN ${inMonth(to)} < ${inMonth(from)} THEN 1 ELSE 0 END)`
      const sql = `(CASE WHEN ${from} <= ${to} THEN ${gone(from, to)} WHEN ${from} > ${to} THEN -${gone(to, from)} END`
      return { sql: `${sql} // ${months})`, kind: 'integer' }
    },
  }
}
