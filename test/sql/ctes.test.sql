-- Common table expressions, recursion, PIVOT, and statements without FROM.


-- a CTE used twice
WITH teams AS (SELECT team, sum(pay) AS pay FROM people GROUP BY team)
SELECT a.team, b.team AS other, a.pay - b.pay AS more FROM teams a JOIN teams b ON a.pay > b.pay;

-- a materialized CTE
WITH big AS MATERIALIZED (SELECT id, price FROM sales WHERE price > 900)
SELECT (SELECT count(*) FROM big) AS n, (SELECT max(price) FROM big) AS top, (SELECT sum(id) FROM big) AS total;

-- CTEs that read each other
WITH a AS (SELECT k, v FROM lefts WHERE v > 5), b AS (SELECT k, count(*) AS n FROM a GROUP BY k),
  c AS (SELECT a.v, b.n FROM a JOIN b USING (k))
SELECT n, sum(v) AS total FROM c GROUP BY n;

-- a CTE named like a table hides it
WITH people AS (SELECT 1 AS id) SELECT * FROM people;

-- numbers by recursion
-- whole
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT sum(i) AS total, count(*) AS n
  FROM n;

-- a tree by recursion over a table
-- whole
WITH RECURSIVE tree(node, depth, path) AS (
  SELECT 0, 0, '0' UNION ALL
  SELECT e.child, depth + 1, path || '/' || e.child FROM tree t JOIN edges e ON e.parent = t.node WHERE depth < 4)
SELECT * FROM tree;

-- recursion with UNION ends in a cycle
-- whole
WITH RECURSIVE walk(n) AS (SELECT 1 UNION SELECT (n * 5 + 1) % 16 FROM walk) SELECT n FROM walk;

-- PIVOT with a list
PIVOT people ON team IN ('red', 'blue', 'green') USING count(*) AS n, sum(pay) AS pay GROUP BY active;

-- PIVOT as a subquery, in standard form
SELECT * FROM (SELECT region, year, amount FROM visits) PIVOT (sum(amount) FOR year IN (2022, 2023, 2024)
  GROUP BY region);

-- UNPIVOT
SELECT * FROM (SELECT id, quantity, (price * 100)::INTEGER AS cents FROM sales WHERE id < 10)
  UNPIVOT (value FOR what IN (quantity, cents));

-- UNPIVOT that keeps NULLs
SELECT * FROM (SELECT k, s, m::VARCHAR AS m, d::VARCHAR AS d FROM single)
  UNPIVOT INCLUDE NULLS (value FOR what IN (s, m, d));

-- UNPIVOT as a statement, of columns by pattern
UNPIVOT lefts ON COLUMNS('^[kv]$') INTO NAME what VALUE value;

-- FROM first
FROM lefts WHERE v < 4;

-- FROM first, with SELECT after it
FROM lefts SELECT k, max(v) AS top GROUP BY k;

-- SELECT without FROM
SELECT 1 AS a, 'x' AS b, NULL AS c, 1.50 AS d, [1, 2] AS e, {'f': TRUE} AS g;

-- VALUES
VALUES (1, 'a', 1.5), (2, NULL, 2.25), (NULL, 'c', NULL);

-- a join of VALUES with a table
SELECT v.name, count(*) AS n FROM (VALUES (7, 'seven'), (0, 'zero'), (NULL, 'null')) v(id, name)
  LEFT JOIN sales s ON s.customer = v.id GROUP BY v.name;

-- range and generate_series as tables
SELECT r.range AS i, g.generate_series AS d FROM range(3, 12, 4) r,
  generate_series(DATE '2024-02-28', DATE '2024-03-01', INTERVAL 1 DAY) g;

-- columns by pattern, EXCLUDE, REPLACE and RENAME
SELECT COLUMNS('^(k|v)$'), * EXCLUDE (k) REPLACE (v + 1 AS v) FROM lefts WHERE v < 6;

-- one function over many columns
SELECT min(COLUMNS(* EXCLUDE (s))), max(COLUMNS('v')) FROM lefts;

-- an alias used in WHERE, GROUP BY and HAVING
SELECT id % 4 AS rest, sum(amount) AS total FROM visits WHERE rest < 3 GROUP BY rest HAVING total > 100;

-- names that need quotes, and the same name twice
SELECT id AS "a ""b"" c", id + 1 AS "a ""b"" c", id AS "Select" FROM people WHERE id < 3;
