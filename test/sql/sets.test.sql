-- Set operations and ordered, limited and sampled results.


-- UNION drops duplicates, NULLs too
SELECT k FROM lefts UNION SELECT k FROM rights;

-- UNION ALL keeps them, and widens the types
SELECT k, v FROM lefts UNION ALL SELECT k, w FROM rights;

-- INTERSECT treats NULLs as equal
SELECT k, s FROM lefts INTERSECT SELECT k, s FROM rights;

-- INTERSECT ALL keeps the smaller count
SELECT k FROM lefts INTERSECT ALL SELECT k FROM rights;

-- EXCEPT
SELECT k, s FROM lefts EXCEPT SELECT k, s FROM rights;

-- EXCEPT ALL keeps the difference of the counts
SELECT k FROM lefts EXCEPT ALL SELECT k FROM rights;

-- UNION BY NAME fills what is missing
SELECT k, v FROM lefts UNION ALL BY NAME SELECT w, k FROM rights;

-- set operations inside each other
(SELECT k FROM lefts EXCEPT SELECT k FROM solid) UNION (SELECT v FROM solid INTERSECT SELECT k FROM rights);

-- a set operation with an empty table
SELECT k, s FROM nothing UNION ALL SELECT k, s FROM single EXCEPT SELECT k, s FROM nothing;

-- a union of decimals and integers
SELECT pay FROM people WHERE id < 3 UNION ALL SELECT id FROM people WHERE id > 45 UNION ALL SELECT 0.12345;

-- an order over all files
-- spread
SELECT id, price FROM sales ORDER BY price DESC, id LIMIT 25;

-- an order with NULLs first, then an offset
SELECT id, customer FROM sales ORDER BY customer NULLS FIRST, id DESC LIMIT 10 OFFSET 595;

-- a whole table in order
SELECT id, sold FROM sales WHERE id % 3 = 1 ORDER BY sold DESC;

-- an order by text with signs outside ASCII
SELECT word, id FROM kinds ORDER BY word NULLS LAST, id;

-- an order by a nested value
SELECT id, nums FROM nested ORDER BY nums DESC NULLS LAST, id;

-- LIMIT 0 keeps the columns
SELECT * FROM kinds LIMIT 0;

-- a limit in percent
SELECT id FROM people ORDER BY id LIMIT 25%;

-- a limit over a share of all rows
SELECT count(*) AS n FROM (SELECT * FROM (SELECT * FROM sales LIMIT 50%) LIMIT 3000);

-- a limit that is an expression
SELECT id FROM people ORDER BY id LIMIT (SELECT count(*) // 10 FROM people);

-- a limit below a join
SELECT p.id, l.v FROM (SELECT id FROM people ORDER BY id DESC LIMIT 5) p JOIN lefts l ON l.v = p.id - 20;

-- ORDER BY ALL
SELECT k, s, v FROM lefts ORDER BY ALL;

-- a sample of everything is everything
-- whole
SELECT count(*) AS n, sum(id) AS total FROM sales USING SAMPLE 100 PERCENT (bernoulli);

-- a sample has the rows that were asked for
-- whole
SELECT count(*) AS n FROM (SELECT id FROM sales USING SAMPLE 40 ROWS);

-- a sample of a table
-- whole
SELECT count(*) AS n FROM people TABLESAMPLE reservoir(10);
