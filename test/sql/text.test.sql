-- Text, casts, filters and scalar functions over every type.


-- every type of scalar comes through
SELECT * EXCLUDE (doc) FROM kinds;

-- text functions
SELECT id, upper(word) AS a, length(word) AS b, strlen(word) AS c, reverse(word) AS d, substring(word, 2, 1) AS e,
  word[1] AS f,
  replace(word, 'ä', 'ss') AS g, lpad(word, 6, '*') AS h, ascii(word) AS i, md5(word) AS j FROM kinds;

-- patterns
SELECT id, name FROM people WHERE name LIKE 'person _' OR name ILIKE 'PERSON 3%' OR name SIMILAR TO '.*[05]$';

-- regular expressions
SELECT name, regexp_extract(name, '([0-9])$', 1) AS a, regexp_replace(name, '[0-9]+', '#') AS b, regexp_matches(name,
  '1') AS c,
  string_split(name, ' ') AS d FROM people;

-- LIKE with an escape, and a pattern that is a column
SELECT id, name LIKE 'person' || '%' || team || '%' AS a, 'a%b' LIKE 'a!%b' ESCAPE '!' AS b FROM people;

-- collation without case
SELECT name, count(*) AS n FROM (SELECT CASE WHEN id % 2 = 0 THEN upper(team) ELSE team END COLLATE NOCASE AS name
  FROM people) GROUP BY name
  HAVING count(*) > 100;

-- NULL through every operator
SELECT id, team || NULL AS a, concat(team, NULL) AS b, coalesce(team, 'none') AS c, nullif(team, 'red') AS d,
  team IS DISTINCT FROM 'red' AS e,
  age + NULL AS f, greatest(age, NULL, 3) AS g, team IN ('red', NULL) AS h FROM people;

-- three-valued logic
SELECT a, b, a AND b AS c, a OR b AS d, NOT a AS e, a = b AS f FROM
  (VALUES (TRUE), (FALSE), (NULL)) x(a), (VALUES (TRUE), (FALSE), (NULL)) y(b);

-- CASE of every kind
SELECT id, CASE WHEN age > 50 THEN 'old' WHEN age IS NULL THEN NULL ELSE 'young' END AS a,
  CASE team WHEN 'red' THEN 1 WHEN 'blue' THEN 2.5 END AS b,
  if(active, 1, 0) AS c FROM people;

-- casts, and casts that may fail
SELECT id, pay::INTEGER AS a, pay::DOUBLE AS b, TRY_CAST(name AS INTEGER) AS c, active::INTEGER AS d,
  age::VARCHAR AS e, id::DECIMAL(9,3) AS f,
  '12' || id AS g, TRY_CAST(id * 20 AS TINYINT) AS h FROM people;

-- integers divide and shift as DuckDB does
SELECT id, id / 7 AS a, id // 7 AS b, -id % 7 AS c, id ** 2 AS d, id & 6 AS e, id | 9 AS f, xor(id, 5) AS g,
  id << 2 AS h, ~id AS i FROM people;

-- a division by zero is NULL or infinite
SELECT id, id // 0 AS a, id % 0 AS b, id / 0 AS c, pay / 0 AS d FROM people WHERE id < 4;

-- rounding
SELECT id, round(pay, 1) AS a, floor(pay) AS b, ceil(-pay) AS c, trunc(pay / 3) AS d, round(pay / 7, 3) AS e,
  even(pay) AS f FROM people;

-- an ENUM as a group and in an order
SELECT team::ENUM('white', 'red', 'grey', 'green', 'blue') AS team, count(*) AS n FROM people GROUP BY 1
  ORDER BY 1 DESC NULLS FIRST;

-- bits and blobs
SELECT id, ('101' || (id % 2))::BIT AS a, bit_count(id) AS b, bytes || '\xFF'::BLOB AS c, hex(bytes) AS d,
  base64(bytes) AS e, octet_length(bytes) AS f
  FROM kinds;

-- bits as groups
SELECT ('10' || (id % 2))::BIT AS b, count(*) AS n FROM people GROUP BY b;

-- UUIDs compare as numbers do
SELECT id FROM kinds WHERE uuid > '00000000-0000-4000-8000-000000000004'::UUID;

-- filters over every type
SELECT id FROM kinds WHERE tiny < 0 OR ubig > 13000000000000000000 OR dec4 = 7.007 OR hour > TIME '23:00' OR yes
  OR bytes = 'aiz'::BLOB;

-- filters over a row group's edges
SELECT count(*) AS n, min(id) AS low, max(id) AS high FROM sales WHERE id BETWEEN 2047 AND 6144
  AND customer IS NOT NULL;

-- a filter that no row passes
SELECT product, sum(price) AS total FROM sales WHERE price < 0 GROUP BY product;

-- a filter that is always NULL
SELECT count(*) AS n FROM sales WHERE customer = NULL OR note <> note;

-- IN over many values
SELECT count(*) AS n FROM sales WHERE product IN ('product 1', 'product 2', 'product 30', 'no product')
  AND quantity NOT IN (1, 2, 3);

-- hash and random do not change the rows
SELECT count(*) AS n, bool_and(r >= 0 AND r < 1) AS ok FROM (SELECT id, random() AS r FROM sales) WHERE r < 2;

-- uuid() differs from row to row
SELECT count(DISTINCT u) = count(*) AS ok FROM (SELECT uuid() AS u FROM people);
