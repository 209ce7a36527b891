-- A second set, written blind: models of a warehouse, checks of quality, audits, graphs, statistics.

-- a staging model with renames and casts
WITH source AS (SELECT * FROM orders), renamed AS (SELECT order_id AS id, client_id::VARCHAR AS client_key,
  ordered_at::DATE AS order_date, nullif(trim(coupon), '') AS coupon_code, status = 'done' AS is_done FROM source)
  SELECT order_date, count(*) AS orders, count(coupon_code) AS coupons, sum(is_done::INT) AS done FROM renamed GROUP
  BY 1 HAVING count(*) > 2 ORDER BY 1;

-- a surrogate key
SELECT md5(concat_ws('|', coalesce(order_id::VARCHAR, '_null_'), coalesce(line_no::VARCHAR, '_null_'))) AS sk,
  quantity FROM lines WHERE order_id BETWEEN 100 AND 104 ORDER BY 1;

-- uniqueness check
SELECT 'orders.order_id' AS what, count(*) AS failures FROM (SELECT order_id FROM orders WHERE order_id IS NOT NULL
  GROUP BY order_id HAVING count(*) > 1) UNION ALL SELECT 'lines', count(*) FROM (SELECT order_id, line_no FROM
  lines GROUP BY ALL HAVING count(*) > 1) ORDER BY 1;

-- relationship check
SELECT count(*) AS orphans FROM (SELECT client_id AS from_field FROM orders WHERE client_id IS NOT NULL) child LEFT
  JOIN (SELECT client_id AS to_field FROM clients) parent ON child.from_field = parent.to_field WHERE
  parent.to_field IS NULL;

-- accepted values check
WITH all_values AS (SELECT status AS value_field, count(*) AS n FROM orders GROUP BY status) SELECT * FROM
  all_values WHERE value_field NOT IN ('new', 'paid', 'sent') ORDER BY 1;

-- null rates of many columns
SELECT count(*) AS n, round(100.0 * count(*) FILTER (email IS NULL) / count(*), 2) AS email, round(100.0 * (count(*)
  - count(birth)) / count(*), 2) AS birth, round(100.0 * sum(CASE WHEN country IS NULL THEN 1 ELSE 0 END) /
  count(*), 2) AS country FROM clients;

-- a slowly changing dimension
SELECT client_id, status, ordered_at AS valid_from, lead(ordered_at, 1, TIMESTAMP '9999-12-31') OVER (PARTITION BY
  client_id ORDER BY ordered_at) AS valid_to, row_number() OVER (PARTITION BY client_id ORDER BY ordered_at DESC) =
  1 AS is_current FROM orders WHERE client_id < 1010 QUALIFY lag(status) OVER (PARTITION BY client_id ORDER BY
  ordered_at) IS DISTINCT FROM status ORDER BY 1, 3;

-- deduplication by the latest
SELECT * EXCLUDE (rn) FROM (SELECT account, booked, amount, row_number() OVER (PARTITION BY account, booked ORDER BY
  amount DESC) AS rn FROM ledger) WHERE rn = 1 ORDER BY account, booked LIMIT 30;

-- candles
SELECT sensor_id, time_bucket(INTERVAL 4 HOUR, ts) AS b, arg_min(value, ts) AS open, max(value) AS high, min(value)
  AS low, arg_max(value, ts) AS close, sum(quality) AS volume FROM readings WHERE value IS NOT NULL GROUP BY ALL
  ORDER BY ALL;

-- weighted average price and its deviation
SELECT item_id, sum(price * quantity) / sum(quantity) AS vwap, sqrt(sum(quantity * pow(price - m, 2)) /
  sum(quantity)) AS dev FROM lines JOIN (SELECT item_id AS i, avg(price) AS m FROM lines GROUP BY 1) ON i = item_id
  GROUP BY item_id ORDER BY item_id LIMIT 25;

-- Bollinger bands
SELECT sensor_id, ts, value, avg(value) OVER w AS mid, avg(value) OVER w + 2 * stddev_pop(value) OVER w AS up FROM
  readings WHERE sensor_id = 6 WINDOW w AS (PARTITION BY sensor_id ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT
  ROW) ORDER BY ts;

-- compound growth by logarithms
SELECT currency, exp(sum(ln(1 + abs(delta) / 10000.0))) AS growth, product(1 + abs(delta) / 100000.0) AS p FROM
  ledger GROUP BY 1 ORDER BY 1;

-- double-entry check
SELECT booked, sum(CASE WHEN delta > 0 THEN delta ELSE 0 END) AS debit, -sum(CASE WHEN delta < 0 THEN delta ELSE 0
  END) AS credit, sum(delta) AS net FROM ledger GROUP BY booked HAVING abs(sum(delta)) > 500 ORDER BY booked;

-- structuring: many small amounts within three days
SELECT a.account, a.booked, count(*) AS n, sum(b.delta) AS total FROM ledger a JOIN ledger b ON a.account =
  b.account AND b.booked BETWEEN a.booked - INTERVAL 30 DAY AND a.booked AND b.delta BETWEEN 0 AND 300 GROUP BY 1, 2
  HAVING count(*) >= 2 AND sum(b.delta) > 200 ORDER BY 1, 2;

-- velocity rule
SELECT user_id, ts, count(*) OVER (PARTITION BY user_id ORDER BY ts RANGE BETWEEN INTERVAL 2 DAY PRECEDING AND
  CURRENT ROW) AS n FROM events QUALIFY n >= 6 ORDER BY 1, 2;

-- Benford's law
SELECT left(ltrim(abs(amount)::VARCHAR, '0.'), 1) AS digit, count(*) AS n, round(count(*) * 100.0 / sum(count(*))
  OVER (), 2) AS pct FROM ledger WHERE amount <> 0 GROUP BY digit ORDER BY digit;

-- chi squared of two categories
WITH o AS (SELECT channel, status, count(*) AS n FROM orders GROUP BY ALL), r AS (SELECT channel, sum(n) AS rn FROM
  o GROUP BY 1), c AS (SELECT status, sum(n) AS cn FROM o GROUP BY 1), t AS (SELECT sum(n) AS tn FROM o) SELECT
  sum(pow(n - rn * cn / tn, 2) / (rn * cn / tn)) AS chi2, count(*) AS cells FROM o JOIN r USING (channel) JOIN c
  USING (status) CROSS JOIN t;

-- a two-sample z score
WITH s AS (SELECT props->>'ab' AS arm, count(DISTINCT user_id) AS n, count(DISTINCT user_id) FILTER (name =
  'purchase') AS k FROM events GROUP BY 1) SELECT a.n, b.n AS m, (a.k / a.n - b.k / b.n) / nullif(sqrt((a.k + b.k) /
  (a.n + b.n) * (1 - (a.k + b.k) / (a.n + b.n)) * (1.0 / a.n + 1.0 / b.n)), 0) AS z FROM s a, s b WHERE a.arm = 'A'
  AND b.arm = 'B';

-- least squares by hand
SELECT i.category, (count(*) * sum(l.quantity * l.price) - sum(l.quantity) * sum(l.price)) / (count(*) *
  sum(l.quantity * l.quantity) - sum(l.quantity) * sum(l.quantity)) AS slope FROM lines l JOIN items i USING
  (item_id) GROUP BY 1 ORDER BY 1;

-- deciles and lift
WITH s AS (SELECT client_id, count(*) AS n FROM orders WHERE client_id IS NOT NULL GROUP BY 1), d AS (SELECT *,
  ntile(10) OVER (ORDER BY n DESC, client_id) AS decile FROM s) SELECT decile, sum(n) AS orders, sum(sum(n)) OVER
  (ORDER BY decile) / (SELECT sum(n) FROM s) AS gain FROM d GROUP BY decile ORDER BY decile;

-- Gini coefficient
WITH x AS (SELECT sum(price) AS v FROM lines GROUP BY item_id), r AS (SELECT v, row_number() OVER (ORDER BY v) AS i,
  count(*) OVER () AS n, sum(v) OVER () AS s FROM x) SELECT round((2 * sum(i * v) / max(n * s)) - (max(n) + 1) /
  max(n), 6) AS gini FROM r;

-- Pareto classes
SELECT class, count(*) AS items, sum(v) AS revenue FROM (SELECT item_id, v, CASE WHEN run <= 0.8 * total THEN 'A'
  WHEN run <= 0.95 * total THEN 'B' ELSE 'C' END AS class FROM (SELECT item_id, v, sum(v) OVER (ORDER BY v DESC,
  item_id) AS run, sum(v) OVER () AS total FROM (SELECT item_id, sum(price * quantity) AS v FROM lines GROUP BY 1)))
  GROUP BY class ORDER BY class;

-- degree of nodes
SELECT n, sum(i) AS in_degree, sum(o) AS out_degree FROM (SELECT from_id AS n, 0 AS i, count(*) AS o FROM trips
  GROUP BY 1 UNION ALL SELECT to_id, count(*), 0 FROM trips GROUP BY 1) GROUP BY n ORDER BY out_degree DESC,
  in_degree DESC, n LIMIT 15;

-- triangles
WITH e AS (SELECT DISTINCT least(from_id, to_id) AS a, greatest(from_id, to_id) AS b FROM trips WHERE from_id <>
  to_id) SELECT count(*) AS triangles FROM e x JOIN e y ON x.b = y.a JOIN e z ON z.a = x.a AND z.b = y.b;

-- common neighbours
SELECT a.from_id AS x, b.from_id AS y, count(DISTINCT a.to_id) AS common FROM trips a JOIN trips b ON a.to_id =
  b.to_id AND a.from_id < b.from_id GROUP BY ALL HAVING count(DISTINCT a.to_id) > 1 ORDER BY common DESC, x, y LIMIT
  10;

-- paths of three hops
SELECT count(*) AS n, count(DISTINCT (a.from_id, c.to_id)) AS pairs FROM trips a JOIN trips b ON b.from_id = a.to_id
  JOIN trips c ON c.from_id = b.to_id WHERE a.from_id % 10 = 3;

-- reachability by recursion
-- whole
WITH RECURSIVE reach(id, depth) AS (SELECT 3, 0 UNION SELECT t.to_id, r.depth + 1 FROM reach r JOIN trips t ON
  t.from_id = r.id WHERE r.depth < 3) SELECT depth, count(DISTINCT id) AS n FROM reach GROUP BY depth ORDER BY
  depth;

-- log levels by regular expressions
SELECT regexp_extract(user_agent, '\(([^;)]+)', 1) AS platform, count(*) FILTER (status >= 500) AS errors, count(*)
  AS n, max(ts) FILTER (status = 404) AS last_404 FROM hits GROUP BY platform ORDER BY errors DESC, platform;

-- tokens and bigrams
WITH tok AS (SELECT hit_id, unnest(string_split(lower(phrase), ' ')) AS w,
  generate_subscripts(string_split(lower(phrase), ' '), 1) AS i FROM hits WHERE phrase <> '') SELECT a.w || ' ' ||
  b.w AS bigram, count(*) AS n FROM tok a JOIN tok b ON a.hit_id = b.hit_id AND b.i = a.i + 1 GROUP BY 1 ORDER BY 2
  DESC, 1;

-- term frequencies
WITH t AS (SELECT hit_id % 20 AS doc, unnest(string_split(phrase, ' ')) AS w FROM hits WHERE phrase <> ''), tf AS
  (SELECT doc, w, count(*) AS n FROM t GROUP BY ALL), df AS (SELECT w, count(DISTINCT doc) AS d FROM t GROUP BY w)
  SELECT tf.doc, tf.w, round(n * ln(20.0 / d), 4) AS score FROM tf JOIN df USING (w) ORDER BY score DESC, doc, w
  LIMIT 15;

-- edit distance between brands
SELECT a.b AS x, b.b AS y, levenshtein(a.b, b.b) AS d FROM (SELECT DISTINCT brand AS b FROM items WHERE brand IS NOT
  NULL) a JOIN (SELECT DISTINCT brand AS b FROM items WHERE brand IS NOT NULL) b ON a.b < b.b WHERE levenshtein(a.b,
  b.b) = 1 ORDER BY x, y LIMIT 20;

-- domains of addresses
SELECT split_part(email, '@', 2) AS domain, count(*) AS n, string_agg(first_name, ', ' ORDER BY client_id) FILTER
  (client_id < 1020) AS some FROM clients WHERE email LIKE '%_@_%.__%' GROUP BY domain ORDER BY n DESC, domain;

-- initials and padded ids
SELECT upper(left(first_name, 1) || left(last_name, 1)) AS initials, min(lpad(client_id::VARCHAR, 8, '0')) AS id,
  bool_or(city = 'Como') AS como FROM clients GROUP BY 1 ORDER BY 1;

-- spans as a table
SELECT props->>'page' AS service, count(*) AS spans, quantile_cont((props->>'n')::INT, 0.95) AS p95,
  max_by(event_id, (props->>'n')::INT * 10000 + event_id) AS slowest FROM events GROUP BY service ORDER BY service;

-- flattened json with a default
SELECT coalesce(json_extract_string(props, '$.geo.city'), 'unknown') AS city, count(*) AS n, list(DISTINCT
  json_extract_string(props, '$.tags[0]') ORDER BY 1) AS first_tags FROM events GROUP BY city ORDER BY city;

-- attributes turned into rows
SELECT kv.key, kv.value, count(*) AS n FROM (SELECT unnest(map_entries(counters)) AS kv FROM users) GROUP BY 1, 2
  ORDER BY 1, 2 NULLS LAST LIMIT 15;

-- rows turned into a map
SELECT user_id, map_from_entries(list({'k': name, 'v': n} ORDER BY name)) AS m FROM (SELECT user_id, name, count(*)
  AS n FROM events WHERE user_id < 5 GROUP BY ALL) GROUP BY user_id ORDER BY user_id;

-- an inventory run-down
SELECT item_id, store_id, month, on_hand, sum(coalesce(on_hand, 0)) OVER (PARTITION BY item_id, store_id ORDER BY
  month, on_hand ROWS UNBOUNDED PRECEDING) AS cum FROM stock WHERE store_id = 2 AND item_id < 20 ORDER BY 1, 2, 3,
  4;

-- first day that a threshold is crossed
WITH run AS (SELECT ordered_at::DATE AS d, sum(count(*)) OVER (ORDER BY ordered_at::DATE) AS c FROM orders GROUP BY
  1) SELECT min(d) FILTER (c >= 100) AS d100, min(d) FILTER (c >= 1000) AS d1000, max(c) AS total FROM run;

-- previous period beside this one
SELECT cur.region, cur.n, prev.n AS before, cur.n - coalesce(prev.n, 0) AS diff FROM (SELECT s.region, count(*) AS n
  FROM orders o JOIN stores s USING (store_id) WHERE o.ordered_at >= '2024-01-01' GROUP BY 1) cur FULL OUTER JOIN
  (SELECT s.region, count(*) AS n FROM orders o JOIN stores s USING (store_id) WHERE o.ordered_at < '2024-01-01'
  GROUP BY 1) prev ON cur.region IS NOT DISTINCT FROM prev.region ORDER BY 1 NULLS LAST;

-- a date spine with the last known value
SELECT c.day, (SELECT arg_max(o.status, o.ordered_at) FROM orders o WHERE o.ordered_at < c.day) AS last_status FROM
  calendar c WHERE c.day BETWEEN '2023-01-03' AND '2023-01-12' ORDER BY 1;

-- budgets against actuals
SELECT coalesce(a.m, b.m) AS m, a.actual, b.budget, CASE WHEN a.actual >= b.budget THEN 'met' WHEN b.budget IS NULL
  THEN 'none' ELSE 'missed' END AS state FROM (SELECT month(ordered_at) AS m, count(*) AS actual FROM orders GROUP
  BY 1) a FULL JOIN (SELECT * FROM (VALUES (1, 100), (2, 130), (13, 5)) v(m, budget)) b ON a.m = b.m ORDER BY 1;

-- a matrix by grouping sets and coalesce
SELECT coalesce(region, '(all)') AS region, coalesce(channel, '(all)') AS channel, count(*) AS n,
  grouping_id(region, channel) AS g FROM orders JOIN stores USING (store_id) GROUP BY GROUPING SETS ((region,
  channel), (region), ()) ORDER BY g, 1, 2;

-- subtotals with an ordered rank
SELECT category, brand, v, rank() OVER (PARTITION BY category ORDER BY v DESC NULLS LAST) AS r FROM (SELECT
  category, brand, sum(list_price) AS v FROM items GROUP BY ROLLUP (category, brand)) QUALIFY r <= 3 ORDER BY
  category NULLS LAST, r, brand NULLS FIRST;

-- having with a subquery
SELECT brand, avg(list_price) AS a FROM items GROUP BY brand HAVING avg(list_price) > (SELECT avg(list_price) FROM
  items) AND count(*) > (SELECT min(n) FROM (SELECT count(*) AS n FROM items GROUP BY brand)) ORDER BY 1 NULLS LAST;

-- not exists twice: stores that have sold every category
SELECT s.store_id FROM stores s WHERE NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT category FROM items) c WHERE NOT
  EXISTS (SELECT 1 FROM orders o JOIN lines l USING (order_id) JOIN items i USING (item_id) WHERE o.store_id =
  s.store_id AND i.category = c.category)) ORDER BY 1;

-- all items of a group
SELECT channel FROM orders GROUP BY channel HAVING list_sort(list(DISTINCT status)) = ['done', 'new', 'paid',
  'sent', 'void'] ORDER BY 1;

-- exclusive customers of a store
SELECT store_id, count(*) AS n FROM (SELECT client_id, min(store_id) AS store_id FROM orders WHERE client_id IS NOT
  NULL GROUP BY client_id HAVING count(DISTINCT store_id) = 1) GROUP BY store_id ORDER BY store_id;

-- self-referencing managers with counts
SELECT p.client_id, p.first_name, count(c.client_id) AS direct, sum(count(c.client_id)) OVER () AS everyone FROM
  clients p LEFT JOIN clients c ON c.referred_by = p.client_id GROUP BY p.client_id, p.first_name HAVING
  count(c.client_id) > 0 ORDER BY 1;

-- shifts that overlap
SELECT a.sensor_id, count(*) AS overlaps, max(least(a.to_at, b.to_at) - greatest(a.from_at, b.from_at)) AS longest
  FROM alerts a JOIN alerts b ON a.sensor_id <> b.sensor_id AND a.from_at < b.to_at AND b.from_at < a.to_at GROUP BY
  1 ORDER BY 1;

-- open alerts at every hour
SELECT h.h, count(a.sensor_id) AS open FROM generate_series(TIMESTAMP '2024-03-30', TIMESTAMP '2024-03-31', INTERVAL
  3 HOUR) h(h) LEFT JOIN alerts a ON a.from_at <= h.h AND (a.to_at IS NULL OR a.to_at > h.h) GROUP BY h.h ORDER BY
  h.h;

-- hours of work between two times
SELECT level, sum(len(list_filter(generate_series(from_at, to_at, INTERVAL 10 MINUTE), lambda x: hour(x) BETWEEN 8
  AND 17))) AS steps FROM alerts WHERE to_at IS NOT NULL GROUP BY level ORDER BY level;

-- a histogram by lateral buckets
SELECT b.lo, count(l.price) AS n FROM (SELECT unnest(range(0, 90, 15)) AS lo) b LEFT JOIN lines l ON l.price >= b.lo
  AND l.price < b.lo + 15 GROUP BY b.lo ORDER BY b.lo;

-- equal-frequency buckets from bounds
WITH q AS (SELECT quantile_disc(price, [0.25, 0.5, 0.75]) AS b FROM lines) SELECT len(list_filter(q.b, lambda x: x <
  l.price)) AS bucket, count(*) AS n, min(l.price) AS lo, max(l.price) AS hi FROM lines l, q GROUP BY 1 ORDER BY 1;

-- outliers by quartiles
WITH s AS (SELECT item_id, quantile_cont(price, 0.25) AS q1, quantile_cont(price, 0.75) AS q3 FROM lines GROUP BY 1)
  SELECT l.item_id, count(*) AS n FROM lines l JOIN s USING (item_id) WHERE l.price > s.q3 + 0.3 * (s.q3 - s.q1) OR
  l.price < s.q1 - 0.3 * (s.q3 - s.q1) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12;

-- a random-free sample by hash
SELECT count(*) AS n, sum(order_id) AS s FROM orders WHERE abs(hash(order_id) % 10)::INT = 3;

-- a checksum of a table
SELECT bit_xor(hash(order_id, client_id, status)) AS x, sum(hash(ordered_at)::HUGEINT) AS s,
  md5(string_agg(order_id::VARCHAR, ',' ORDER BY order_id)) AS m FROM orders;

-- differences between two versions
SELECT * FROM (SELECT 'removed' AS what, a.* FROM (SELECT store_id, name FROM stores EXCEPT SELECT store_id, name
  FROM stores WHERE store_id > 2) a UNION ALL SELECT 'added', b.* FROM (SELECT store_id + 1, name FROM stores EXCEPT
  SELECT store_id, name FROM stores) b) ORDER BY ALL;

-- a report with running and total rows
SELECT m, n, total, n * 100 // total AS pct FROM (SELECT date_trunc('month', ordered_at)::DATE AS m, count(*) AS n,
  sum(count(*)) OVER () AS total FROM orders GROUP BY 1) ORDER BY m;

-- nested aggregation by a struct key
SELECT k.c AS city, max(n) AS top, list(k.b ORDER BY n DESC, k.b)[1] AS band FROM (SELECT {'c': city, 'b':
  income_band} AS k, count(*) AS n FROM clients GROUP BY k) GROUP BY city ORDER BY city;

-- a cross-tab with list values
SELECT channel, [count(*), count(coupon)] AS counts, [sum(order_id) FILTER (store_id = 0), sum(order_id) FILTER
  (store_id = 1)] AS sums FROM orders GROUP BY channel ORDER BY channel;

-- positions in an ordered list
SELECT user_id, list_position(path, 'cart') AS cart, list_position(path, 'purchase') AS buy, len(path) AS n FROM
  (SELECT user_id, list(name ORDER BY ts, event_id) AS path FROM events GROUP BY user_id) WHERE list_position(path,
  'cart') < list_position(path, 'purchase') ORDER BY user_id LIMIT 20;

-- time between list items
SELECT user_id, list_transform(list_zip(t[1:3], t[2:4]), lambda p: date_diff('minute', p[1], p[2])) AS gaps FROM
  (SELECT user_id, list(ts ORDER BY ts) AS t FROM events WHERE user_id < 6 GROUP BY user_id) ORDER BY user_id;

-- a lookup in a literal map
SELECT (MAP {'web': 1, 'app': 2})[channel] AS code, count(*) AS n FROM orders GROUP BY 1 ORDER BY 1 NULLS LAST;

-- names by a case of a subquery's row
SELECT s.name, (SELECT {'n': count(*), 'last': max(order_id)} FROM orders o WHERE o.store_id = s.store_id) AS stats
  FROM stores s ORDER BY 1;

-- any of several conditions by lists
SELECT count(*) AS n FROM hits WHERE len(list_intersect([browser, country], ['ff', 'DE', 'SE'])) > 0 AND
  list_any_value([NULL, phrase]) <> '';

-- dates of Easter-like arithmetic
SELECT year, min(day) FILTER (weekday = 'Sunday' AND month = 3) AS first_sunday, max(day) FILTER (weekday =
  'Friday') AS last_friday, count(*) FILTER (is_holiday) AS h FROM calendar GROUP BY year ORDER BY year;

-- ISO weeks and quarters
SELECT strftime(day, '%G-W%V') AS w, count(*) AS n, min(day) AS f, quarter(min(day)) AS q FROM calendar WHERE year =
  2023 GROUP BY w HAVING count(*) < 7 ORDER BY w;
