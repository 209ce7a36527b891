-- Joins of every type; lefts and rights have NULL keys, repeated keys, and keys without a partner.


-- an inner join drops NULL keys and repeats pairs
-- spread
SELECT l.k, l.v, r.w FROM lefts l JOIN rights r ON l.k = r.k;

-- a left join keeps rows without a partner
-- spread
SELECT l.k, l.v, r.k AS rk, r.w FROM lefts l LEFT JOIN rights r ON l.k = r.k;

-- a right join keeps the other side's
-- spread
SELECT l.v, r.k, r.w FROM lefts l RIGHT JOIN rights r ON l.k = r.k;

-- a full join keeps both
-- spread
SELECT l.k, l.v, r.k AS rk, r.w FROM lefts l FULL JOIN rights r ON l.k = r.k;

-- a full join with an empty side
SELECT l.v, n.s FROM lefts l FULL JOIN nothing n ON l.k = n.k;

-- a left join to an empty table gives NULLs
SELECT l.v, n.k, n.m FROM lefts l LEFT JOIN nothing n USING (k);

-- an inner join with an empty table is empty
SELECT l.v, n.s FROM lefts l JOIN nothing n ON l.k = n.k;

-- a cross join is every pair
SELECT l.v, s.s FROM lefts l CROSS JOIN single s;

-- a join on two keys, either of which may be NULL
SELECT l.v, r.w FROM lefts l JOIN rights r ON l.k = r.k AND l.s = r.s;

-- IS NOT DISTINCT FROM joins NULL with NULL
SELECT l.k, l.v, r.w FROM lefts l JOIN rights r ON l.k IS NOT DISTINCT FROM r.k;

-- a condition besides the keys decides about partners, not about rows, in a left join
SELECT l.v, r.w FROM lefts l LEFT JOIN rights r ON l.k = r.k AND r.w > 500;

-- the same condition in WHERE decides about rows
SELECT l.v, r.w FROM lefts l LEFT JOIN rights r ON l.k = r.k WHERE r.w > 500 OR r.w IS NULL;

-- a join on inequality alone
SELECT l.v, r.w FROM lefts l JOIN rights r ON l.v * 60 < r.w AND l.k > r.k;

-- a left join on a range
SELECT s.v, l.v AS lv FROM solid s LEFT JOIN lefts l ON l.v BETWEEN s.v AND s.v + s.k;

-- a semi join gives each row once
SELECT l.k, l.v FROM lefts l SEMI JOIN rights r ON l.k = r.k;

-- an anti join keeps the rows without a partner, NULL keys too
SELECT l.k, l.v FROM lefts l ANTI JOIN rights r ON l.k = r.k;

-- USING gives the key once, from the side that has it
SELECT k, l.v, r.w FROM lefts l FULL JOIN rights r USING (k);

-- a natural join takes all common names
SELECT * FROM lefts NATURAL JOIN rights;

-- keys of different integer types, negative ones too, meet
SELECT a.id, b.id AS other FROM kinds a JOIN kinds b ON a.tiny = b.big // 3000000000 - 1;

-- keys of different decimal scales meet
SELECT a.id, b.id AS other FROM kinds a JOIN kinds b ON a.dec4 = b.dec18 - b.dec18 + b.id * 1.001;

-- text keys, dates, UUIDs and blobs as keys
SELECT a.id, b.id AS other FROM kinds a JOIN kinds b
  ON a.word = b.word AND a.day = b.day AND a.uuid = b.uuid AND a.bytes = b.bytes AND a.zoned = b.zoned;

-- NaN meets NaN, and minus zero meets zero
SELECT a.id, b.v FROM kinds a JOIN (VALUES ('nan'::DOUBLE, 1), ('-0.0'::DOUBLE, 2), ('inf'::DOUBLE, 3)) b(d, v)
  ON a.f8 = b.d;

-- a self join three deep
SELECT a.id, b.id AS boss, c.id AS boss_of_boss FROM people a JOIN people b ON a.boss = b.id JOIN people c
  ON b.boss = c.id;

-- a join on an expression of both sides
SELECT count(*), sum(s.quantity) FROM sales s JOIN customers c ON s.customer + 0 = c.id AND length(c.name) > 10;

-- a join with a skewed key finds all of it
-- spread
SELECT c.zone, count(*) AS n, sum(s.price) AS total FROM sales s LEFT JOIN customers c ON s.customer = c.id
  GROUP BY c.zone;

-- four tables, two of them the same
SELECT p.team, c.zone, count(*) FROM sales s JOIN customers c ON s.customer = c.id JOIN people p ON p.id = s.quantity
  JOIN people b ON p.boss = b.id GROUP BY ALL;

-- a lateral join sees the row before it
SELECT l.v, x.w FROM lefts l, LATERAL (SELECT max(r.w) AS w FROM rights r WHERE r.k <= l.k) x;

-- a positional join pairs by place
-- whole
SELECT * FROM (SELECT v FROM solid ORDER BY v) a POSITIONAL JOIN (SELECT w FROM rights ORDER BY w) b;

-- a join whose keys are all NULL finds nothing
SELECT count(*) FROM (SELECT NULL::INTEGER AS k FROM lefts) a JOIN rights r ON a.k = r.k;

-- ASOF takes the last quote before each trade
SELECT t.id, t.sym, t.ts, q.price FROM trades t ASOF JOIN quotes q ON t.sym = q.sym AND t.ts >= q.ts;

-- ASOF LEFT keeps trades before the first quote
SELECT t.id, t.sym, q.ts, q.price FROM trades t ASOF LEFT JOIN quotes q ON t.sym = q.sym AND t.ts > q.ts;

-- ASOF without a key besides time, forwards
SELECT t.id, q.sym, q.ts FROM trades t ASOF JOIN (SELECT * FROM quotes WHERE sym <> 'sym2') q ON t.ts <= q.ts;

-- an anti join on an inequality that always holds, with a side that turns out to be empty
SELECT p.id FROM people p ANTI JOIN sales s ON p.id < s.id + 100000 AND length(s.product) > 100 ORDER BY 1;

-- the same over columns, whose statistics tell
SELECT s.k, s.v FROM solid s ANTI JOIN sales t ON s.v > t.rating - 100000 AND length(t.product) > 100 ORDER BY ALL;

-- an anti join on an inequality of columns alone
SELECT c.id FROM (SELECT id FROM people WHERE id < 3) c ANTI JOIN (SELECT id FROM customers WHERE length(name) > 99) s
  ON c.id <= s.id ORDER BY 1;
