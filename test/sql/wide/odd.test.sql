-- Table functions, virtual columns, samples, recursion, and forms that reports and tools write.

-- a generated series joined
SELECT g.x, count(o.order_id) AS n FROM generate_series(0, 12) AS g(x) LEFT JOIN orders o ON o.store_id = g.x GROUP
  BY 1 ORDER BY 1;

-- a range with an alias
SELECT r.i * 10 AS t, (SELECT count(*) FROM places WHERE lat > r.i * 10) AS n FROM range(3, 7) AS r(i) ORDER BY 1;

-- a range without an alias
SELECT range, count(*) AS n FROM range(5) JOIN orders ON store_id = range GROUP BY range ORDER BY range;

-- a range of a column's value
SELECT s.store_id, r.i FROM stores s, range(s.store_id % 3) r(i) ORDER BY 1, 2;

-- unnest in FROM
SELECT u.x, count(*) AS n FROM unnest(['web', 'app', 'none']) AS u(x) LEFT JOIN orders o ON o.channel = u.x GROUP BY
  1 ORDER BY 1;

-- unnest with ordinality
SELECT x, i FROM unnest(['a', 'b', 'c']) WITH ORDINALITY AS u(x, i) JOIN stores s ON s.store_id = u.i ORDER BY i;

-- repeat
SELECT count(*) AS n FROM repeat('x', 3) AS r(v), stores;

-- repeat_row
SELECT r.*, count(*) AS n FROM repeat_row(1, 'x', num_rows := 4) AS r, stores GROUP BY ALL;

-- json_each of a constant
SELECT j.value, count(*) AS n FROM json_each('[0, 1, 2]') j JOIN orders o ON o.store_id = j.value::INT GROUP BY 1
  ORDER BY j.value::VARCHAR;

-- a sample of all rows
-- whole
SELECT count(*) AS n FROM orders USING SAMPLE 100%;

-- a table sample
-- whole
SELECT count(*) <= 1500 AS ok FROM orders TABLESAMPLE reservoir(20 ROWS);

-- recursion over numbers
-- whole
WITH RECURSIVE r(n, f) AS (SELECT 1, 1::HUGEINT UNION ALL SELECT n + 1, f * (n + 1) FROM r WHERE n < 20) SELECT r.n,
  r.f, count(s.store_id) AS c FROM r LEFT JOIN stores s ON s.store_id = r.n GROUP BY ALL ORDER BY 1;

-- recursion over a table
-- whole
WITH RECURSIVE up AS (SELECT client_id, referred_by, 0 AS depth FROM clients WHERE client_id = 1257 UNION ALL SELECT
  c.client_id, c.referred_by, up.depth + 1 FROM clients c JOIN up ON c.client_id = up.referred_by) SELECT * FROM up
  ORDER BY depth;

-- recursion beside a large aggregate
-- whole
WITH RECURSIVE d(x) AS (SELECT DATE '2023-01-01' UNION ALL SELECT (x + INTERVAL 7 DAY)::DATE FROM d WHERE x <
  '2023-03-01') SELECT d.x, count(o.order_id) AS n FROM d LEFT JOIN orders o ON o.ordered_at >= d.x AND o.ordered_at
  < d.x + 7 GROUP BY 1 ORDER BY 1;

-- positional join
-- whole
SELECT a.store_id, b.store_id AS o FROM (SELECT store_id FROM stores ORDER BY 1) a POSITIONAL JOIN (SELECT store_id
  FROM stores ORDER BY 1 DESC) b ORDER BY 1;

-- limit of an expression
-- whole
SELECT order_id FROM orders ORDER BY order_id LIMIT (SELECT count(*) FROM stores);

-- limit in percent
SELECT order_id FROM orders ORDER BY order_id LIMIT 1%;

-- limit and offset by expressions
-- whole
SELECT order_id FROM orders ORDER BY order_id LIMIT 2 + 3 OFFSET (SELECT min(store_id) + 4 FROM stores);

-- offset alone
SELECT store_id FROM stores ORDER BY 1 OFFSET 8;

-- limit zero
SELECT * FROM orders LIMIT 0;

-- approximate quantile
SELECT approx_quantile(price, 0.5) BETWEEN 30 AND 55 AS ok FROM lines;

-- approximate quantiles by group
SELECT quantity, approx_quantile(price, [0.25, 0.75])[1] < 60 AS ok FROM lines GROUP BY 1 ORDER BY 1;

-- approximate top k
SELECT len(approx_top_k(status, 3)) AS n FROM orders;

-- reservoir quantile
-- whole
SELECT reservoir_quantile(price, 0.5, 8192) > 0 AS ok FROM lines;

-- collation
SELECT city COLLATE NOCASE AS c, count(*) AS n FROM clients GROUP BY 1 ORDER BY 1;

-- order by a collation
SELECT DISTINCT title FROM items ORDER BY title COLLATE NOCASE, title LIMIT 10;

-- bit strings
SELECT bitstring_agg(store_id, 0, 15) AS b, bit_count(bit_or(store_id::BIT)) AS c FROM orders;

-- bit constants
-- whole
SELECT count(*) AS n FROM stores WHERE store_id::BIT & '00000000000000000000000000000001'::BIT =
  '00000000000000000000000000000001'::BIT;

-- big numbers
-- whole
SELECT sum(order_id::BIGNUM::VARCHAR::HUGEINT) AS s, max(12345678901234567890123::BIGNUM) AS m FROM orders;

-- blobs and their constants
SELECT count(*) AS n FROM ledger WHERE tag > '\x78\x45'::BLOB AND tag <> 'xZ'::BLOB;

-- constants of every time type
SELECT count(*) FILTER (at_time > TIME '12:00:00') AS a, count(*) FILTER (booked > DATE '2023-01-01') AS b, count(*)
  FILTER (booked > TIMESTAMP_MS '2023-01-01') AS c, count(*) FILTER (booked::TIMESTAMP_NS < TIMESTAMP_NS
  '2023-01-01 00:00:00.000000001') AS d, count(*) FILTER (booked::TIMESTAMP_S = TIMESTAMP_S '2022-02-03') AS e FROM
  ledger;

-- dates before Christ and infinite ones
SELECT count(*) FILTER (booked > DATE '0044-03-15 (BC)') AS a, count(*) FILTER (booked < 'infinity'::DATE) AS b,
  max(CASE WHEN reversed THEN '-infinity'::DATE ELSE booked END) AS c, min(CASE WHEN reversed THEN DATE
  '0044-03-15 (BC)' ELSE booked END) AS d FROM ledger;

-- a macro-like nest of functions
SELECT list_sum(list_filter(list_transform(range(store_id + 1), lambda x: x * x), lambda y: y % 2 = 0)) AS s FROM
  stores ORDER BY store_id;

-- summary of a table
-- whole
SELECT column_name, column_type FROM (SUMMARIZE orders) ORDER BY 1;

-- description of a query
-- whole
DESCRIBE SELECT order_id, ordered_at, sum(order_id) OVER () AS s FROM orders;

-- a report tool's wrapper
SELECT "t0"."c" AS "c", "t0"."n" AS "n" FROM (SELECT "t1"."channel" AS "c", COUNT(*) AS "n" FROM (SELECT * FROM
  "orders" WHERE 1 = 1) "t1" GROUP BY "t1"."channel") "t0" ORDER BY "t0"."n" DESC, "t0"."c" ASC LIMIT 1000 OFFSET 0;

-- a tool's probe
SELECT * FROM orders WHERE 1 = 0;

-- a tool's count of a query
SELECT COUNT(*) FROM (SELECT DISTINCT store_id, channel FROM orders) AS "sub";

-- group by all with expressions
SELECT store_id % 2 = 0 AS even, channel, sum(order_id) / count(*) AS a, max(ordered_at::DATE) AS d FROM orders
  GROUP BY ALL ORDER BY ALL;

-- union by name of different columns
SELECT * FROM (SELECT store_id AS id, name FROM stores UNION BY NAME SELECT item_id AS id, sku AS code FROM items
  WHERE item_id < 5) ORDER BY ALL;

-- set operations with all
SELECT store_id FROM orders WHERE order_id < 40 EXCEPT ALL SELECT store_id FROM stores ORDER BY 1;

-- intersect all
SELECT store_id FROM orders WHERE order_id < 40 INTERSECT ALL (SELECT store_id FROM stores UNION ALL SELECT store_id
  FROM stores) ORDER BY 1;

-- a deep tree of unions
SELECT k, sum(n) AS n FROM (SELECT 'a' AS k, count(*) AS n FROM orders UNION ALL SELECT 'b', count(*) FROM lines
  UNION ALL (SELECT 'a', count(*) FROM refunds UNION ALL SELECT 'c', count(*) FROM stock)) GROUP BY k ORDER BY k;

-- try and error handling
SELECT count(TRY_CAST(version AS DOUBLE)) AS a, count(TRY(CAST(name AS INTEGER))) AS b, count(TRY_CAST(props->>'n'
  AS TINYINT)) AS c FROM events;

-- typed nulls
SELECT NULL AS a, NULL::DATE AS b, CAST(NULL AS DECIMAL(5,2)) AS c, count(*) AS n FROM orders GROUP BY ALL;

-- constants only, beside a table
SELECT 'x' AS k, 1 + 1 AS two, [1, 2] AS l, {'a': 1} AS s, MAP {'k': 2} AS m, INTERVAL 3 DAY AS i, 1.5 AS d, 1e10 AS
  e FROM stores LIMIT 1;

-- booleans as numbers
SELECT sum(is_mobile::INT) AS a, avg(is_mobile::INT) AS b, count_if(is_mobile) AS c, max(is_mobile) AS d,
  bool_and(is_mobile) AS e FROM hits;

-- window over an aggregate over a window
SELECT channel, max(rn) AS m, sum(max(rn)) OVER () AS t FROM (SELECT channel, row_number() OVER (PARTITION BY
  channel ORDER BY order_id) AS rn FROM orders) GROUP BY channel ORDER BY 1;

-- windows with exclude and groups
SELECT store_id, name, sum(floor_area) OVER (ORDER BY region NULLS LAST GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW
  EXCLUDE TIES) AS s, count(*) OVER (ORDER BY floor_area RANGE BETWEEN 50 PRECEDING AND 50 FOLLOWING EXCLUDE CURRENT
  ROW) AS n FROM stores ORDER BY 1;

-- windows without order
SELECT order_id, count(*) OVER (PARTITION BY store_id) AS n, max(order_id) OVER () AS m FROM orders ORDER BY
  order_id LIMIT 20;

-- windows of several partitions
SELECT order_id, rank() OVER (PARTITION BY channel, status ORDER BY ordered_at) AS a, rank() OVER (PARTITION BY
  status ORDER BY ordered_at DESC) AS b, sum(order_id) OVER (PARTITION BY store_id) AS c FROM orders ORDER BY
  order_id LIMIT 50;

-- lead and lag with defaults
SELECT order_id, lag(status, 2, 'none') OVER (PARTITION BY client_id ORDER BY ordered_at) AS a, lead(order_id, 1,
  -1) OVER (PARTITION BY client_id ORDER BY ordered_at) AS b FROM orders WHERE client_id IS NOT NULL ORDER BY
  order_id LIMIT 40;

-- aggregates with distinct, order and filter in a window
SELECT store_id, list(DISTINCT region ORDER BY region) OVER () AS l, string_agg(name, '' ORDER BY name DESC) FILTER
  (floor_area > 300) OVER (PARTITION BY region) AS s FROM stores ORDER BY 1;

-- sum of distinct, and several distincts
SELECT channel, sum(DISTINCT store_id) AS a, avg(DISTINCT store_id) AS b, count(DISTINCT client_id) AS c,
  count(DISTINCT status) AS d, count(*) AS n FROM orders GROUP BY 1 ORDER BY 1;

-- product and geometric mean
SELECT category, product(1 + item_id / 1000.0) AS p, exp(avg(ln(list_price))) AS g, geomean(list_price) AS gm FROM
  items GROUP BY 1 ORDER BY 1;

-- any_value and first of one value a group
SELECT order_id, any_value(store_id) AS s, first(channel) AS c, last(status) AS l, arbitrary(coupon) AS a FROM
  orders GROUP BY order_id ORDER BY order_id LIMIT 15;

-- weighted and favg
SELECT fsum(price) AS f, favg(price) AS a, kahan_sum(price) AS k, sumkahan(discount) AS s FROM lines;

-- max and min with n
SELECT channel, max(order_id, 3) AS m, min(order_id, 2) AS n, min_by(order_id, ordered_at, 2) AS mb FROM orders
  GROUP BY 1 ORDER BY 1;

-- string and number formats
SELECT format('{:,}', sum(order_id)::BIGINT) AS a, to_days(3) AS d, bar(count(*), 0, 2000, 10) AS b, chr(65) AS c,
  round(avg(order_id), 1)::VARCHAR AS r FROM orders;

-- extreme integers
SELECT max(order_id + 9223372036854774308) AS a, min(-9223372036854775807 - (order_id % 2)) AS b,
  max(170141183460469231731687303715884105727 - order_id::HUGEINT) AS c FROM orders;

-- comparison of different types
SELECT count(*) AS n FROM orders o JOIN items i ON o.store_id::DOUBLE = i.item_id AND o.order_id::DECIMAL(18,3) >
  i.list_price AND o.order_id::VARCHAR < i.sku;

-- join keys of integer and decimal
SELECT count(*) AS n FROM lines l JOIN refunds r ON l.price = r.amount AND l.order_id::DECIMAL(10,1) = r.order_id;

-- negative keys of three widths
SELECT a.k, count(*) AS n FROM (SELECT (order_id % 7 - 3)::INTEGER AS k FROM orders) a JOIN (SELECT (item_id % 7 -
  3)::BIGINT AS k FROM items) b ON a.k = b.k JOIN (SELECT (store_id % 7 - 3)::HUGEINT AS k FROM stores) c ON b.k =
  c.k GROUP BY 1 ORDER BY 1;

-- full join with a residual condition
SELECT s.store_id, i.item_id FROM (SELECT * FROM stores WHERE store_id < 6) s FULL JOIN (SELECT * FROM items WHERE
  item_id BETWEEN 3 AND 9) i ON s.store_id = i.item_id AND i.weight > 1.2 ORDER BY ALL;

-- right join with an expression
SELECT o.store_id, s.name, count(o.order_id) AS n FROM (SELECT * FROM orders WHERE status = 'void') o RIGHT JOIN
  stores s ON o.store_id + 1 = s.store_id GROUP BY ALL ORDER BY ALL;

-- lateral of an aggregate
SELECT s.name, x.n, x.top FROM stores s, LATERAL (SELECT count(*) AS n, max(o.order_id) AS top FROM orders o WHERE
  o.store_id = s.store_id AND o.client_id > s.floor_area + 700) x ORDER BY 1;

-- lateral chain
SELECT s.store_id, y.v FROM stores s, LATERAL (SELECT s.store_id * 2 AS d) x, LATERAL (SELECT max(item_id) AS v FROM
  items WHERE item_id < x.d) y ORDER BY 1;

-- subquery in order by and in group by
SELECT channel, count(*) AS n FROM orders GROUP BY channel ORDER BY (SELECT count(*) FROM stores) * length(channel),
  channel;

-- boolean of a subquery
SELECT store_id, store_id IN (SELECT store_id FROM orders WHERE status = 'void' AND order_id > 1480) AS recent,
  store_id > ALL (SELECT store_id FROM stores WHERE store_id < 4) AS big FROM stores ORDER BY 1;

-- scalar subquery that is empty
SELECT store_id, (SELECT name FROM items i JOIN stores s2 ON FALSE WHERE i.item_id = s.store_id LIMIT 1) AS nothing
  FROM stores s ORDER BY 1;

-- row values
SELECT count(*) AS n FROM lines WHERE (order_id, line_no) > (1390, 2) OR (order_id, line_no) = (5, 1);

-- between symmetric dates and an interval of a column
SELECT count(*) AS n FROM orders WHERE ordered_at BETWEEN TIMESTAMP '2023-05-01' AND TIMESTAMP '2023-05-01' +
  to_days(store_id);

-- order by all with nulls and descending
SELECT region, city, name FROM stores ORDER BY region DESC NULLS LAST, city, name DESC;

-- group sets over expressions
SELECT year(ordered_at) AS y, channel, count(*) AS n FROM orders GROUP BY GROUPING SETS ((year(ordered_at),
  channel), (year(ordered_at)), (channel)) ORDER BY ALL;

-- count over an empty join
SELECT count(*) AS n, sum(o.order_id) AS s FROM orders o JOIN stores s ON s.store_id = o.store_id + 1000;

-- a CTE that is never read and one read in a subquery
WITH unused AS (SELECT * FROM hits), top AS (SELECT store_id FROM orders GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT
  3) SELECT o.store_id, count(*) AS n FROM orders o WHERE o.store_id IN (SELECT store_id FROM top) GROUP BY 1 ORDER
  BY 1;

-- the same table five ways
SELECT a.order_id FROM orders a JOIN orders b ON a.order_id = b.order_id + 1 JOIN orders c ON b.order_id =
  c.order_id + 1 LEFT JOIN orders d ON d.order_id = c.order_id * 2 WHERE NOT EXISTS (SELECT 1 FROM orders e WHERE
  e.order_id = a.order_id * 3) ORDER BY 1 LIMIT 12;

-- group of a computed key joined back
SELECT k.b, count(*) AS n, sum(l.quantity) AS q FROM (SELECT item_id, ntile(5) OVER (ORDER BY list_price, item_id)
  AS b FROM items) k JOIN lines l USING (item_id) GROUP BY 1 ORDER BY 1;
