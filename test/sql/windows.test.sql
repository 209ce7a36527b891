-- Window functions, frames and QUALIFY. Every ORDER BY in an OVER is total where the function needs it.


-- row_number, rank, dense_rank over partitions
SELECT id, team, row_number() OVER (PARTITION BY team ORDER BY pay DESC NULLS LAST, id) AS n,
  rank() OVER (PARTITION BY team ORDER BY age) AS r, dense_rank() OVER (PARTITION BY team ORDER BY age) AS d
  FROM people;

-- percent_rank, cume_dist, ntile
SELECT id, percent_rank() OVER w AS p, cume_dist() OVER w AS c, ntile(5) OVER w AS t FROM people
  WINDOW w AS (PARTITION BY active ORDER BY pay NULLS FIRST, id);

-- lag and lead with offset and default
SELECT id, lag(pay) OVER w AS before, lead(pay, 2, -1) OVER w AS after, lag(team, 1, 'none') OVER w AS team
  FROM people
  WINDOW w AS (PARTITION BY active ORDER BY id);

-- IGNORE NULLS
SELECT id, lag(team IGNORE NULLS) OVER (ORDER BY id) AS team, last_value(age IGNORE NULLS) OVER (ORDER BY id) AS age
  FROM people;

-- first_value, last_value, nth_value over a whole partition
SELECT id, first_value(name) OVER w AS a, last_value(name) OVER w AS b, nth_value(name, 2) OVER w AS c FROM people
  WINDOW w AS (PARTITION BY team ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);

-- running sums, peers included and not
SELECT id, sum(pay) OVER (PARTITION BY team ORDER BY age) AS peers,
  sum(pay) OVER (PARTITION BY team ORDER BY age, id ROWS UNBOUNDED PRECEDING) AS alone FROM people;

-- a moving average of rows
SELECT id, avg(pay) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS mean FROM people;

-- a range in days
SELECT id, count(*) OVER (ORDER BY joined RANGE BETWEEN INTERVAL 60 DAYS PRECEDING AND CURRENT ROW) AS near
  FROM people;

-- a range in numbers, descending
SELECT id, sum(v) OVER (ORDER BY v DESC RANGE BETWEEN 3 PRECEDING AND 2 FOLLOWING) AS near FROM (SELECT v AS id, v
  FROM lefts);

-- groups
SELECT id, count(*) OVER (ORDER BY age GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS near FROM people;

-- EXCLUDE
SELECT id, sum(id) OVER w1 AS others, count(*) OVER w2 AS ties FROM people
  WINDOW w1 AS (PARTITION BY team ORDER BY age ROWS BETWEEN UNBOUNDED PRECEDING
  AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW),
    w2 AS (ORDER BY age RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES);

-- an aggregate with FILTER and DISTINCT over a window
SELECT id, count(*) FILTER (WHERE active) OVER (PARTITION BY team) AS n,
  count(DISTINCT age) OVER (PARTITION BY team) AS ages FROM people;

-- windows without a partition over all files
SELECT id, customer, row_number() OVER (ORDER BY id) AS n FROM sales ORDER BY id LIMIT 20 OFFSET 5990;

-- a window over groups
SELECT customer, count(*) AS n, rank() OVER (ORDER BY count(*) DESC, customer) AS place FROM sales GROUP BY customer
  ORDER BY place LIMIT 15;

-- two windows with different partitions
SELECT id, sum(quantity) OVER (PARTITION BY product) AS a, max(price) OVER (PARTITION BY customer, day) AS b
  FROM sales
  WHERE id % 10 = 0;

-- QUALIFY takes the newest of each
-- spread
SELECT customer, id, sold FROM sales QUALIFY row_number() OVER (PARTITION BY customer ORDER BY sold DESC) = 1;

-- QUALIFY with a named window, over groups
SELECT team, count(*) AS n FROM people GROUP BY team QUALIFY rank() OVER (ORDER BY n DESC) <= 2;

-- a window over an empty table, and over one row
SELECT *, row_number() OVER () AS n FROM nothing UNION ALL SELECT *, row_number() OVER () FROM single;

-- NULL partitions are one partition
SELECT k, count(*) OVER (PARTITION BY k) AS n, v FROM lefts;

-- quantiles and lists over frames
SELECT id, median(pay) OVER (PARTITION BY team ORDER BY id ROWS 3 PRECEDING) AS m,
  list(id) OVER (PARTITION BY team ORDER BY id ROWS 1 PRECEDING) AS ids FROM people;
