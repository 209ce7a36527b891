-- Subqueries: IN and NOT IN with NULLs, EXISTS, scalar and correlated ones.


-- IN finds each row once
SELECT v FROM lefts WHERE k IN (SELECT k FROM rights);

-- NOT IN over a set with a NULL is never true
SELECT v FROM lefts WHERE k NOT IN (SELECT k FROM rights);

-- NOT IN over a set without NULL drops NULL on the left
SELECT v FROM lefts WHERE k NOT IN (SELECT k FROM rights WHERE k IS NOT NULL);

-- NOT IN over an empty set keeps every row
SELECT v FROM lefts WHERE k NOT IN (SELECT k FROM nothing);

-- IN as a value is three-valued
SELECT v, k IN (SELECT k FROM rights) AS found, k NOT IN (SELECT k FROM rights) AS missing FROM lefts;

-- IN as a value against a set without NULL
SELECT v, k IN (SELECT k FROM solid) AS found FROM lefts;

-- IN as a value against an empty set is false, also for NULL
SELECT v, k IN (SELECT k FROM nothing) AS found FROM lefts;

-- IN with two columns
SELECT v FROM lefts WHERE (k, s) IN (SELECT k, s FROM rights);

-- EXISTS
SELECT v FROM lefts l WHERE EXISTS (SELECT 1 FROM rights r WHERE r.k = l.k AND r.w > l.v);

-- NOT EXISTS keeps NULL keys
SELECT v FROM lefts l WHERE NOT EXISTS (SELECT 1 FROM rights r WHERE r.k = l.k);

-- EXISTS as a value, without a link
SELECT v, EXISTS (SELECT 1 FROM nothing) AS a, EXISTS (SELECT 1 FROM single) AS b FROM lefts;

-- > ALL and = ANY
SELECT v FROM solid WHERE v > ALL (SELECT k FROM solid) OR k = ANY (SELECT v - 1 FROM solid WHERE v < 3);

-- ALL with a NULL in the set
SELECT v, v > ALL (SELECT k FROM lefts) AS above FROM solid;

-- a scalar subquery
SELECT v, (SELECT max(w) FROM rights) - v AS rest FROM lefts;

-- a scalar subquery without rows is NULL
SELECT v, (SELECT k FROM nothing) AS k FROM solid;

-- a correlated count is 0, not NULL, where nothing matches
SELECT l.v, (SELECT count(*) FROM rights r WHERE r.k = l.k) AS n FROM lefts l;

-- a correlated sum is NULL where nothing matches
SELECT l.v, (SELECT sum(r.w) FROM rights r WHERE r.k = l.k AND r.s > l.s) AS total FROM lefts l;

-- a correlated subquery on an inequality
SELECT s.v, (SELECT sum(r.w) FROM rights r WHERE r.k < s.k) AS total FROM solid s;

-- a correlated subquery inside a correlated subquery
SELECT o.v, (SELECT count(*) FROM rights r WHERE r.k = o.k AND EXISTS (
  SELECT 1 FROM lefts l WHERE l.k = r.k AND l.v > o.v)) AS n FROM solid o;

-- a correlated subquery in HAVING
SELECT team, count(*) AS n FROM people p GROUP BY team
  HAVING count(*) > (SELECT count(*) // 2 FROM lefts WHERE s = 's1' OR p.team IS NULL);

-- rows above the average of their group
SELECT id, team, pay FROM people p WHERE pay > (SELECT avg(pay) FROM people q WHERE q.team = p.team);

-- ORDER BY and LIMIT inside a correlated subquery
SELECT s.v, (SELECT r.w FROM rights r WHERE r.k = s.k ORDER BY r.w DESC LIMIT 1) AS top FROM solid s;

-- a scalar subquery with two rows is an error
-- error: More than one row returned by a subquery
-- error: EXECUTION_ERROR
SELECT v, (SELECT w FROM rights r WHERE r.k = l.k) AS w FROM lefts l;

-- an array of a subquery
SELECT s.v, ARRAY(SELECT r.w FROM rights r WHERE r.k = s.k ORDER BY r.w) AS list FROM solid s;
