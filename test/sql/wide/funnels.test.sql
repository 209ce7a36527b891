-- Event funnels, retention, attribution.

-- funnel by conditional minima
WITH s AS (SELECT user_id, min(ts) FILTER (name = 'visit') AS v, min(ts) FILTER (name = 'signup') AS u, min(ts)
  FILTER (name = 'purchase') AS p FROM events GROUP BY 1) SELECT count(v) AS visited, count(*) FILTER (u > v) AS
  signed, count(*) FILTER (u > v AND p > u) AS bought FROM s;

-- funnel by joins
WITH v AS (SELECT user_id, min(ts) AS ts FROM events WHERE name = 'visit' GROUP BY 1), c AS (SELECT e.user_id,
  min(e.ts) AS ts FROM events e JOIN v USING (user_id) WHERE e.name = 'cart' AND e.ts > v.ts AND e.ts < v.ts +
  INTERVAL 30 DAY GROUP BY 1), p AS (SELECT e.user_id, min(e.ts) AS ts FROM events e JOIN c USING (user_id) WHERE
  e.name = 'purchase' AND e.ts > c.ts GROUP BY 1) SELECT (SELECT count(*) FROM v) AS a, (SELECT count(*) FROM c) AS
  b, (SELECT count(*) FROM p) AS c;

-- funnel by plan
SELECT u.plan, count(DISTINCT e.user_id) FILTER (e.name = 'visit') AS v, count(DISTINCT e.user_id) FILTER (e.name =
  'cart') AS c, count(DISTINCT e.user_id) FILTER (e.name = 'purchase') AS p FROM events e JOIN users u USING
  (user_id) GROUP BY 1 ORDER BY 1 NULLS LAST;

-- weekly retention
WITH c AS (SELECT user_id, date_trunc('week', min(ts)) AS w FROM events GROUP BY 1), a AS (SELECT DISTINCT user_id,
  date_trunc('week', ts) AS w FROM events) SELECT c.w AS cohort, date_diff('week', c.w, a.w) AS week, count(*) AS
  users FROM c JOIN a USING (user_id) GROUP BY ALL ORDER BY ALL;

-- retention as a share of the cohort
WITH f AS (SELECT user_id, min(ts::DATE) AS d FROM events GROUP BY 1), x AS (SELECT f.d AS cohort, e.ts::DATE - f.d
  AS age, count(DISTINCT e.user_id) AS n FROM events e JOIN f USING (user_id) GROUP BY 1, 2) SELECT cohort, age, n,
  n / first_value(n) OVER (PARTITION BY cohort ORDER BY age) AS share FROM x WHERE age < 8 ORDER BY 1, 2;

-- steps in order as an array
SELECT user_id, list(name ORDER BY ts, event_id) AS path FROM events WHERE user_id < 12 GROUP BY 1 ORDER BY 1;

-- most usual paths of three
SELECT p, count(*) AS n FROM (SELECT name || '>' || lead(name, 1) OVER w || '>' || lead(name, 2) OVER w AS p FROM
  events WINDOW w AS (PARTITION BY user_id ORDER BY ts, event_id)) WHERE p IS NOT NULL GROUP BY p ORDER BY n DESC, p
  LIMIT 12;

-- time to first purchase
SELECT plan, median(h) AS m, avg(h) AS a, count(*) AS n FROM (SELECT u.plan, date_diff('hour',
  u.signed_up::TIMESTAMPTZ, min(e.ts)) AS h FROM users u JOIN events e ON e.user_id = u.user_id AND e.name =
  'purchase' GROUP BY u.user_id, u.plan, u.signed_up) GROUP BY 1 ORDER BY 1;

-- last touch before a purchase
SELECT touch, count(*) AS n, sum(revenue) AS r FROM (SELECT e.event_id, e.revenue, (SELECT t.name FROM events t
  WHERE t.user_id = e.user_id AND t.ts < e.ts AND t.name <> 'purchase' ORDER BY t.ts DESC, t.event_id DESC LIMIT 1)
  AS touch FROM events e WHERE e.name = 'purchase') GROUP BY 1 ORDER BY 1 NULLS FIRST;

-- last touch by asof
SELECT t.name, count(*) AS n FROM (SELECT * FROM events WHERE name = 'purchase') p ASOF LEFT JOIN (SELECT user_id,
  ts, max(name) AS name FROM events WHERE name IN ('share', 'view') GROUP BY 1, 2) t ON p.user_id = t.user_id AND
  p.ts >= t.ts GROUP BY 1 ORDER BY 1 NULLS LAST;

-- daily, weekly and monthly active users
SELECT d.d, count(DISTINCT e.user_id) FILTER (e.ts::DATE = d.d) AS dau, count(DISTINCT e.user_id) FILTER (e.ts::DATE
  > d.d - 7) AS wau, count(DISTINCT e.user_id) AS mau FROM (SELECT DISTINCT ts::DATE AS d FROM events WHERE ts <
  '2024-02-10') d JOIN events e ON e.ts::DATE BETWEEN d.d - 29 AND d.d GROUP BY 1 ORDER BY 1;

-- stickiness
WITH dau AS (SELECT ts::DATE AS d, count(DISTINCT user_id) AS n FROM events GROUP BY 1), mau AS (SELECT
  date_trunc('month', ts) AS m, count(DISTINCT user_id) AS n FROM events GROUP BY 1) SELECT mau.m, avg(dau.n) /
  max(mau.n) AS stickiness FROM mau JOIN dau ON date_trunc('month', dau.d) = mau.m GROUP BY 1 ORDER BY 1;

-- streaks of days
WITH d AS (SELECT DISTINCT user_id, ts::DATE AS d FROM events), g AS (SELECT user_id, d, d - (row_number() OVER
  (PARTITION BY user_id ORDER BY d))::INTEGER AS k FROM d) SELECT user_id, max(n) AS longest FROM (SELECT user_id,
  k, count(*) AS n FROM g GROUP BY 1, 2) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15;

-- experiment arms from json
SELECT props->>'ab' AS arm, count(DISTINCT user_id) AS users, count(*) FILTER (name = 'purchase') AS buys,
  sum(revenue) AS r FROM events GROUP BY 1 ORDER BY 1;

-- json path and cast
SELECT (props->>'$.n')::INTEGER % 5 AS k, avg((props->'n')::DOUBLE) AS a, min(json_extract_string(props, '$.page'))
  AS p FROM events GROUP BY 1 ORDER BY 1;

-- json in a predicate
SELECT count(*) AS n FROM events WHERE props.page = '"item"' OR json_extract_string(props, 'page') = 'home' AND
  (props->>'n')::INT > 10;

-- tags out of json
SELECT t, count(*) AS n FROM (SELECT unnest(from_json(json_extract(props, '$.tags'), '["VARCHAR"]')) AS t FROM
  events WHERE json_exists(props, '$.tags')) GROUP BY t ORDER BY t;

-- keys out of json
SELECT k, count(*) AS n FROM (SELECT unnest(json_keys(props)) AS k FROM events) GROUP BY 1 ORDER BY 1;

-- nested json geography
SELECT props->'geo'->>'city' AS c, avg((props->'geo'->>'lat')::DOUBLE) AS lat, count(*) AS n FROM events WHERE
  (props->'geo') IS NOT NULL GROUP BY 1 ORDER BY 1;

-- json each, counted
SELECT j.key, count(*) AS n FROM events e, json_each(e.props) j WHERE e.event_id < 100 GROUP BY j.key ORDER BY 1;

-- revenue percent rank
SELECT user_id, r, percent_rank() OVER (ORDER BY r) AS p, cume_dist() OVER (ORDER BY r) AS c FROM (SELECT user_id,
  sum(revenue) AS r FROM events GROUP BY 1 HAVING sum(revenue) > 0) ORDER BY r DESC, user_id LIMIT 10;

-- first and repeat purchases
SELECT date_trunc('month', ts) AS m, sum((k = 1)::INT) AS fresh, sum((k > 1)::INT) AS again FROM (SELECT ts,
  row_number() OVER (PARTITION BY user_id ORDER BY ts, event_id) AS k FROM events WHERE name = 'purchase') GROUP BY
  1 ORDER BY 1;

-- users without events
SELECT u.user_id, u.plan FROM users u LEFT JOIN events e ON e.user_id = u.user_id WHERE e.event_id IS NULL ORDER BY
  1;

-- struct fields of users
SELECT traits.lang AS lang, traits.address.city AS city, count(*) AS n, avg(traits.age) AS a FROM users WHERE traits
  IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;

-- filter on a struct field
SELECT user_id, traits FROM users WHERE traits.age > 40 AND traits['lang'] = 'en' ORDER BY user_id;

-- tags of users joined with events
SELECT tag, count(DISTINCT e.event_id) AS n FROM (SELECT user_id, unnest(tags) AS tag FROM users) t JOIN events e
  USING (user_id) GROUP BY 1 ORDER BY 1 NULLS FIRST;

-- list contains
SELECT plan, count(*) AS n FROM users WHERE list_contains(tags, 'a1') AND NOT list_has_any(tags, ['b1']) GROUP BY 1
  ORDER BY 1;

-- maps
SELECT counters['visits'] AS v, count(*) AS n, list(map_keys(counters) ORDER BY user_id)[1] AS k FROM users GROUP BY
  1 ORDER BY 1;

-- versions compared as numbers
SELECT max(list_transform(string_split(version, '.'), lambda x: x::INTEGER)) AS newest, min(string_split(version,
  '.')::INTEGER[]) AS oldest FROM events;

-- versions by first piece
SELECT string_split(version, '.')[2]::INT AS minor, count(*) AS n, count(DISTINCT version) AS v FROM events GROUP BY
  1 ORDER BY 1;

-- hour of day in another zone
SELECT extract(hour FROM ts AT TIME ZONE 'America/New_York') AS h, count(*) AS n FROM events GROUP BY 1 ORDER BY 1;

-- two events within a day
SELECT count(DISTINCT a.user_id) AS n FROM events a WHERE a.name = 'view' AND EXISTS (SELECT 1 FROM events b WHERE
  b.user_id = a.user_id AND b.name = 'cart' AND b.ts > a.ts AND b.ts <= a.ts + INTERVAL 1 DAY);

-- no event after signup
SELECT s.user_id FROM (SELECT user_id, max(ts) AS ts FROM events WHERE name = 'signup' GROUP BY 1) s WHERE NOT
  EXISTS (SELECT 1 FROM events e WHERE e.user_id = s.user_id AND e.ts > s.ts) ORDER BY 1;

-- inter-event time distribution
SELECT width, count(*) AS n FROM (SELECT CASE WHEN gap < INTERVAL 1 HOUR THEN '<1h' WHEN gap < INTERVAL 1 DAY THEN
  '<1d' ELSE 'more' END AS width FROM (SELECT ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) AS gap FROM
  events) WHERE gap IS NOT NULL) GROUP BY 1 ORDER BY 1;

-- cumulative users
SELECT d, n, sum(n) OVER (ORDER BY d) AS total FROM (SELECT signed_up AS d, count(*) AS n FROM users GROUP BY 1)
  ORDER BY d;

-- ratio of two filtered counts over windows
SELECT d, n, avg(n) OVER (ORDER BY d RANGE BETWEEN INTERVAL 6 DAY PRECEDING AND CURRENT ROW) AS week FROM (SELECT
  ts::DATE AS d, count(*) AS n FROM events GROUP BY 1) ORDER BY d LIMIT 40;

-- churn
WITH m AS (SELECT DISTINCT user_id, date_trunc('month', ts)::DATE AS m FROM events) SELECT a.m, count(*) AS active,
  count(*) FILTER (b.user_id IS NULL) AS lost FROM m a LEFT JOIN m b ON a.user_id = b.user_id AND b.m = a.m +
  INTERVAL 1 MONTH GROUP BY 1 ORDER BY 1;

-- pivot of events by user
SELECT * FROM (PIVOT (SELECT user_id, name FROM events WHERE user_id < 6) ON name IN ('visit', 'view', 'cart') USING
  count(*)) ORDER BY user_id;

-- event matrix by crosstab
SELECT a.name AS x, b.name AS y, count(DISTINCT a.user_id) AS n FROM events a JOIN events b ON a.user_id = b.user_id
  AND a.name < b.name WHERE a.ts < '2024-01-12' AND b.ts < '2024-01-12' GROUP BY ALL ORDER BY ALL;

-- the n-th event
SELECT user_id, nth_value(name, 3) OVER (PARTITION BY user_id ORDER BY ts, event_id ROWS BETWEEN UNBOUNDED PRECEDING
  AND UNBOUNDED FOLLOWING) AS third FROM events QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ts,
  event_id) = 1 ORDER BY 1 LIMIT 20;

-- ignore nulls
SELECT user_id, event_id, last_value(revenue IGNORE NULLS) OVER (PARTITION BY user_id ORDER BY ts, event_id) AS
  last_paid FROM events WHERE user_id IN (3, 5) ORDER BY 1, ts, event_id;

-- arg_max of a struct
SELECT user_id, arg_max({'n': name, 'r': revenue}, ts) AS last FROM events WHERE user_id < 15 AND event_id % 2 = 0
  GROUP BY 1 ORDER BY 1;

-- list aggregates of groups
SELECT user_id, list_sum(list(event_id)) AS s, len(list(revenue)) AS n, list_distinct(list(name ORDER BY name)) IS
  NOT NULL AS d FROM events WHERE user_id > 90 GROUP BY 1 ORDER BY 1;

-- counts in json out
SELECT json_object('user', user_id, 'n', count(*)) AS j FROM events WHERE user_id < 8 GROUP BY user_id ORDER BY
  user_id;
