/** Snowflake: what its documentation says of each, and what is refused, at its place. */

import t from 'tap'
import { runCases, runRefused } from './cases.ts'

t.test('values', t => runCases(t, 'snowflake', [
  // operators
  ['SELECT TRUE AND FALSE OR TRUE, NOT FALSE AND FALSE', 'true|false'],
  ['SELECT 2 + 3 * 4, 7 / 2, -7 % 3, 1 - 2 - 3', '14|3.5|-1|-4'],
  ['SELECT 1 / 0', 'error: Conversion Error: Could not convert string \'division by zero\' to INT8'],
  ["SELECT 'a' || 'b', 'a' || NULL, 'a' || 1", 'ab|NULL|a1'],
  ["SELECT 'ABC' ILIKE 'a%', 'abc' LIKE 'A%', 'a%c' LIKE 'a^%c' ESCAPE '^', 'abc' NOT ILIKE 'b%'",
    'true|false|true|true'],
  ["SELECT 'abc' RLIKE 'a', 'abc' RLIKE 'a.*', 'abc' NOT REGEXP 'b'", 'false|true|true'],
  ['SELECT NULL IS NOT DISTINCT FROM NULL, 1 IS DISTINCT FROM NULL', 'true|true'],
  ['SELECT 1 IN (1, 2), 2 BETWEEN 1 AND 3 AND FALSE, NOT 1 = 2', 'true|false|true'],
  ["SELECT '5'::INT + 1, '2020-01-31'::DATE, 1.5::NUMBER(3, 1)::VARCHAR, -3::INT, 'abc'::VARCHAR(2)",
    '6|2020-01-31|1.5|-3|ab'],
  ["SELECT '2020-03-01'::DATE - '2020-02-01'::DATE", '29'],
  // strings
  ["SELECT 'it''s', 'it\\'s', 'a\\\\b', 'a\\nb'", "it's|it's|a\\b|a\nb"],
  ["SELECT CONCAT('a', NULL), CONCAT('a', 'b', 1), CONCAT_WS('-', 'a', 'b'), CONCAT_WS('-', 'a', NULL)",
    'NULL|ab1|a-b|NULL'],
  ["SELECT SUBSTR('testing 1 2 3', 9, 5), SUBSTR('mystring', -4, 2), SUBSTR('abc', 0, 2), LEFT('abc', 2)",
    '1 2 3|ri|ab|ab'],
  ["SELECT CHARINDEX('an', 'banana'), POSITION('na' IN 'banana'), CONTAINS('ice', 'c'), STARTSWITH('ice', 'i')",
    '2|3|true|true'],
  ["SELECT SPLIT_PART('11.22.33', '.', 1), SPLIT_PART('127.0', '.', 5), LEN('abc '), TRIM('*-ABC-*', '*-')",
    '11||4|ABC'],
  ["SELECT LPAD('123', 5, '0'), REPEAT('xy', 2), REVERSE('ab'), UPPER('a')", '00123|xyxy|ba|A'],
  // conditions
  ["SELECT IFF(TRUE, 'a', 'b'), IFF(NULL, 1, 2), NVL(NULL, 5), NVL2(1, 'x', 'y'), ZEROIFNULL(NULL), NULLIFZERO(0)",
    'a|2|5|x|0|NULL'],
  ["SELECT DECODE(NULL, 1, 'one', NULL, '-NULL-', 'other'), DECODE(3, 1, 'one', 'other'), DECODE(3, 1, 'one')",
    '-NULL-|other|NULL'],
  ['SELECT EQUAL_NULL(NULL, NULL), COALESCE(NULL, 2), GREATEST(1, 3), LEAST(1, NULL)', 'true|2|3|NULL'],
  // numbers
  ['SELECT ROUND(2.5), ROUND(-2.5), ROUND(135.135, -2), TRUNC(-975.975, 1), TRUNC(2.7), CEIL(1.2), FLOOR(-1.2)',
    '3|-3|100|-975.9|2|2|-2'],
  ['SELECT DIV0(1, 0), DIV0(6, 3), MOD(5, 3), SQUARE(3), POWER(2, 10), LOG(10, 100), LN(1)', '0|2|2|9|1024|2|0'],
  ["SELECT TRY_CAST('x' AS INT), TRY_CAST('7' AS INT), CAST('1.50' AS NUMBER(10, 2))", 'NULL|7|1.50'],
  // dates
  ["SELECT DATEADD(day, 1, '2020-01-31'::DATE), DATEADD('month', 1, '2020-01-31'::DATE), DATEADD(hour, 2, "
    + "'2020-01-01 00:00:00'::TIMESTAMP)", '2020-02-01|2020-02-29|2020-01-01 02:00:00'],
  ["SELECT DATEDIFF(year, '2019-12-31'::DATE, '2020-01-01'::DATE), DATEDIFF('month', '2020-01-31', '2020-02-01')",
    '1|1'],
  ["SELECT DATE_TRUNC('month', '2020-05-17'::DATE), DATE_TRUNC(week, '2020-05-17'::DATE)", '2020-05-01|2020-05-11'],
  ["SELECT YEAR('2016-01-02'::DATE), QUARTER('2016-05-02'::DATE), DAYOFWEEK('2016-01-03'::DATE), "
    + "DAYOFWEEKISO('2016-01-03'::DATE), WEEKISO('2016-01-03'::DATE)", '2016|2|0|7|53'],
  ["SELECT EXTRACT(month FROM '2016-03-02'::DATE), DATE_PART(epoch_second, '1970-01-01 00:01:00'::TIMESTAMP)", '3|60'],
  ["SELECT TO_DATE('2013-05-17'), TO_DATE('05/17/2013', 'MM/DD/YYYY'), TRY_TO_DATE('x')", '2013-05-17|2013-05-17|NULL'],
  ["SELECT TO_CHAR('2013-04-05'::DATE, 'MON DD, YYYY'), TO_VARCHAR(12), MONTHNAME('2015-05-01'::DATE)",
    'Apr 05, 2013|12|May'],
  ["SELECT LAST_DAY('2015-05-08'::DATE), DATE_FROM_PARTS(1977, 8, 7), '2020-01-31'::DATE + INTERVAL '1 month'",
    '2015-05-31|1977-08-07|2020-02-29'],
  // JSON
  ["SELECT '{\"a\": {\"b\": \"z\"}, \"n\": [5, 6]}':a.b::STRING, '{\"n\": [5, 6]}':n[1]::INT", 'z|6'],
  // queries
  ['SELECT b FROM t ORDER BY b', '2/7/NULL'],
  ['SELECT b FROM t ORDER BY b DESC', 'NULL/7/2'],
  ['SELECT b FROM t ORDER BY b DESC NULLS LAST LIMIT 1 OFFSET 1', '2'],
  ['SELECT TOP 2 a FROM t ORDER BY a DESC', '3/2'],
  ["SELECT LISTAGG(c, ';') WITHIN GROUP (ORDER BY c DESC), LISTAGG(c) FROM t WHERE a < 3", 'y;x|xy'],
  ["SELECT LISTAGG(c, ',') FROM t WHERE a > 5", ''],
  ['SELECT COUNT_IF(a > 1), MEDIAN(a), COUNT(DISTINCT a), ANY_VALUE(3), MAX_BY(a, b), BOOLOR_AGG(a > 2) FROM t',
    '2|2|3|3|3|true'],
  ['SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a), PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a DESC) FROM t',
    '2|2'],
  ['SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a DESC) = 1', '3'],
  ['SELECT a, LAST_VALUE(a) OVER (ORDER BY a) FROM t ORDER BY a', '1|3/2|3/3|3'],
  ['SELECT a, SUM(a) OVER (ORDER BY a) FROM t ORDER BY a', '1|1/2|3/3|6'],
  ['SELECT * EXCLUDE (d, e) FROM t ORDER BY a', '1|2|x/2|NULL|y/3|7|NULL'],
  ['SELECT c, COUNT(*) AS n FROM t GROUP BY ALL HAVING n > 0 ORDER BY c', 'x|1/y|1/NULL|1'],
  ['SELECT x.a FROM t x CROSS JOIN t y WHERE x.a = y.b', '2'],
  ['SELECT a FROM t MINUS SELECT 2 INTERSECT SELECT 2 ORDER BY 1', '1/3'],
  ["SELECT n, s FROM (VALUES (1, 'a'), (2, 'b')) v (n, s) ORDER BY n DESC", '2|b/1|a'],
  ['SELECT c, SUM(a) FROM t WHERE a < 3 GROUP BY ROLLUP (c) ORDER BY c', 'x|1/y|2/NULL|3'],
  ['WITH big AS (SELECT a, e FROM t WHERE e > 1) SELECT AVG(e), MAX(big.a) FROM big // done', '1.875|2'],
  ['SELECT "A", T.A FROM t WHERE a = 1', '1|1'],
  // what DuckDB has under the same name, and means otherwise
  ["SELECT DATEDIFF(week, '2024-01-07'::DATE, '2024-01-08'::DATE), DATEDIFF(week, '2024-01-01'::DATE, "
    + "'2024-01-07'::DATE)",
    '1|0'],
  ["SELECT CAST(2.5::FLOAT AS INT), CAST(-2.5::FLOAT AS INT), CAST(c AS INT) FROM (SELECT '12' AS c)", '3|-3|12'],
  ["SELECT TRIM('\t a '), LTRIM('  a'), TRIM('xax', 'x')", '\t a|a|a'],
]))

t.test('refusals', t => runRefused(t, 'snowflake', [
  [`SELECT v:a ^= 'x' FROM t`, 'a path into JSON without a cast is not translated'],
  ['SELECT UPPER(^v:a) FROM t', 'a path into JSON without a cast is not translated'],
  ['SELECT ^INITCAP(c) FROM t', 'the function INITCAP is not translated'],
  ['SELECT a, ^"a" FROM t', 'the name a beside A is not translated'],
  ['SELECT a FROM t, LATERAL ^FLATTEN(input => c) f', 'LATERAL here is not translated'],
  ['SELECT * FROM ^TABLE(FLATTEN(c))', 'the table function TABLE is not translated'],
  ['SELECT a FROM t ^SAMPLE (10)', 'SAMPLE is not translated'],
  ['SELECT a FROM t ^PIVOT (SUM(a) FOR b IN (1))', 'PIVOT is not translated'],
  ['SELECT ^ADD_MONTHS(d, 1) FROM t',
    'ADD_MONTHS, which keeps the last day of a month: DATEADD does not, and it is not translated'],
  ["SELECT TO_CHAR(d, ^'YYYY-Q') FROM t", 'the element Q of the format "YYYY-Q" is not translated'],
  ['SELECT ^$1 FROM t', 'a parameter is not translated'],
  ['SELECT DATEADD(^fortnight, 1, d) FROM t', 'the unit FORTNIGHT in DATEADD is not translated'],
  ['SELECT a ^& 1 FROM t', 'the operator & is not translated'],
  ['SELECT a::^VARIANT FROM t', 'the type VARIANT is not translated'],
  ["SELECT 'a^\\x41'", 'the escape \\x in a string is not translated'],
  ['SELECT ^SUM(DISTINCT a, b) FROM t', 'SUM with 2 arguments is not translated'],
  ['SELECT a FROM t ^CONNECT BY a = b', 'CONNECT is not translated'],
  ['^SELECTED', 'SELECTED: only SELECT is, with WITH and set operations; it is not translated'],
]))
