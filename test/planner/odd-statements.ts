/** More odd SQL over the tables of `tables.ts`, as in statements.ts: places where one thing stands inside another. */

export const odd: Readonly<Record<string, readonly string[]>> = {
  'subqueries in odd places': [
    `SELECT k, (WITH w AS MATERIALIZED (SELECT v FROM u WHERE u.k = one.k) SELECT sum(w.v) + count(w2.v) FROM w, w
      w2) FROM one`,
    `SELECT id, CASE WHEN EXISTS (FROM u WHERE u.k = t.k) THEN (SELECT max(v) FROM u WHERE u.k = t.k) ELSE -1 END
      FROM t`,
    `SELECT n.id, x.u FROM nested n, LATERAL (SELECT unnest(n.l) AS u) x`,
    `SELECT n.id, x FROM nested n CROSS JOIN LATERAL unnest(n.l) AS u(x)`,
    `SELECT * FROM (SELECT g, b, id FROM t) PIVOT (sum(id) AS s, max(id) AS m FOR g IN (0, 1) b IN (TRUE, FALSE))`,
    `SELECT id, (SELECT sum(x.id) FROM t x WHERE x.g = t.g AND x.id <= t.id) AS running FROM t`,
    `SELECT t.id, z.c FROM t LEFT JOIN LATERAL (SELECT count(*) AS c FROM u WHERE u.k = t.k AND u.v > t.id) z ON z.c
      > 1`,
    `SELECT a.k, b.k, c.k FROM one a LEFT JOIN u b ON a.k = b.k FULL JOIN solid c ON b.k = c.k AND a.k > 1`,
    `SELECT id FROM t WHERE k IN (SELECT k FROM u WHERE u.s = t.s) OR g IN (SELECT h FROM u WHERE u.k = t.k)`,
    `SELECT id FROM t WHERE NOT (k IN (SELECT k FROM u WHERE u.s = t.s))`,
    `SELECT id, k = ANY (SELECT k FROM u WHERE u.h = t.g), k < ALL (SELECT v FROM u WHERE u.k = t.k) FROM t`,
    `SELECT (SELECT id FROM t ORDER BY id DESC LIMIT 1), (SELECT list(k ORDER BY k) FROM one)`,
    `SELECT k, (SELECT name FROM one o WHERE o.k = one.k ORDER BY name LIMIT 1) FROM one`,
    `SELECT k, (SELECT v FROM u WHERE u.k = one.k ORDER BY v OFFSET 1 LIMIT 1) FROM one`,
    `SELECT k, EXISTS (SELECT 1 FROM u WHERE u.k = one.k LIMIT 0) FROM one`,
    `SELECT count(*) FILTER (k > (SELECT avg(k) FROM u)) FROM t`,
    `SELECT first(id), any_value(s) FROM (SELECT 1 AS id, 'x' AS s)`,
    `SELECT * FROM solid s1 WHERE s1.k = (SELECT max(s2.k) FROM solid s2 WHERE s2.g = s1.g)`,
    `SELECT t1.id FROM t t1 WHERE t1.id IN (SELECT t2.id FROM t t2 WHERE t2.k = t1.k AND t2.id IN (SELECT v / 10
      FROM u WHERE u.h = t1.g))`,
    `SELECT x.* FROM (SELECT 1 AS a, 2 AS a_1) x, (SELECT NULL) y`,
    `SELECT a.id FROM t a SEMI JOIN (SELECT k, s FROM u) b USING (k, s)`,
    `SELECT t.id, o.name FROM t ASOF JOIN (SELECT k::DOUBLE AS d, name FROM one) o ON t.d >= o.d`,
    `SELECT * FROM trades t ASOF LEFT JOIN quotes q ON t.sym = q.sym AND t."at" <= q."at" AND TRUE`,
    `SELECT COALESCE((SELECT k FROM one WHERE k = 99), -1), (SELECT 5) + (SELECT count(*) FROM empty)`,
    `SELECT x, y FROM (SELECT range AS x FROM range(4)) JOIN LATERAL (SELECT sum(range) AS y FROM range(10) WHERE
      range > x) ON TRUE`,
  ],
  collections: [
    `SELECT id, unnest(st) FROM nested`,
    `SELECT id, unnest(ls, max_depth := 2) FROM nested`,
    `SELECT [x + i for x, i in l if i > 1] FROM nested`,
    `SELECT list_filter(ls, s -> s.x > 1), list_transform(map_keys(mp), k -> k) FROM nested`,
    `SELECT map_extract(mp, 'x'), map_concat(mp, MAP {'q': 1}), map_contains(mp, 'x') FROM nested`,
    `SELECT st.*, struct_update(st, a := 9), row(1, st) IS NULL FROM nested`,
    `SELECT json_extract(js, ['$.a', '$.b']), js.b[0], json_keys(js), json_structure(js), js->>'$.b[#-1]' FROM types`,
    `SELECT json_group_array(id), json_group_object(id, ti) FROM types`,
    `SELECT from_json(js, '{"a": "INTEGER"}'), json_transform(js, '{"b": ["VARCHAR"]}') FROM types`,
    `SELECT list_transform(json_extract_string(js, '$.b[*]'), x -> x || '!') FROM types`,
    `SELECT try_cast('x' AS INTEGER), try_cast(id AS TINYINT), TRY(1 / 0), CAST([1, '2'] AS INTEGER[]), CAST({'a':
      '5'} AS STRUCT(a INTEGER)), CAST(l AS VARCHAR) FROM nested`,
    `SELECT CAST(st AS STRUCT("b c" VARCHAR, a BIGINT)), CAST(ls AS STRUCT(x VARCHAR, y VARCHAR)[]), CAST(mp AS
      MAP(VARCHAR, DOUBLE)) FROM nested`,
  ],
  frames: [
    `SELECT id, sum(count(*)) OVER (ORDER BY id) FROM t GROUP BY id`,
    `SELECT DISTINCT ON (k) k, last_value(id) OVER (PARTITION BY g ORDER BY id) FROM t ORDER BY k, id`,
    `SELECT max(id) OVER w, min(s) OVER w FROM t WINDOW w AS (PARTITION BY b ORDER BY dt NULLS FIRST, id RANGE
      BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`,
    `SELECT dt, count(*) OVER (ORDER BY dt RANGE BETWEEN INTERVAL 3 DAYS PRECEDING AND INTERVAL 1 DAY FOLLOWING)
      FROM t`,
    `SELECT tz, sum(id) OVER (ORDER BY tz RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) FROM types`,
    `SELECT m, sum(m) OVER (ORDER BY m RANGE BETWEEN 2 PRECEDING AND 1.5 FOLLOWING) FROM t`,
    `SELECT id, array_agg(DISTINCT k ORDER BY k) OVER (ORDER BY id) FROM t`,
    `SELECT id, arg_max(s, d) OVER (PARTITION BY g), mode(k) OVER (PARTITION BY b ORDER BY id ROWS 5 PRECEDING) FROM
      t WHERE k IS NOT NULL`,
    `SELECT * FROM one o JOIN (SELECT k, row_number() OVER (PARTITION BY k ORDER BY v) AS rn, v FROM u) x ON o.k =
      x.k AND x.rn = 1`,
  ],
  groups: [
    `SELECT t.g, sum(t.id * u.v) FROM t JOIN u USING (k) WHERE u.v BETWEEN t.id AND t.id + 100 GROUP BY t.g`,
    `SELECT quantile_cont(d, [0.9, 0.1, 0.5]), quantile_disc(id, [0.75]), quantile_cont(m, [0.2, 0.7]) FROM t`,
    `SELECT percentile_disc(0.2) WITHIN GROUP (ORDER BY s DESC), percentile_cont(0.9) WITHIN GROUP (ORDER BY dt),
      median(iv) FROM t, (SELECT max(iv) AS iv FROM types)`,
    `SELECT mode() WITHIN GROUP (ORDER BY k), listagg(DISTINCT s, ';' ORDER BY s) FROM t`,
    `SELECT list_aggregate(words, 'string_agg', '/'), list_aggr(l, 'histogram'), list_aggregate(l, 'avg'),
      array_to_string(words, '') FROM nested`,
    `SELECT s::ENUM('s0','s1','s2','s3','s4','s5') AS e, count(*) FROM t GROUP BY e ORDER BY e`,
    `SELECT x, count(*) FROM (SELECT unnest(words) AS x FROM nested) GROUP BY x`,
    `SELECT * FROM (SELECT id % 3 AS a, id % 2 AS b FROM t) GROUP BY CUBE (a, b) ORDER BY ALL`,
    `SELECT a, b, sum(c) FROM (SELECT id % 3 AS a, id % 2 AS b, id AS c FROM t) GROUP BY GROUPING SETS ((a, b), (a),
      ())`,
    `SELECT count(*), count(DISTINCT (k, g)), count((k, g)) FROM t`,
    `SELECT {'k': k, 'g': g} AS p, count(*) FROM t GROUP BY p`,
  ],
  'operators and casts': [
    `SELECT id FROM t ORDER BY id`,
    `SELECT a.id FROM t a, t b WHERE a.s::ENUM('s0','s1','s2','s3','s4','s5') >
      b.s::ENUM('s0','s1','s2','s3','s4','s5') AND b.id = 5`,
    `SELECT id FROM t WHERE s = 's1' OR s = 's2' OR s = 's3' OR k = 1`,
    `SELECT dt::TIMESTAMP, ts::DATE, dt + TIME '10:00', ts::TIME, TIME '10:00' + INTERVAL 3 HOUR, tm - INTERVAL 1
      SECOND FROM types`,
    `SELECT generate_series(dt, dt + 2, INTERVAL 1 DAY), range(ts, ts + INTERVAL 2 HOUR, INTERVAL 1 HOUR) FROM types`,
    `SELECT greatest(dt, DATE '1970-01-01'), least(uu, uuid '00000000-0000-0000-0000-000000000003'),
      coalesce(NULLIF(bl, 'a'), bl) FROM types`,
    `SELECT bl || '\\xAA'::BLOB, octet_length(bl), hex(bl), base64(bl), bl < 'b'::BLOB, unhex('00FF') FROM types`,
    `SELECT d18 / 3, d18 // 3, d18 % 7, d4 * 1.5 * 2.25, d38 - 1, -d38, abs(d4), d18::DECIMAL(20,4) + d4,
      floor(d18), trunc(d4), ceil(d4) FROM types`,
    `SELECT sum(d38), avg(d38), sum(d18 * d4), max(d4 + d18), stddev(d4), sum(ti)::TINYINT FROM types`,
    `SELECT bar(id, 0, 60), format('{:.2f}', d), printf('%5d', k) FROM t WHERE d > 5 AND k IS NOT NULL`,
    `SELECT id FROM t WHERE (k > 2) = b`,
    `SELECT id FROM t WHERE b AND NOT (b IS NULL) AND (k IS NULL) = (g IS NULL)`,
    `SELECT id, b::INTEGER + k, NOT b OR k > 1, b AND NULL, NULL OR TRUE FROM t`,
    `SELECT concat('a', 1, NULL, 2.5, DATE '2024-01-01'), 'x' || NULL, NULL || 'x' IS NULL`,
    `SELECT * FROM (VALUES (1.5, 'a'), (2, NULL), (NULL, 'c')) v(x, y) WHERE x > 1 OR y = 'c'`,
    `SELECT 'a' < 'B', 'a' < 'B' COLLATE NOCASE, 'ä' = 'a' COLLATE NOACCENT`,
    `SELECT * FROM range(3) a(x), range(2) b(y)`,
  ],
}
