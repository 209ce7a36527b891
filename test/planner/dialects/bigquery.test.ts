/** BigQuery: what its documentation says of each, and what is refused, at its place. */

import t from 'tap'
import { runCases, runRefused } from './cases.ts'

t.test('values', t => runCases(t, 'bigquery', [
  // operators
  ['SELECT TRUE OR FALSE AND FALSE, NOT TRUE AND FALSE OR TRUE', 'true|true'],
  ['SELECT 2 + 3 * 4, 7 / 2, -(2 - 3), 10 - 2 - 3', '14|3.5|1|5'],
  ["SELECT 'a' || 'b', 'a' || NULL, [1] || [2]", 'ab|NULL|[1,2]'],
  ["SELECT 'a%c' LIKE 'a\\\\%c', 'abc' LIKE 'a\\\\%c', 'abc' NOT LIKE 'b%'", 'true|false|true'],
  ['SELECT 1 IN (1, 2), 1 NOT IN (2), 2 BETWEEN 1 AND 3, NULL IS NULL, 3 IN UNNEST([1, 3])',
    'true|true|true|true|true'],
  ['SELECT NULL IS NOT DISTINCT FROM NULL, 1 IS DISTINCT FROM 2', 'true|true'],
  // strings
  ["SELECT 'it\\'s', \"say 'x'\", r'a\\d', 'a\\tb', \"\"", "it's|say 'x'|a\\d|a\tb|"],
  ["SELECT CONCAT('a', 'b'), CONCAT('a', NULL), LENGTH('éa'), BYTE_LENGTH('éa')", 'ab|NULL|2|3'],
  ["SELECT SUBSTR('apple', 2), SUBSTR('apple', 2, 2), SUBSTR('apple', -2), SUBSTR('apple', 0, 2)", 'pple|pp|le|ap'],
  ["SELECT STRPOS('foo@example.com', '@'), STARTS_WITH('bar', 'b'), ENDS_WITH('bar', 'r'), REPLACE('ab', 'a', 'x')",
    '4|true|true|xb'],
  ["SELECT SPLIT('b,c'), SPLIT('b-c', '-')[SAFE_OFFSET(1)], LPAD('abc', 5), LPAD('abc', 2), RPAD('a', 3, '-')",
    '["b","c"]|c|  abc|ab|a--'],
  ["SELECT REGEXP_CONTAINS('foo@x.com', r'@x'), REGEXP_REPLACE('aba', 'a', 'x'), TRIM('***apple***', '*'), UPPER('a')",
    'true|xbx|apple|A'],
  // conditions
  ["SELECT IF(1 < 2, 'yes', 'no'), IFNULL(NULL, 0), COALESCE(NULL, 'B'), NULLIF(0, 0)", 'yes|0|B|NULL'],
  ["SELECT CASE 90 WHEN 90 THEN 'red' ELSE 'blue' END, CASE WHEN FALSE THEN 1 END", 'red|NULL'],
  ['SELECT GREATEST(3, 5, 1), LEAST(3, NULL)', '5|NULL'],
  // numbers
  ['SELECT SAFE_DIVIDE(20, 4), SAFE_DIVIDE(20, 0), DIV(12, -7), MOD(-25, 12), IEEE_DIVIDE(20, 4)', '5|NULL|-1|-1|5'],
  ['SELECT 1 / 0', "error: Conversion Error: Could not convert string 'division by zero' to INT8"],
  ['SELECT ROUND(2.5), ROUND(-2.5), ROUND(123.7, -1), TRUNC(2.8), TRUNC(-2.3), CEIL(2.3), FLOOR(-2.3), ABS(-2)',
    '3|-3|120|2|-2|3|-3|2'],
  ['SELECT POW(2, 3), LOG(8, 2), LN(1), SQRT(9), SIGN(-2)', '8|3|0|3|-1'],
  ["SELECT CAST('5' AS INT64), SAFE_CAST('apple' AS INT64), CAST(7 AS STRING), CAST('1.25' AS FLOAT64), "
    + "CAST('1.25' AS NUMERIC)", '5|NULL|7|1.25|1.250000000'],
  // arrays and structs
  ['SELECT [1, 2, 3][OFFSET(0)], [1, 2, 3][ORDINAL(3)], [1, 2][SAFE_OFFSET(6)], [1, 2][SAFE_ORDINAL(1)]', '1|3|NULL|1'],
  ['SELECT [1, 2][OFFSET(6)]',
    "error: Conversion Error: Could not convert string 'the subscript is not in the array' to INT8"],
  ['SELECT ARRAY_LENGTH([4, 5]), GENERATE_ARRAY(1, 5), GENERATE_ARRAY(0, 10, 3), '
    + "ARRAY_TO_STRING(['a', 'b'], '--')",
    '2|["1","2","3","4","5"]|["0","3","6","9"]|a--b'],
  ["SELECT STRUCT(1 AS x, 'y' AS z), ARRAY_CONCAT([1], [2]), ARRAY_REVERSE([1, 2])", '{"x":1,"z":"y"}|[1,2]|[2,1]'],
  ['SELECT x FROM UNNEST([10, 20]) AS x ORDER BY x DESC', '20/10'],
  ["SELECT x, o FROM UNNEST(['a', 'b']) AS x WITH OFFSET AS o ORDER BY o", 'a|0/b|1'],
  ['SELECT s.id, i FROM (SELECT STRUCT(7 AS id) AS s, [1, 2] AS items) r, UNNEST(r.items) AS i ORDER BY i', '7|1/7|2'],
  ['SELECT ARRAY(SELECT a FROM t ORDER BY a DESC)', '[3,2,1]'],
  // dates
  ["SELECT DATE '2008-12-25', DATE(2016, 12, 25), DATE('2016-12-25 23:59:59')", '2008-12-25|2016-12-25|2016-12-25'],
  ["SELECT DATE_ADD(DATE '2008-12-25', INTERVAL 5 DAY), DATE_SUB(DATE '2020-03-31', INTERVAL 1 MONTH)",
    '2008-12-30|2020-02-29'],
  ["SELECT DATE_DIFF(DATE '2010-07-07', DATE '2008-12-25', DAY), DATE_DIFF(DATE '2018-01-30', DATE '2017-12-31', YEAR)",
    '559|1'],
  ["SELECT DATE_TRUNC(DATE '2008-12-25', MONTH), DATE_TRUNC(DATE '2017-11-05', ISOWEEK)", '2008-12-01|2017-10-30'],
  ["SELECT EXTRACT(YEAR FROM DATE '2013-12-25'), EXTRACT(DAYOFWEEK FROM DATE '2013-12-25'), "
    + "EXTRACT(ISOWEEK FROM DATE '2016-01-01')", '2013|4|53'],
  ["SELECT FORMAT_DATE('%Y/%m/%d', DATE '2008-12-25'), PARSE_DATE('%Y%m%d', '20081225')", '2008/12/25|2008-12-25'],
  ["SELECT TIMESTAMP_TRUNC(TIMESTAMP '2008-12-25 15:30:00', DAY), LAST_DAY(DATE '2008-11-25')",
    '2008-12-25 00:00:00+00|2008-11-30'],
  ["SELECT TIMESTAMP_DIFF(TIMESTAMP '2010-07-07 10:20:00', TIMESTAMP '2008-12-25 15:30:00', HOUR), "
    + "UNIX_SECONDS(TIMESTAMP '2008-12-25 15:30:00')", '13410|1230219000'],
  ["SELECT GENERATE_DATE_ARRAY(DATE '2016-10-05', DATE '2016-10-07')", '["2016-10-05","2016-10-06","2016-10-07"]'],
  // queries
  ['SELECT b FROM t ORDER BY b', 'NULL/2/7'],
  ['SELECT b FROM t ORDER BY b DESC', '7/2/NULL'],
  ['SELECT b FROM t ORDER BY b NULLS LAST LIMIT 2 OFFSET 1', '7/NULL'],
  ['SELECT * EXCEPT (c, d, e) FROM t ORDER BY a', '1|2/2|NULL/3|7'],
  ['SELECT * EXCEPT (c, d, e) REPLACE (a * 10 AS a) FROM t ORDER BY a', '10|2/20|NULL/30|7'],
  ['SELECT a FROM t QUALIFY RANK() OVER (ORDER BY a DESC) = 1', '3'],
  ['SELECT COUNTIF(a > 1), COUNT(*), COUNT(DISTINCT a), LOGICAL_AND(a > 0), SUM(b), AVG(a) FROM t', '2|3|3|true|9|2'],
  ["SELECT STRING_AGG(c, ' & ' ORDER BY c DESC), STRING_AGG(c), ARRAY_AGG(a ORDER BY a DESC) FROM t WHERE a < 3",
    'y & x|x,y|[2,1]'],
  ['SELECT MAX_BY(a, b), ANY_VALUE(5), STDDEV_POP(a) FROM t', '3|5|0.816496580927726'],
  ['SELECT a, SUM(a) OVER (ORDER BY a DESC ROWS UNBOUNDED PRECEDING) FROM t ORDER BY a', '1|6/2|5/3|3'],
  ['SELECT a FROM t UNION DISTINCT SELECT 1 ORDER BY a DESC LIMIT 1', '3'],
  ['SELECT a FROM t EXCEPT DISTINCT SELECT 1 ORDER BY a', '2/3'],
  ['WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT SUM(n) FROM r', '6'],
  ['SELECT `x`.a FROM `main.t` AS x LEFT JOIN t USING (a) WHERE x.a = 2 # end', '2'],
  // what DuckDB has under the same name, and means otherwise
  ["SELECT TRIM('\\t a\\n'), SUBSTR('apple', -10), SUBSTR('apple', -10, 3)", 'a|apple|app'],
  ["SELECT LEFT('abc', -1)", "error: Conversion Error: Could not convert string 'negative length' to INT8"],
  ["SELECT DATE_DIFF(DATE '2024-01-08', DATE '2024-01-07', ISOWEEK)", '1'],
  ["SELECT CAST(CAST('2.5' AS FLOAT64) AS INT64), CAST(e AS INT64), CAST(c AS STRING) FROM t WHERE a = 2", '3|2|y'],
  ["SELECT DIV(7.5, 2), DIV(-7, 2), SAFE_CAST(c AS INT64) FROM t WHERE a = 1", '3|-3|NULL'],
]))

t.test('refusals', t => runRefused(t, 'bigquery', [
  ['SELECT ^NET.HOST(c) FROM t', 'the function NET.HOST is not translated'],
  ['SELECT a ^% 2 FROM t', 'the operator % is not translated'],
  ['SELECT DATE_TRUNC(d, ^WEEK) FROM t', 'the unit WEEK in DATE_TRUNC is not translated'],
  ['SELECT a FROM t UNION ^SELECT 1', 'unexpected "SELECT"'],
  ['SELECT [1, 2]^[0]', 'a subscript without OFFSET or ORDINAL is not translated'],
  ['SELECT ARRAY_AGG(a ^LIMIT 2) FROM t', 'LIMIT in an aggregate is not translated'],
  ['SELECT STRUCT(^1, 2)', 'a STRUCT with a field without a name is not translated'],
  ["SELECT ^'''x'''", 'a string of three quotes is not translated'],
  ["SELECT ^b'x'", 'a string with b before it is not translated'],
  ["SELECT '^\\x41'", 'the escape \\x in a string is not translated'],
  ['SELECT a FROM t ^TABLESAMPLE SYSTEM (10 PERCENT)', 'TABLESAMPLE is not translated'],
  ['SELECT a FROM t ^FOR SYSTEM_TIME AS OF d', 'FOR is not translated'],
  ['SELECT ^@p', 'a variable is not translated'],
  ['SELECT ^FORMAT("%d", 1)', 'the function FORMAT is not translated'],
]))
