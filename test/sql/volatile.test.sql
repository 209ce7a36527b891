-- Functions that give another value at each call are called once a row, whoever reads the value.

-- a random column of a CTE is the same to both readers
-- spread
WITH r AS (SELECT id, random() AS x FROM sales) SELECT count(*) AS n, count(*) FILTER (a.x <> b.x) AS differ FROM r a
  JOIN r b USING (id);

-- so is a uuid
-- spread
WITH r AS MATERIALIZED (SELECT id, uuid() AS u FROM sales WHERE id < 500) SELECT count(DISTINCT a.u) AS n,
  count(*) FILTER (a.u IS DISTINCT FROM b.u) AS differ FROM r a FULL JOIN r b USING (id);

-- a random filter is applied once
-- spread
WITH r AS MATERIALIZED (SELECT id FROM sales WHERE random() < 0.5) SELECT count(*) FILTER (b.id IS NULL) AS differ,
  count(*) BETWEEN 5000 AND 7000 AS half FROM r a FULL JOIN r b USING (id);

-- random values are all different over the tasks
-- spread
SELECT count(DISTINCT gen_random_uuid()) AS n, count(DISTINCT random()) > 11900 AS many FROM sales;

-- a random value that is one for the statement
SELECT count(DISTINCT x) AS n FROM (SELECT (SELECT random()) AS x FROM sales);

-- the clock stands still
SELECT count(DISTINCT now()) AS n, bool_and(now() = current_timestamp) AS same FROM sales;

-- sequences are nobody's
-- error: PERMISSION_DENIED
SELECT nextval('s'), id FROM sales;
