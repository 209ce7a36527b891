/** Trino: what its documentation says of each, and what is refused, at its place. */

import t from 'tap'
import { runCases, runRefused } from './cases.ts'

t.test('values', t => runCases(t, 'trino', [
  // operators
  ['SELECT true AND false OR true, NOT true AND false, false OR true AND false', 'true|false|false'],
  ['SELECT 7 / 2, -7 / 2, 7.0 / 2, 7 % 3, 2 + 3 * 4, 9 - 3 - 2', '3|-3|3.5|1|14|4'],
  ['SELECT a / 2, b / a, e / 2 FROM t WHERE a = 1', '0|2|0.75'],
  ['SELECT 1 / 0', "error: Conversion Error: Could not convert string 'division by zero' to INT8"],
  ['SELECT TRY(1 / 0), TRY(4 / 2), COALESCE(TRY(5 / 0), 9)', 'NULL|2|9'],
  ["SELECT 'a' || 'b' || 'c', 'a' || NULL", 'abc|NULL'],
  ["SELECT 'abc' LIKE '_bc', 'a_c' LIKE 'a#_c' ESCAPE '#', 'abc' NOT LIKE 'b%'", 'true|true|true'],
  ['SELECT 1 IN (1, 2), 3 BETWEEN 2 AND 6 AND true, NULL IS DISTINCT FROM NULL', 'true|true|false'],
  ["SELECT DATE '2012-08-08' + INTERVAL '2' DAY, DATE '2012-10-31' + INTERVAL '1' MONTH", '2012-08-10|2012-11-30'],
  ["SELECT TIMESTAMP '2012-10-31 01:00:00' - INTERVAL '3' HOUR", '2012-10-30 22:00:00'],
  // strings
  ["SELECT SUBSTR('hello', 2), SUBSTR('hello', 2, 3), SUBSTR('hello', -3), SUBSTR('hello', 0)", 'ello|ell|llo|'],
  ["SELECT LENGTH('é'), STRPOS('high', 'ig'), POSITION('h' IN 'oh'), REVERSE('ab'), UPPER('a'), TRIM(' a ')",
    '1|2|2|ba|A|a'],
  ["SELECT SPLIT('a-b', '-'), SPLIT_PART('a-b', '-', 2), SPLIT_PART('a-b', '-', 3), LPAD('5', 3, '0')",
    '["a","b"]|b|NULL|005'],
  ["SELECT CONCAT('a', 'b'), CONCAT_WS(',', 'a', NULL, 'b'), REPLACE('aba', 'a', 'x'), STARTS_WITH('abc', 'a')",
    'ab|a,b|xbx|true'],
  ["SELECT REGEXP_LIKE('1a 2b 14m', '\\d+b'), CHR(65), 'it''s \\'", "true|A|it's \\"],
  // conditions
  ["SELECT IF(1 > 0, 'y', 'n'), IF(false, 1), COALESCE(NULL, 2), NULLIF(1, 1), GREATEST(1, 2), LEAST(1, NULL)",
    'y|NULL|2|NULL|2|NULL'],
  ["SELECT CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'many' END", 'two'],
  // numbers
  ['SELECT ROUND(2.5), ROUND(-2.5), ROUND(2.345, 2), TRUNCATE(2.7), CEIL(1.2), FLOOR(-1.2), ABS(-4), MOD(7, 4)',
    '3|-3|2.35|2|2|-2|4|3'],
  ['SELECT POWER(2, 3), CBRT(1), LOG2(8), LOG10(1000), LOG(3, 9), SIGN(-7)', '8|1|3|3|2|-1'],
  ["SELECT CAST('5' AS BIGINT), TRY_CAST('x' AS INTEGER), CAST('abc' AS VARCHAR(2)), CAST(1.25 AS DECIMAL(3, 1))",
    '5|NULL|ab|1.3'],
  // arrays and lambdas
  ['SELECT ARRAY[1, 2], CARDINALITY(ARRAY[1, 2]), ELEMENT_AT(ARRAY[4, 5], 2), ELEMENT_AT(ARRAY[4], 9), ARRAY[4, 5][1]',
    '[1,2]|2|5|NULL|4'],
  ['SELECT ARRAY[1][2]',
    "error: Conversion Error: Could not convert string 'the subscript is not in the array' to INT8"],
  ['SELECT TRANSFORM(ARRAY[1, 2], x -> x * 10 + 1), FILTER(ARRAY[1, 2, 3], x -> x > 1 AND x < 3)', '[11,21]|[2]'],
  ["SELECT CONTAINS(ARRAY[1, 2], 2), ARRAY_JOIN(ARRAY['a', 'b'], '-'), ARRAY_MAX(ARRAY[3, 7]), SEQUENCE(1, 3)",
    'true|a-b|7|["1","2","3"]'],
  ['SELECT u.x FROM (SELECT ARRAY[1, 2] AS xs) r CROSS JOIN UNNEST(xs) AS u (x) ORDER BY 1', '1/2'],
  ["SELECT x, n FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS u (x, n) ORDER BY n", 'a|1/b|2'],
  // dates
  ["SELECT DATE_ADD('day', 1, DATE '2020-02-28'), DATE_ADD('month', -1, DATE '2020-03-31')", '2020-02-29|2020-02-29'],
  ["SELECT DATE_ADD('second', 86, TIMESTAMP '2020-03-01 00:00:00')", '2020-03-01 00:01:26'],
  ["SELECT DATE_DIFF('second', TIMESTAMP '2020-03-01 00:00:00', TIMESTAMP '2020-03-02 00:00:00'), "
    + "DATE_DIFF('hour', TIMESTAMP '2020-03-01 00:30:00', TIMESTAMP '2020-03-01 02:00:00')", '86400|1'],
  ["SELECT DATE_DIFF('day', DATE '2020-03-01', DATE '2020-03-02'), "
    + "DATE_DIFF('month', DATE '2020-01-31', DATE '2020-02-28')",
    '1|0'],
  ["SELECT DATE_TRUNC('month', DATE '2001-08-22'), DATE_TRUNC('week', DATE '2001-08-22')", '2001-08-01|2001-08-20'],
  ["SELECT YEAR(DATE '2020-05-01'), QUARTER(DATE '2020-05-01'), DAY_OF_WEEK(DATE '2020-05-03'), "
    + "WEEK(DATE '2021-01-01')",
    '2020|2|7|53'],
  ["SELECT EXTRACT(DOW FROM DATE '2020-05-03'), EXTRACT(YEAR FROM DATE '2020-05-03'), "
    + "LAST_DAY_OF_MONTH(DATE '2020-02-03')",
    '7|2020|2020-02-29'],
  ["SELECT FORMAT_DATETIME(TIMESTAMP '2020-05-03 14:05:06', 'yyyy-MM-dd HH:mm:ss'), "
    + "DATE_FORMAT(DATE '2020-05-03', '%Y/%c')",
    '2020-05-03 14:05:06|2020/5'],
  ["SELECT DATE_PARSE('2022/10/20/05', '%Y/%m/%d/%H'), FROM_ISO8601_DATE('2020-05-11')",
    '2022-10-20 05:00:00|2020-05-11'],
  // queries
  ['SELECT * FROM t JOIN (SELECT c, a + 10 AS z FROM t) u USING (c) WHERE a = 1', 'x|1|2|2020-01-31|1.50|11'],
  ['SELECT b FROM t ORDER BY b', '2/7/NULL'],
  ['SELECT b FROM t ORDER BY b DESC', '7/2/NULL'],
  ['SELECT b FROM t ORDER BY b DESC NULLS FIRST OFFSET 1 LIMIT 1', '7'],
  ['SELECT a FROM t ORDER BY a DESC FETCH FIRST 2 ROWS ONLY', '3/2'],
  ['SELECT (SELECT MAX(b) FROM t) AS m FROM t WHERE a = (SELECT MIN(a) FROM t) AND EXISTS (SELECT 1 FROM t)', '7'],
  ['SELECT COUNT(*) FILTER (WHERE a > 1), COUNT_IF(a > 2), SUM(b), AVG(a), BOOL_AND(a > 0) FROM t', '2|1|9|2|true'],
  ["SELECT ARRAY_AGG(a ORDER BY a DESC), LISTAGG(c, ',') WITHIN GROUP (ORDER BY c DESC), MAX_BY(c, a), MIN_BY(c, a) "
    + 'FROM t WHERE a < 3', '[2,1]|y,x|y|x'],
  ['SELECT MAX_BY(c, a) FROM t', 'NULL'],
  ['SELECT APPROX_DISTINCT(a), ARBITRARY(5), STDDEV_POP(a), CORR(a, a) FROM t', '3|5|0.816496580927726|1'],
  ['SELECT a, FIRST_VALUE(a) OVER (ORDER BY a DESC), LAG(a, 1, 0) OVER w FROM t WINDOW w AS (ORDER BY a) ORDER BY a',
    '1|3|0/2|3|1/3|3|2'],
  ['SELECT a, SUM(b) FROM t WHERE a <> 2 GROUP BY GROUPING SETS ((a), ()) ORDER BY a', '1|2/3|7/NULL|9'],
  ["SELECT n, s FROM (VALUES (1, 'a'), (2, 'b')) AS v (n, s) WHERE s <> 'a'", '2|b'],
  ['SELECT a FROM t INTERSECT SELECT 2 UNION SELECT 9 ORDER BY a', '2/9'],
  ['WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n * 2 FROM r WHERE n < 8) SELECT MAX(n) FROM r', '8'],
  ['SELECT x."a" FROM t x LEFT JOIN t y ON x.a = y.b AND y.a < 3 CROSS JOIN t z WHERE y.a IS NOT NULL AND z.a = 1',
    '2'],
  // what DuckDB has under the same name, and means otherwise
  ["SELECT TRIM('\t a\n'), CONCAT('a', NULL), CONCAT(ARRAY[1], ARRAY[2])", 'a|NULL|[1,2]'],
  ['SELECT CONTAINS(ARRAY[1, NULL], 2), CONTAINS(ARRAY[1, NULL], 1)', 'NULL|true'],
  ['SELECT CONTAINS(ARRAY[1], 2), CONTAINS(ARRAY[1, NULL], NULL)', 'false|NULL'],
  ['SELECT ARRAY_MAX(ARRAY[1, NULL]), ARRAY_MIN(ARRAY[2, 1]), ARRAY_DISTINCT(ARRAY[3, 1, NULL, 3, NULL])',
    'NULL|1|[3,1,null]'],
  ['SELECT SEQUENCE(3, 1), SEQUENCE(1, 3)', '["3","2","1"]|["1","2","3"]'],
  ["SELECT CAST(2.5E0 AS BIGINT), CAST(e AS BIGINT), TRY_CAST(c AS BIGINT) FROM t WHERE a = 1", '3|2|NULL'],
]))

t.test('refusals', t => runRefused(t, 'trino', [
  ['SELECT ^t.* FROM t JOIN t u USING (a)', 'this * over a join with USING is not translated'],
  ['SELECT ^REDUCE(ARRAY[1], 0, (s, x) -> s + x, s -> s)', 'the function REDUCE is not translated'],
  ['SELECT now() ^AT TIME ZONE \'UTC\'',
    'AT TIME ZONE, whose answer has a time zone of its own there, is not translated'],
  ['SELECT ^ROW(1, 2)', 'the function ROW is not translated'],
  ['SELECT a FROM t ^TABLESAMPLE BERNOULLI (10)', 'TABLESAMPLE is not translated'],
  ['SELECT a FROM t ^MATCH_RECOGNIZE (PATTERN (A))', 'MATCH_RECOGNIZE is not translated'],
  ['SELECT CAST(c AS ^JSON) FROM t', 'the type JSON is not translated'],
  ["SELECT FORMAT_DATETIME(d, ^'QQQ') FROM t", 'the element Q of the format "QQQ" is not translated'],
  ['SELECT x FROM ^UNNEST(ARRAY[1], ARRAY[2]) AS u (x, y)', 'UNNEST of 2 arrays is not translated'],
  ['SELECT a ^& 1 FROM t', 'the operator & is not translated'],
  ['SELECT SUM(DISTINCT a) FROM t GROUP BY b HAVING ^ARRAY_SORT(a)', 'the function ARRAY_SORT is not translated'],
]))
