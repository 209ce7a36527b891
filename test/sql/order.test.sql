-- ORDER BY without a LIMIT, or with one too large for a heap: spread, the rows are sorted by ranges. Every order is
-- total, or what ties is the same.


-- ascending, with ties and NULLs
-- spread
SELECT customer, id FROM sales ORDER BY customer, id;

-- descending, NULLs first, two keys of two types
-- spread
SELECT product, price, id FROM sales ORDER BY product DESC NULLS FIRST, price DESC, id;

-- NULLs first and last in one order
-- spread
SELECT customer, note, id FROM sales ORDER BY note NULLS FIRST, customer DESC NULLS LAST, id;

-- a value that half of all rows have
-- spread
SELECT customer FROM sales ORDER BY customer DESC;

-- one value only
-- spread
SELECT id - id AS same, count(*) AS n FROM sales GROUP BY id ORDER BY same;

-- an expression that is not in the result
-- spread
SELECT id FROM sales ORDER BY id % 10 DESC, id // 7, id;

-- by position, and by all
-- spread
SELECT day, quantity, id FROM sales WHERE id < 5000 ORDER BY ALL DESC;

-- sorted by a collation
-- spread
SELECT name, id FROM people ORDER BY name COLLATE NOCASE DESC, id;

-- with an offset
-- spread
SELECT id, price FROM sales ORDER BY price, id OFFSET 11000;

-- with a limit that is nearly all of it
-- spread
SELECT id, price FROM sales ORDER BY price DESC, id LIMIT 11990 OFFSET 5;

-- with a limit that ends within a range, and one that begins behind the end
-- spread
SELECT id FROM sales ORDER BY big, id LIMIT 7000 OFFSET 2500;

-- an offset behind the last row
-- spread
SELECT id FROM sales ORDER BY id LIMIT 10000 OFFSET 12000;

-- no row is left to be sorted
-- spread
SELECT id FROM sales WHERE id % 20000 = 19999 ORDER BY price;

-- one row is left to be sorted
-- spread
SELECT id FROM sales WHERE id = 77 ORDER BY price;

-- sorted rows of a join
-- spread
SELECT s.id, c.name FROM sales AS s JOIN customers AS c ON s.customer = c.id ORDER BY c.name DESC, s.id;

-- sorted groups, by an aggregate
-- spread
SELECT customer, product, sum(price) AS total FROM sales GROUP BY ALL ORDER BY total DESC, customer, product;

-- sorted by what a window gives
-- spread
SELECT id, row_number() OVER (PARTITION BY customer ORDER BY id) AS n FROM sales ORDER BY n DESC, id;

-- sorted parts of a union
-- spread
SELECT id FROM sales UNION ALL SELECT v FROM lefts ORDER BY id DESC;

-- sorted after DISTINCT
-- spread
SELECT DISTINCT product, quantity FROM sales ORDER BY quantity, product;

-- in a CTE that is read twice
-- spread
WITH x AS MATERIALIZED (SELECT id, customer FROM sales WHERE customer > 5)
  SELECT a.id FROM x AS a JOIN x AS b ON a.id = b.id + 2 ORDER BY a.id DESC;

-- infinities and NaN
-- spread
SELECT f8, id FROM kinds ORDER BY f8 DESC, id;

-- every scalar type is a key
-- spread
SELECT id FROM kinds ORDER BY yes, tiny, small, big, utiny, usmall, uint, ubig, f4, f8, dec4, dec9, dec18, dec38, id;

-- the other scalar types, descending
-- spread
SELECT id FROM kinds ORDER BY word DESC, bytes DESC, uuid DESC, day DESC, hour DESC, stamp DESC, nanos DESC, zoned DESC,
  span DESC, doc DESC;

-- intervals by what they come to
-- spread
SELECT span, id FROM kinds ORDER BY span DESC, id;

-- lists, structs and maps
-- spread
SELECT id, nums FROM nested ORDER BY nums DESC NULLS FIRST, pair, dict, id;

-- big integers
-- spread
SELECT big::HUGEINT * 9007199254740993 AS b, id FROM sales ORDER BY b DESC, id;

-- rows without names
-- spread
SELECT id FROM sales ORDER BY row(customer, quantity), id;

-- columns that are made above the order
-- spread
SELECT upper(product) AS p, price * 2 AS twice FROM sales ORDER BY sold;

-- an error in a key that only some rows have
-- error: Conversion Error
SELECT id FROM sales ORDER BY CAST(coalesce(note, '1') AS INTEGER);

-- by chance: nothing is told of the order, but the rows are all there
-- unordered
SELECT id FROM sales ORDER BY random();
