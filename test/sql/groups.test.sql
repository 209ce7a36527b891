-- GROUP BY, grouping sets, DISTINCT, and groups at the edges.


-- NULL is a group
-- spread
SELECT k, count(*) AS n, count(s) AS texts, sum(v) AS total FROM lefts GROUP BY k;

-- a group by expression
SELECT id % 7 AS rest, day > DATE '2024-01-20' AS late, sum(price) AS total FROM sales GROUP BY 1, 2;

-- GROUP BY ALL
SELECT product, date_trunc('month', sold) AS month, count(*) AS n FROM sales GROUP BY ALL;

-- ROLLUP
SELECT team, active, grouping(team, active) AS g, count(*) AS n, sum(pay) AS pay FROM people GROUP BY ROLLUP (team,
  active);

-- CUBE
SELECT team, active, age > 40 AS older, grouping_id(team, active) AS g, count(*) AS n FROM people
  GROUP BY CUBE (team, active), age > 40;

-- GROUPING SETS with the empty set
SELECT region, year, sum(amount) AS total, grouping(region) AS g FROM visits GROUP BY GROUPING SETS ((region, year),
  (year), ());

-- grouping sets over aggregates that cannot be made from parts
SELECT team, active, median(pay) AS m, count(DISTINCT age) AS ages FROM people GROUP BY GROUPING SETS ((team),
  (active), ());

-- grouping sets over an empty table: only the empty set has a row
SELECT k, s, count(*) AS n FROM nothing GROUP BY GROUPING SETS ((k, s), (k), ());

-- no groups over an empty table is one row
SELECT count(*) AS n, count(k) AS k, sum(m) AS s, avg(d) AS a, min(s) AS low, list(k) AS l, bool_and(k > 1) AS b
  FROM nothing;

-- groups over an empty table are no rows
SELECT k, count(*) AS n FROM nothing GROUP BY k;

-- one row
SELECT k, count(*) AS n, sum(m) AS s, avg(d) AS a, stddev(m) AS dev FROM single GROUP BY k;

-- HAVING without groups
SELECT sum(quantity) AS n FROM sales HAVING count(*) > 20000;

-- HAVING over groups that files share
SELECT product, sum(quantity) AS n FROM sales GROUP BY product HAVING sum(quantity) > 2100;

-- a group of most rows beside many of few
-- spread
SELECT customer, count(*) AS n, sum(price) AS total, min(sold) AS first, max(sold) AS last FROM sales
  GROUP BY customer;

-- groups by many columns and every type
SELECT yes, tiny, word, uuid, day, hour, stamp, zoned, dec38, bytes, count(*) AS n FROM kinds GROUP BY ALL;

-- groups by floats: NaN is one group, and so is zero of both signs
SELECT d, count(*) AS n FROM (SELECT f8 AS d FROM kinds UNION ALL VALUES ('nan'::DOUBLE), ('-0.0'), ('0.0'))
  GROUP BY d;

-- groups by lists and structs
SELECT nums, pair, count(*) AS n FROM (FROM nested UNION ALL FROM nested) GROUP BY nums, pair;

-- DISTINCT
SELECT DISTINCT customer, quantity FROM sales WHERE customer IS NULL OR customer < 40;

-- count of distinct values, of one and of several columns
SELECT count(DISTINCT customer) AS a, count(DISTINCT (customer, quantity)) AS b, count(DISTINCT note) AS c FROM sales;

-- DISTINCT aggregates beside plain ones, by group
SELECT quantity, count(DISTINCT customer) AS a, count(customer) AS b, sum(DISTINCT price) AS c, sum(price) AS d
  FROM sales
  GROUP BY quantity;

-- DISTINCT ON takes the first of an order
SELECT DISTINCT ON (customer) customer, id, price FROM sales ORDER BY customer, price DESC, id;

-- DISTINCT ON two columns of people
SELECT DISTINCT ON (team, active) team, active, id FROM people ORDER BY team NULLS FIRST, active, id DESC;

-- DISTINCT over an expression, sorted
SELECT DISTINCT length(name) AS n, team FROM people ORDER BY team NULLS LAST, n;

-- FILTER
SELECT team, count(*) FILTER (WHERE age > 30) AS n, sum(pay) FILTER (WHERE NOT active) AS pay,
  avg(pay) FILTER (WHERE false) AS none
  FROM people GROUP BY team;

-- constants as groups
SELECT 'all' AS who, 1 AS one, count(*) AS n FROM sales GROUP BY 1, 2;
