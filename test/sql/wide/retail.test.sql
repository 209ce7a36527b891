-- Decision support over a shop: many CTEs, correlated subqueries, roll-ups, ranks over sums.

-- revenue by category and month
SELECT i.category, date_trunc('month', o.ordered_at) AS m, sum(l.quantity * l.price) AS revenue, count(*) AS n FROM
  lines l JOIN orders o USING (order_id) JOIN items i USING (item_id) WHERE o.status <> 'void' GROUP BY ALL ORDER BY
  ALL;

-- clients who spend more than the mean of their city
WITH spend AS (SELECT c.client_id, c.city, sum(l.price * l.quantity) AS total FROM clients c JOIN orders o ON
  o.client_id = c.client_id JOIN lines l ON l.order_id = o.order_id GROUP BY 1, 2) SELECT s.client_id, s.city,
  s.total FROM spend s WHERE s.total > (SELECT avg(total) * 1.2 FROM spend t WHERE t.city = s.city) ORDER BY
  s.client_id;

-- items never sold in a store that stocks them
SELECT DISTINCT k.item_id, k.store_id FROM stock k WHERE k.on_hand > 100 AND NOT EXISTS (SELECT 1 FROM lines l JOIN
  orders o USING (order_id) WHERE l.item_id = k.item_id AND o.store_id = k.store_id) ORDER BY 1, 2;

-- three channels side by side
WITH web AS (SELECT client_id, count(*) AS n FROM orders WHERE channel = 'web' GROUP BY 1), app AS (SELECT
  client_id, count(*) AS n FROM orders WHERE channel = 'app' GROUP BY 1), shop AS (SELECT client_id, count(*) AS n
  FROM orders WHERE channel = 'shop' GROUP BY 1) SELECT coalesce(web.client_id, app.client_id, shop.client_id) AS
  client, web.n AS web, app.n AS app, shop.n AS shop FROM web FULL JOIN app ON web.client_id = app.client_id FULL
  JOIN shop ON shop.client_id = coalesce(web.client_id, app.client_id) ORDER BY 1 NULLS FIRST, 2, 3, 4;

-- growth against the same month of last year
WITH m AS (SELECT year(ordered_at) AS y, month(ordered_at) AS mo, sum(price * quantity) AS s FROM orders JOIN lines
  USING (order_id) GROUP BY 1, 2) SELECT a.y, a.mo, a.s, b.s AS before, round(100.0 * (a.s - b.s) / b.s, 2) AS
  growth FROM m a LEFT JOIN m b ON a.mo = b.mo AND a.y = b.y + 1 ORDER BY 1, 2;

-- best item of each category by two measures
WITH x AS (SELECT category, item_id, sum(quantity) AS q, sum(quantity * price) AS r FROM lines JOIN items USING
  (item_id) GROUP BY 1, 2), ranked AS (SELECT *, rank() OVER (PARTITION BY category ORDER BY q DESC, item_id) AS rq,
  rank() OVER (PARTITION BY category ORDER BY r DESC, item_id) AS rr FROM x) SELECT a.category, a.item_id AS by_q,
  b.item_id AS by_r FROM ranked a JOIN ranked b ON a.category = b.category AND a.rq = b.rr WHERE a.rq <= 3 ORDER BY
  1, 2, 3;

-- roll-up of channel, status and quarter
SELECT channel, status, quarter(ordered_at) AS q, count(*) AS n, sum(order_id) AS s, grouping(channel, status) AS g
  FROM orders GROUP BY ROLLUP (channel, status, q) ORDER BY ALL;

-- cube with having
SELECT i.category, i.color, s.region, sum(l.quantity) AS q FROM lines l JOIN orders o USING (order_id) JOIN items i
  USING (item_id) JOIN stores s USING (store_id) GROUP BY CUBE (i.category, i.color, s.region) HAVING
  sum(l.quantity) > 200 ORDER BY ALL;

-- grouping sets with a distinct count
SELECT channel, store_id, count(DISTINCT client_id) AS c, count(*) AS n FROM orders GROUP BY GROUPING SETS
  ((channel), (store_id), ()) ORDER BY ALL;

-- refund share of each store
SELECT s.name, count(DISTINCT o.order_id) AS orders, count(r.order_id) AS refunds, coalesce(sum(r.amount), 0) AS
  back FROM stores s LEFT JOIN orders o ON o.store_id = s.store_id LEFT JOIN refunds r ON r.order_id = o.order_id
  GROUP BY s.name ORDER BY 1;

-- orders above every order of store 3
SELECT o.order_id, sum(l.price) AS t FROM orders o JOIN lines l USING (order_id) GROUP BY 1 HAVING sum(l.price) >=
  ALL (SELECT sum(price) FROM lines JOIN orders USING (order_id) WHERE store_id = 3 GROUP BY order_id) ORDER BY 1;

-- last order of each client by a lateral join
SELECT c.client_id, x.order_id, x.status FROM clients c, LATERAL (SELECT order_id, status FROM orders o WHERE
  o.client_id = c.client_id ORDER BY ordered_at DESC, order_id LIMIT 1) x ORDER BY 1;

-- two last orders of each client, clients without any too
SELECT c.client_id, x.order_id FROM clients c LEFT JOIN LATERAL (SELECT order_id FROM orders o WHERE o.client_id =
  c.client_id ORDER BY ordered_at DESC LIMIT 2) x ON TRUE WHERE c.income_band IN (1, 4) ORDER BY 1, 2;

-- correlated average in the list
SELECT i.item_id, i.list_price, (SELECT avg(l.price) FROM lines l WHERE l.item_id = i.item_id) AS sold_at, (SELECT
  count(*) FROM stock k WHERE k.item_id = i.item_id AND k.on_hand IS NULL) AS unknown FROM items i WHERE i.category
  = 'office' ORDER BY 1;

-- price bands
SELECT CASE WHEN price < 10 THEN 'low' WHEN price BETWEEN 10 AND 50 THEN 'mid' WHEN price > 80 THEN 'top' ELSE
  'high' END AS band, count(*) AS n, min(price) AS lo, max(price) AS hi, avg(price) AS a, stddev_samp(price) AS s,
  var_pop(price) AS v FROM lines GROUP BY 1 ORDER BY 1;

-- pivot of sums by conditional aggregates
SELECT item_id, sum(quantity) FILTER (WHERE line_no = 1) AS a, sum(quantity) FILTER (line_no = 2) AS b, sum(CASE
  WHEN line_no = 3 THEN quantity ELSE 0 END) AS c, count(*) FILTER (discount IS NULL) AS d FROM lines GROUP BY
  item_id ORDER BY item_id;

-- pivot with a list of values
PIVOT (SELECT channel, status, order_id FROM orders) ON status IN ('new', 'paid', 'void') USING count(*) AS n,
  max(order_id) AS m GROUP BY channel ORDER BY channel;

-- unpivot of stock columns
UNPIVOT (SELECT item_id, store_id::INTEGER AS store, on_hand FROM stock WHERE item_id < 4) ON store, on_hand INTO
  NAME what VALUE v ORDER BY ALL;

-- share of total and running sum
SELECT store_id, s, s / sum(s) OVER () AS share, sum(s) OVER (ORDER BY s DESC, store_id) AS running FROM (SELECT
  store_id, sum(price * quantity) AS s FROM lines JOIN orders USING (order_id) GROUP BY 1) ORDER BY s DESC,
  store_id;

-- median and quartiles a category
SELECT category, median(price) AS m, quantile_cont(price, 0.25) AS q1, quantile_disc(price, 0.75) AS q3,
  mode(quantity) AS mo FROM lines JOIN items USING (item_id) WHERE quantity <> 3 GROUP BY category ORDER BY 1;

-- clients of web and app but not shop
SELECT client_id FROM orders WHERE channel = 'web' INTERSECT SELECT client_id FROM orders WHERE channel = 'app'
  EXCEPT SELECT client_id FROM orders WHERE channel = 'shop' ORDER BY 1;

-- union of three measures with tags
SELECT 'orders' AS what, count(*)::DOUBLE AS v FROM orders UNION ALL SELECT 'revenue', sum(price)::DOUBLE FROM lines
  UNION ALL SELECT 'back', sum(amount)::DOUBLE FROM refunds ORDER BY 1;

-- referral tree two levels up
SELECT c.client_id, p.client_id AS parent, g.client_id AS grand, p.city = g.city AS same FROM clients c LEFT JOIN
  clients p ON c.referred_by = p.client_id LEFT JOIN clients g ON p.referred_by = g.client_id WHERE c.income_band >
  3 ORDER BY 1;

-- age at order with date arithmetic
SELECT date_diff('year', c.birth, o.ordered_at::DATE) // 10 * 10 AS decade, count(*) AS n, avg(date_diff('day',
  c.birth, o.ordered_at)) AS days FROM orders o JOIN clients c USING (client_id) GROUP BY 1 ORDER BY 1 NULLS LAST;

-- weekday and holiday effect
SELECT k.weekday, k.is_holiday, count(o.order_id) AS n FROM calendar k LEFT JOIN orders o ON o.ordered_at::DATE =
  k.day GROUP BY 1, 2 ORDER BY 1, 2;

-- days without any order
SELECT k.day FROM calendar k ANTI JOIN orders o ON CAST(o.ordered_at AS DATE) = k.day WHERE k.year = 2023 AND
  k.month < 4 ORDER BY 1;

-- basket pairs
SELECT a.item_id AS x, b.item_id AS y, count(*) AS n FROM lines a JOIN lines b ON a.order_id = b.order_id AND
  a.item_id < b.item_id GROUP BY 1, 2 HAVING count(*) > 11 ORDER BY n DESC, x, y LIMIT 20;

-- top 5 a store with ties by row_number
SELECT * FROM (SELECT store_id, client_id, count(*) AS n, row_number() OVER (PARTITION BY store_id ORDER BY count(*)
  DESC, client_id) AS rn FROM orders WHERE client_id IS NOT NULL GROUP BY 1, 2) WHERE rn <= 2 ORDER BY 1, 4;

-- qualify
SELECT store_id, client_id, order_id FROM orders QUALIFY row_number() OVER (PARTITION BY store_id ORDER BY
  ordered_at DESC) = 1 ORDER BY 1;

-- distinct on
SELECT DISTINCT ON (client_id) client_id, order_id, status FROM orders ORDER BY client_id, ordered_at DESC;

-- in with a tuple
SELECT count(*) AS n FROM refunds WHERE (order_id, line_no) IN (SELECT order_id, line_no FROM lines WHERE quantity >
  2);

-- not in with nulls
SELECT count(*) AS n FROM clients WHERE client_id NOT IN (SELECT client_id FROM orders);

-- not in without nulls
SELECT client_id FROM clients WHERE client_id NOT IN (SELECT client_id FROM orders WHERE client_id IS NOT NULL)
  ORDER BY 1;

-- stock cover by window frame
SELECT item_id, month, on_hand, avg(on_hand) OVER (PARTITION BY item_id, store_id ORDER BY month ROWS BETWEEN 2
  PRECEDING AND CURRENT ROW) AS mean3 FROM stock WHERE item_id < 6 ORDER BY item_id, store_id, month, on_hand;

-- first and last value of a partition
SELECT DISTINCT client_id, first_value(status) OVER w AS f, last_value(channel) OVER w AS l FROM orders WHERE
  client_id < 1050 WINDOW w AS (PARTITION BY client_id ORDER BY ordered_at ROWS BETWEEN UNBOUNDED PRECEDING AND
  UNBOUNDED FOLLOWING) ORDER BY 1;

-- gaps between orders
SELECT client_id, avg(gap) AS mean_gap, max(gap) AS longest FROM (SELECT client_id, date_diff('hour',
  lag(ordered_at) OVER (PARTITION BY client_id ORDER BY ordered_at), ordered_at) AS gap FROM orders) WHERE gap IS
  NOT NULL GROUP BY client_id ORDER BY 1;

-- recency, frequency, money in tiles
WITH b AS (SELECT client_id, max(ordered_at) AS r, count(DISTINCT order_id) AS f, sum(price * quantity) AS m FROM
  orders JOIN lines USING (order_id) WHERE client_id IS NOT NULL GROUP BY 1), t AS (SELECT client_id, ntile(4) OVER
  (ORDER BY r DESC, client_id) AS rt, ntile(4) OVER (ORDER BY f DESC, client_id) AS ft, ntile(4) OVER (ORDER BY m
  DESC, client_id) AS mt FROM b) SELECT rt, ft, mt, count(*) AS n FROM t GROUP BY ALL ORDER BY ALL;

-- customers by cohort of their first order
WITH f AS (SELECT client_id, min(date_trunc('month', ordered_at)) AS c FROM orders GROUP BY 1) SELECT f.c,
  date_diff('month', f.c, date_trunc('month', o.ordered_at)) AS age, count(DISTINCT o.client_id) AS n FROM orders o
  JOIN f USING (client_id) GROUP BY 1, 2 ORDER BY 1, 2;

-- nested scalar subqueries
SELECT count(*) AS n FROM lines WHERE price > (SELECT avg(price) FROM lines WHERE quantity = (SELECT max(quantity)
  FROM lines WHERE discount = (SELECT min(discount) FROM lines WHERE discount > 0)));

-- exists in an or
SELECT c.client_id FROM clients c WHERE c.city = 'Como' AND (EXISTS (SELECT 1 FROM orders o WHERE o.client_id =
  c.client_id AND o.status = 'void') OR c.client_id IN (SELECT referred_by FROM clients)) ORDER BY 1;

-- string_agg ordered in groups
SELECT client_id, string_agg(status, ',' ORDER BY ordered_at) AS path, list(channel ORDER BY order_id) AS ch FROM
  orders WHERE client_id < 1040 GROUP BY 1 ORDER BY 1;

-- list of distinct sorted
SELECT store_id, list(DISTINCT status ORDER BY status) AS st, array_agg(DISTINCT channel ORDER BY channel DESC) AS
  ch FROM orders GROUP BY 1 ORDER BY 1;

-- arg_max and arg_min without ties
SELECT channel, arg_max(order_id, ordered_at) AS last, arg_min(status, ordered_at) AS first, max_by(coupon,
  order_id) AS c, arg_max(order_id, ordered_at, 3) AS last3 FROM orders GROUP BY 1 ORDER BY 1;

-- correlation and regression
SELECT category, corr(price, quantity) AS c, covar_pop(price, quantity) AS cv, regr_slope(price, quantity) AS sl,
  regr_r2(price, quantity) AS r2 FROM lines JOIN items USING (item_id) GROUP BY 1 ORDER BY 1;

-- histogram of quantities
SELECT histogram(quantity) AS h, histogram(line_no) AS hl FROM lines;

-- bit and bool aggregates
SELECT channel, bool_and(coupon IS NULL) AS ba, bool_or(status = 'void') AS bo, bit_or(store_id) AS bor,
  bit_xor(order_id) AS bx, bit_and(store_id | 64) AS bn FROM orders GROUP BY 1 ORDER BY 1;

-- approximate distinct equals within the type
SELECT typeof(approx_count_distinct(client_id)) AS t, approx_count_distinct(channel) AS c FROM orders;

-- order by an expression with nulls
SELECT client_id, country, birth FROM clients WHERE income_band = 2 ORDER BY country NULLS FIRST, birth DESC NULLS
  LAST, client_id;

-- limit with ties broken and offset
SELECT order_id, price * quantity AS v FROM lines ORDER BY v DESC, order_id, line_no LIMIT 7 OFFSET 11;

-- sum over a case and division by zero
SELECT store_id, sum(CASE WHEN status = 'done' THEN 1 ELSE 0 END) / nullif(sum(CASE WHEN status = 'void' THEN 1
  END), 0) AS ratio, 100 * count(*) FILTER (status = 'paid') // count(*) AS pct FROM orders GROUP BY 1 ORDER BY 1;

-- big sums keep their type
SELECT sum(order_id) AS a, sum(store_id) AS b, sum(price) AS c, sum(price * quantity * (1 - coalesce(discount, 0)))
  AS d, avg(order_id) AS e FROM orders JOIN lines USING (order_id);

-- decimals through several steps
WITH a AS (SELECT order_id, sum(price * quantity * (1 - coalesce(discount, 0)) * (1 + tax)) AS net FROM lines GROUP
  BY 1) SELECT store_id, round(sum(net), 2) AS s, max(net)::DECIMAL(12,2) AS m, avg(net) AS a FROM a JOIN orders
  USING (order_id) GROUP BY 1 ORDER BY 1;

-- a CTE read four times
WITH t AS MATERIALIZED (SELECT client_id, store_id, count(*) AS n FROM orders GROUP BY 1, 2) SELECT (SELECT max(n)
  FROM t) AS a, (SELECT min(n) FROM t) AS b, (SELECT count(*) FROM t) AS c, (SELECT count(*) FROM t x JOIN t y USING
  (client_id) WHERE x.n > y.n) AS d;

-- CTE in a CTE
WITH a AS (WITH b AS (SELECT order_id, sum(quantity) AS q FROM lines GROUP BY 1) SELECT q, count(*) AS n FROM b
  GROUP BY q) SELECT q, n, sum(n) OVER (ORDER BY q) AS run FROM a ORDER BY q;

-- semi join written as in
SELECT brand, count(*) AS n FROM items WHERE item_id IN (SELECT item_id FROM lines WHERE price > 70 GROUP BY item_id
  HAVING count(*) > 3) GROUP BY 1 ORDER BY 1;

-- inequality join
SELECT count(*) AS n, sum(i.item_id) AS s FROM items i JOIN stores t ON i.list_price > t.floor_area;

-- band join
SELECT s.name, count(c.client_id) AS n FROM stores s LEFT JOIN clients c ON c.income_band * 100 BETWEEN s.floor_area
  - 150 AND s.floor_area GROUP BY 1 ORDER BY 1;

-- asof join of stock to orders
SELECT o.order_id, k.month, k.on_hand FROM orders o ASOF JOIN (SELECT store_id, month, max(on_hand) AS on_hand FROM
  stock GROUP BY 1, 2) k ON o.store_id = k.store_id AND o.ordered_at >= k.month WHERE o.order_id < 60 ORDER BY 1;

-- using and natural
SELECT count(*) AS n, sum(price) AS p FROM lines NATURAL JOIN (SELECT order_id, store_id FROM orders WHERE store_id
  = 2);

-- cross join of small sets
SELECT a.channel, b.status, count(o.order_id) AS n FROM (SELECT DISTINCT channel FROM orders) a CROSS JOIN (SELECT
  DISTINCT status FROM orders) b LEFT JOIN orders o ON o.channel = a.channel AND o.status = b.status GROUP BY ALL
  ORDER BY ALL;

-- complete grid of months and stores
WITH m AS (SELECT unnest(generate_series(DATE '2023-01-01', DATE '2023-06-01', INTERVAL 1 MONTH)) AS m) SELECT m.m,
  s.store_id, count(o.order_id) AS n FROM m CROSS JOIN stores s LEFT JOIN orders o ON o.store_id = s.store_id AND
  date_trunc('month', o.ordered_at) = m.m GROUP BY 1, 2 ORDER BY 1, 2;

-- group by an alias and a position
SELECT upper(channel) AS c, length(status) AS l, count(*) AS n FROM orders GROUP BY c, 2 ORDER BY 1, 2;

-- having without a group
SELECT count(*) AS n FROM orders HAVING count(*) > 10;

-- empty input
SELECT count(*) AS n, sum(price) AS s, min(order_id) AS m, list(order_id) AS l, avg(price) AS a FROM lines WHERE
  price < 0;

-- empty groups
SELECT item_id, count(*) AS n FROM lines WHERE price < 0 GROUP BY 1;

-- select distinct with expressions
SELECT DISTINCT channel || '-' || status AS k, store_id % 3 AS m FROM orders ORDER BY ALL;

-- columns expression and exclude
SELECT * EXCLUDE (email, birth) REPLACE (upper(city) AS city) FROM clients WHERE client_id < 1010 ORDER BY
  client_id;

-- columns with a lambda
SELECT min(COLUMNS(c -> c LIKE '%_id')), max(COLUMNS('.*_id')) FROM orders;

-- positional reference and struct star
SELECT t.s.a, t.s.b FROM (SELECT {'a': order_id, 'b': status} AS s FROM orders WHERE order_id < 5) t ORDER BY 1;

-- values joined
SELECT v.name, count(*) AS n FROM (VALUES ('web', 'W'), ('app', 'A'), ('x', 'X')) AS v(channel, name) LEFT JOIN
  orders o USING (channel) GROUP BY 1 ORDER BY 1;

-- from first
FROM orders SELECT channel, count(*) AS n WHERE store_id > 4 GROUP BY channel ORDER BY n DESC, channel;

-- anti join with two keys and a filter
SELECT l.order_id, l.line_no FROM lines l LEFT JOIN refunds r ON r.order_id = l.order_id AND r.line_no = l.line_no
  AND r.amount > 20 WHERE r.order_id IS NULL AND l.item_id < 3 ORDER BY 1, 2;

-- correlated exists on an aggregate
SELECT s.store_id FROM stores s WHERE EXISTS (SELECT 1 FROM orders o WHERE o.store_id = s.store_id GROUP BY
  o.client_id HAVING count(*) > 4) ORDER BY 1;

-- correlated subquery with an inequality
SELECT c.client_id, (SELECT count(*) FROM clients d WHERE d.city = c.city AND d.birth < c.birth) AS older FROM
  clients c WHERE c.income_band = 5 ORDER BY 1;

-- correlated subquery two levels deep
SELECT i.item_id FROM items i WHERE i.category = 'home' AND EXISTS (SELECT 1 FROM lines l WHERE l.item_id =
  i.item_id AND l.price > (SELECT avg(x.price) FROM lines x WHERE x.item_id = i.item_id AND x.line_no = l.line_no) *
  1.9) ORDER BY 1;

-- any with a correlated set
SELECT o.order_id FROM orders o WHERE o.order_id < 200 AND 60 < ANY (SELECT price FROM lines l WHERE l.order_id =
  o.order_id) ORDER BY 1;

-- subquery in between and in case
SELECT order_id, CASE WHEN price > (SELECT median(price) FROM lines) THEN 'over' ELSE 'under' END AS side FROM lines
  WHERE quantity BETWEEN (SELECT min(quantity) + 3 FROM lines) AND 5 AND order_id < 40 ORDER BY order_id, line_no;
