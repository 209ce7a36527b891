-- Numbers that a double cannot hold must come through stages unchanged.


-- a sum of BIGINT past 2^53
-- spread
-- value: 53989152332917512042000
SELECT sum(big) AS total FROM sales;

-- sums past 2^53 by group
SELECT quantity, sum(big) AS total, min(big) AS low, max(big) AS high, avg(big) AS mean FROM sales GROUP BY quantity;

-- a sum past 2^63 is a HUGEINT
SELECT sum(big::HUGEINT * 1000) AS total, typeof(sum(big)) AS type FROM sales;

-- HUGEINT through a join and a group
-- spread
SELECT s.h, count(*) AS n, sum(s.h) AS total FROM (SELECT customer, big::HUGEINT * 1000000000000 + 1 AS h
  FROM sales) s
  JOIN customers c ON s.customer = c.id WHERE c.id < 30 GROUP BY s.h;

-- negative HUGEINT keys
SELECT h, count(*) AS n FROM (SELECT -(big::HUGEINT) * 1000000000 - 1 AS h FROM sales) GROUP BY h
  HAVING h > -100000000000000000000000000;

-- the ends of HUGEINT and UHUGEINT
SELECT (-170141183460469231731687303715884105727)::HUGEINT - 1 AS a,
  170141183460469231731687303715884105727::HUGEINT AS b,
  340282366920938463463374607431768211455::UHUGEINT AS c FROM single;

-- a sum of DECIMAL past 2^53
-- value: 5999400000000000.6000
SELECT sum(d) AS total FROM (SELECT 999900000000.0001::DECIMAL(18,4) AS d FROM sales WHERE id < 6000);

-- DECIMAL(38) keeps every digit
SELECT sum(dec38) AS a, max(dec38) AS b, sum(dec38 * 2) AS c FROM kinds;

-- DECIMAL arithmetic keeps its scale
SELECT quantity, sum(price * (1 - 0.05) * (1 + 0.08)) AS a, sum(price * quantity) AS b, max(price) - min(price) AS c
  FROM sales
  GROUP BY quantity;

-- DECIMAL division is a double
SELECT quantity, sum(price) / 7.0 AS a, sum(price) / sum(quantity) AS b FROM sales GROUP BY quantity;

-- an avg of DECIMAL
SELECT quantity, avg(price) AS a FROM sales GROUP BY quantity;

-- UBIGINT past 2^63
SELECT ubig, ubig + 1 AS more FROM kinds ORDER BY ubig DESC LIMIT 3;

-- BIGINT keys that differ only past 2^53
SELECT k, count(*) AS n FROM (SELECT 9007199254740992 + id % 3 AS k FROM sales) GROUP BY k;

-- a join of keys that differ only past 2^53
SELECT count(*) AS n FROM (SELECT 9007199254740992 + id % 4 AS k FROM people) a
  JOIN (SELECT 9007199254740993::HUGEINT AS k) b USING (k);

-- BIGNUM
SELECT (id::VARCHAR || '00000000000000000000000000000000000000000000000001')::BIGNUM AS n FROM people WHERE id < 4;

-- FLOAT and DOUBLE ends
SELECT max(x) AS a, min(x) AS b FROM (VALUES (1.7976931348623157e308::DOUBLE), (-1.7976931348623157e308),
  (5e-324)) t(x);

-- a HUGEINT overflow is an error
-- error: EXECUTION_ERROR
-- error: Overflow in HUGEINT
SELECT sum(h) AS s FROM (SELECT 170141183460469231731687303715884105727::HUGEINT AS h FROM lefts);
