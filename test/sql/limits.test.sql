-- LIMIT without an order: which rows come is open, but not how many, nor that they are rows of the statement.


-- a limit above an inner join
-- spread
SELECT count(*) AS n, bool_and(zone = 'north') AS yes FROM (
  SELECT s.id, c.zone FROM sales s JOIN customers c ON s.customer = c.id WHERE c.zone = 'north' LIMIT 100);

-- a limit that is more than the join has
-- spread
SELECT count(*) AS n, sum(id) AS ids FROM (
  SELECT s.id FROM sales s JOIN customers c ON s.customer = c.id AND s.id % 7 = 3 LIMIT 100000);

-- a limit above a left join keeps rows without a partner
-- spread
SELECT count(*) AS n, bool_and((name IS NULL) = (customer IS NULL OR customer % 3 > 0 OR customer > 267)) AS yes FROM (
  SELECT s.customer, c.name FROM sales s LEFT JOIN customers c ON s.customer = c.id LIMIT 3000 OFFSET 5000);

-- a limit above a semi join
-- spread
SELECT count(*) AS n, bool_and(customer % 3 = 0) AS yes FROM (
  SELECT customer FROM sales s WHERE EXISTS (FROM customers c WHERE c.id = s.customer) LIMIT 200);

-- a limit above an anti join, NULL keys included
-- spread
SELECT count(*) AS n, bool_or(customer % 3 = 0 AND customer < 270) AS no FROM (
  SELECT customer FROM sales s WHERE NOT EXISTS (FROM customers c WHERE c.id = s.customer) LIMIT 9000);

-- a limit above NOT IN a column with a NULL
-- spread
SELECT count(*) AS n FROM (SELECT id FROM sales WHERE customer NOT IN (SELECT boss FROM people) LIMIT 10);

-- a limit above UNION ALL of filtered parts
-- spread
SELECT count(*) AS n, bool_and(x < 0 OR x > 11990) AS yes FROM (
  SELECT id AS x FROM sales WHERE id > 11990 UNION ALL SELECT -1 - id FROM sales WHERE price > 900 LIMIT 50);

-- a limit and an offset beyond the end of a join
-- spread
SELECT count(*) AS n FROM (
  SELECT s.id FROM sales s JOIN customers c ON s.customer = c.id AND c.zone IS NULL LIMIT 10 OFFSET 100000);

-- no row of a join
-- spread
SELECT s.id, c.name FROM sales s JOIN customers c ON s.customer = c.id AND c.name = 'customer 5x' LIMIT 5;

-- a limit above a cross join and an inequality
-- spread
SELECT count(*) AS n, bool_and(s < w) AS yes FROM (
  SELECT s.id AS s, r.w FROM sales s JOIN rights r ON s.id < r.w CROSS JOIN single LIMIT 2500);

-- a limit in a side of a join below another
-- spread
SELECT count(*) AS n, count(DISTINCT k) AS keys FROM (
  SELECT s.id, c.k FROM sales s JOIN (SELECT id * 0 + 7 AS k FROM customers LIMIT 1) c ON s.customer = c.k LIMIT 40);

-- a limit above a full join
-- spread
SELECT count(*) AS n FROM (SELECT l.v, r.w FROM lefts l FULL JOIN rights r ON l.k = r.k LIMIT 30);

-- a limit above a table that is joined with itself
-- spread
SELECT count(*) AS n, bool_and(a + 1 = b) AS yes FROM (
  SELECT a.id AS a, b.id AS b FROM sales a JOIN sales b ON b.id = a.id + 1 AND a.price > 500 LIMIT 600);

-- a limit above a correlated subquery
-- spread
SELECT count(*) AS n, bool_and(most IS NOT DISTINCT FROM CASE WHEN customer >= 0 THEN least(customer // 3 * 3, 267) END)
  AS yes FROM (
  SELECT customer, (SELECT max(c.id) FROM customers c WHERE c.id <= s.customer) AS most FROM sales s LIMIT 70);
