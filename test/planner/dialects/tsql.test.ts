/** T-SQL: what its documentation says of each, and what is refused, at its place. */

import t from 'tap'
import { runCases, runRefused } from './cases.ts'

t.test('values', t => runCases(t, 'tsql', [
  // operators
  ['SELECT 1 WHERE 1 = 2 AND 1 = 1 OR 2 = 2', '1'],
  ['SELECT 1 WHERE 2 = 2 OR 1 = 1 AND 1 = 2', '1'],
  ['SELECT 7 / 2, -7 / 2, 7.0 / 2, 7 % 3, 2 + 3 * 4, 10 - 4 - 3', '3|-3|3.5|1|14|3'],
  ['SELECT a / 2, b / a, e / 2 FROM t WHERE a = 1', '0|2|0.75'],
  ['SELECT SUM(b) / COUNT(*) FROM t', '3'],
  ['SELECT 1 / 0', "error: Conversion Error: Could not convert string 'division by zero' to INT8"],
  ["SELECT 'a' + 'b' + 'c', c + '-' + c FROM t WHERE a = 1", 'abc|x-x'],
  ["SELECT 1 WHERE 'abc' LIKE 'a_c' AND 'abc' NOT LIKE 'b%' AND '50%' LIKE '50!%' ESCAPE '!'", '1'],
  ['SELECT 1 WHERE 2 IN (1, 2) AND 3 NOT IN (1) AND 2 BETWEEN 1 AND 3 AND NULL IS NULL', '1'],
  ['SELECT a FROM t WHERE b IS DISTINCT FROM 2 ORDER BY a', '2/3'],
  // strings
  ["SELECT LEN('abc  '), LEN(N'é'), LEN('  a')", '3|1|3'],
  ["SELECT CONCAT('a', NULL, 1), CONCAT_WS(',', 'a', NULL, 'b'), REPLICATE('0', 4), SPACE(2) + 'x'", 'a1|a,b|0000|  x'],
  ["SELECT SUBSTRING('abcdef', 2, 3), LEFT('abcdefg', 2), RIGHT('abcdefg', 2), STUFF('abcdef', 2, 3, 'ijklmn')",
    'bcd|ab|fg|aijklmnef'],
  ["SELECT CHARINDEX('is', 'This is'), CHARINDEX('z', 'abc'), REPLACE('abcde', 'cde', 'xxx'), REVERSE('1234')",
    '3|0|abxxx|4321'],
  ["SELECT UPPER('a'), LOWER('A'), LTRIM('  a'), RTRIM('a  ') + '|', TRIM(' a '), 'it''s'", "A|a|a|a||a|it's"],
  // conditions
  ["SELECT ISNULL(NULL, 5), IIF(45 > 30, 'TRUE', 'FALSE'), CHOOSE(3, 'M', 'D', 'T'), COALESCE(NULL, 2), NULLIF(4, 4)",
    '5|TRUE|T|2|NULL'],
  ["SELECT CASE WHEN a > 1 THEN 'more' ELSE 'one' END FROM t ORDER BY a", 'one/more/more'],
  ['SELECT GREATEST(1, NULL, 3), LEAST(2, 1)', '3|1'],
  // numbers
  ['SELECT ROUND(123.4545, 2), ROUND(748.58, -1), CEILING(123.45), FLOOR(-123.45), ABS(-1), SIGN(-125)',
    '123.45|750|124|-124|1|-1'],
  ['SELECT POWER(2, 3), SQUARE(3), SQRT(16), LOG(1), LOG(8, 2), LOG10(100)', '8|9|4|0|3|2'],
  ["SELECT CAST(10.6496 AS INT), CAST(-10.6496 AS INT), CAST('12' AS INT), CAST(10.3496847 AS MONEY), "
    + 'CAST(1.25 AS DECIMAL(3, 1))', '10|-10|12|10.3497|1.3'],
  ["SELECT CONVERT(INT, '7'), TRY_CAST('test' AS FLOAT), TRY_CONVERT(INT, 'x'), CAST('abcdef' AS VARCHAR(3)), "
    + 'CAST(5 AS NVARCHAR(MAX))', '7|NULL|NULL|abc|5'],
  // dates
  ["SELECT DATEADD(month, 1, CAST('2006-08-31' AS DATE)), DATEADD(day, -1, CAST('2020-03-01' AS DATE))",
    '2006-09-30|2020-02-29'],
  ["SELECT DATEADD(hour, 1, CAST('2006-08-31 10:00:00' AS DATETIME)), DATEADD(week, 1, CAST('2006-08-01' AS DATE))",
    '2006-08-31 11:00:00|2006-08-08'],
  ["SELECT DATEDIFF(year, '2005-12-31 23:59:59', '2006-01-01 00:00:00'), DATEDIFF(day, '2005-12-31', '2006-01-02')",
    '1|2'],
  ["SELECT DATEDIFF(hour, '2005-12-31 23:59:59', '2006-01-01 00:00:00'), DATEDIFF(mm, '2020-01-31', '2020-02-01')",
    '1|1'],
  ["SELECT DATEPART(year, '2007-10-30'), DATEPART(qq, '2007-10-30'), DATEPART(dayofyear, '2007-10-30'), "
    + "DATEPART(weekday, '2007-04-21')", '2007|4|303|7'],
  ["SELECT YEAR('2010-04-30'), MONTH('2007-04-30'), DAY('2015-04-30'), DATENAME(month, '2007-10-30'), "
    + "DATENAME(weekday, '2007-10-30')", '2010|4|30|October|Tuesday'],
  ["SELECT EOMONTH('2020-02-05'), EOMONTH('2020-01-31', 1), DATEFROMPARTS(2010, 12, 31)",
    '2020-02-29|2020-02-29|2010-12-31'],
  ["SELECT CONVERT(VARCHAR(10), CAST('2006-04-25' AS DATE), 23), CONVERT(VARCHAR(8), CAST('2006-04-25' AS DATE), 112), "
    + "CONVERT(VARCHAR(10), CAST('2006-04-25' AS DATE), 101)", '2006-04-25|20060425|04/25/2006'],
  ["SELECT FORMAT(CAST('2018-09-23' AS DATE), 'dd/MM/yyyy'), DATETRUNC(month, CAST('2021-12-08' AS DATE))",
    '23/09/2018|2021-12-01'],
  // queries
  ['SELECT b FROM t ORDER BY b', 'NULL/2/7'],
  ['SELECT TOP 2 b FROM t ORDER BY b DESC', '7/2'],
  ['SELECT TOP (1) [a] AS [x y] FROM [main].[t] ORDER BY [a]', '1'],
  ['SELECT a FROM t ORDER BY a OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY', '2'],
  ['SELECT a FROM t ORDER BY a OFFSET 2 ROWS', '3'],
  ['SELECT AVG(a), AVG(b), AVG(e), SUM(a) FROM t', '2|4|1.875|6'],
  ["SELECT STRING_AGG(c, ';') WITHIN GROUP (ORDER BY c DESC), COUNT_BIG(*), STDEV(a), VARP(a) FROM t",
    'y;x|3|1|0.6666666666666666'],
  ['SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) OVER () FROM t WHERE a = 1', '1'],
  ['SELECT t.a, u.x FROM t CROSS APPLY (SELECT t.a * 2 AS x) u ORDER BY 1', '1|2/2|4/3|6'],
  ['SELECT t.a, u.x FROM t OUTER APPLY (SELECT v.a AS x FROM t v WHERE v.b = t.a) u ORDER BY t.a', '1|NULL/2|1/3|NULL'],
  ['SELECT a FROM t WITH (NOLOCK) WHERE a = 1', '1'],
  ['WITH r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT MAX(n) FROM r', '3'],
  ['SELECT c, SUM(a) FROM t WHERE a < 3 GROUP BY ROLLUP (c) ORDER BY c', 'NULL|3/x|1/y|2'],
  ['SELECT c, a, COUNT(*) FROM t WHERE a = 1 GROUP BY GROUPING SETS ((c), (a), ()) ORDER BY c, a',
    'NULL|NULL|1/NULL|1|1/x|NULL|1'],
  ['SELECT a FROM t EXCEPT SELECT 1 ORDER BY a', '2/3'],
  ['SELECT a, ROW_NUMBER() OVER (PARTITION BY b % 2 ORDER BY a DESC) FROM t ORDER BY a', '1|1/2|1/3|1'],
  ['SELECT a FROM t WHERE a > ALL (SELECT 2) OR a = ANY (SELECT 1) ORDER BY a', '1/3'],
  ['SELECT x.a FROM t x FULL OUTER JOIN t y ON x.a = y.b WHERE x.a = 2 /* a /* nested */ comment */', '2'],
  // what DuckDB has under the same name, and means otherwise
  ["SELECT SUBSTRING('abcdef', 0, 3), SUBSTRING('abcdef', -1, 4), SUBSTRING('abcdef', -5, 2), "
    + "SUBSTRING('abcdef', 5, 9)",
    'ab|ab||ef'],
  ["SELECT SUBSTRING('abc', 1, -1)", "error: Conversion Error: Could not convert string 'negative length' to INT8"],
  ["SELECT LEFT('abc', -1)", "error: Conversion Error: Could not convert string 'negative length' to INT8"],
  ["SELECT REPLICATE('a', -1), SPACE(-1), STUFF('abc', 4, 1, 'x'), STUFF('abc', 0, 1, 'x'), STUFF('abc', 2, 1, NULL)",
    'NULL|NULL|NULL|NULL|ac'],
  ["SELECT CAST(e AS INT), CAST(2.7 AS INT), CAST(-2.7e0 AS INT), CAST(x AS INT) FROM t, "
    + "(SELECT '12' AS x) AS n WHERE a = 1",
    '1|2|-2|12'],
]))

t.test('refusals', t => runRefused(t, 'tsql', [
  ['SELECT ^PATINDEX(c, c) FROM t', 'the function PATINDEX is not translated'],
  ['SELECT a ^= b FROM t', 'a column named by =, instead of AS, is not translated'],
  ["SELECT 'a' ^+ 1", 'a string + a number is not translated'],
  ["SELECT a FROM t WHERE c ^LIKE '[a-z]%'", 'LIKE of a pattern with [ is not translated'],
  ['SELECT a FROM t WHERE c ^LIKE c', 'LIKE of a pattern that is not written out is not translated'],
  ['SELECT DATEDIFF(^week, d, d) FROM t', 'the unit WEEK in DATEDIFF is not translated'],
  ['SELECT ^TOP 5 PERCENT a FROM t', 'this TOP is not translated'],
  ['SELECT CAST(c AS ^VARCHAR) FROM t', 'the type VARCHAR without a size is not translated'],
  ['SELECT CAST(c AS ^XML) FROM t', 'the type XML is not translated'],
  ['SELECT CONVERT(VARCHAR(30), d, ^9) FROM t', 'the style 9 of CONVERT is not translated'],
  ['SELECT a ^INTO #x FROM t', 'INTO is not translated'],
  ['SELECT a FROM t ^FOR XML PATH', 'FOR is not translated'],
  ['SELECT ^@@ROWCOUNT', 'a variable is not translated'],
  ['SELECT a ^^ b FROM t', 'the operator ^ is not translated'],
  ['SELECT a ^|| b FROM t', 'the operator || is not translated'],
  ['^EXEC sp_who', 'EXEC: only SELECT is, with WITH and set operations; it is not translated'],
]))
