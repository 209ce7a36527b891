-- Errors carry a code and DuckDB's message, whenever they come: when the text is read, bound, or run.


-- a syntax error
-- error: SYNTAX_ERROR
-- error: syntax error at or near "people"
SELECT 1 FORM people;

-- an unfinished call
-- error: SYNTAX_ERROR
-- error: syntax error at or near "FROM"
SELECT count( FROM;

-- a table that is not there
-- error: TABLE_NOT_FOUND
-- error: Table with name nobody does not exist
SELECT * FROM nobody;

-- a column that is not there
-- error: BIND_ERROR
-- error: Referenced column "salary" not found
SELECT salary FROM people;

-- a function that is not there
-- error: BIND_ERROR
-- error: Scalar Function with name frobnicate does not exist
SELECT frobnicate(id) FROM people;

-- a function with arguments of the wrong type
-- error: BIND_ERROR
-- error: No function matches
SELECT sum(name) FROM people;

-- a column that is not in GROUP BY
-- error: BIND_ERROR
-- error: must appear in the GROUP BY clause
SELECT name, count(*) FROM people GROUP BY team;

-- a name that means two columns
-- error: BIND_ERROR
-- error: Ambiguous reference
SELECT v FROM lefts, solid;

-- a cast that fails in some row
-- error: EXECUTION_ERROR
-- error: Could not convert string 'person
SELECT sum(name::INTEGER) FROM people;

-- a cast that fails in the last row
-- error: EXECUTION_ERROR
-- error: Could not convert string 'x11999' to INT32
SELECT CASE WHEN id = 11999 THEN 'x' || id ELSE id::VARCHAR END::INTEGER AS n FROM sales;

-- an integer that overflows
-- error: EXECUTION_ERROR
-- error: Overflow in multiplication of INT64
SELECT max(big * big) FROM sales;

-- a number out of range
-- error: EXECUTION_ERROR
-- error: out of range
SELECT sum((id * 30)::TINYINT) FROM people;

-- an error that the query raises itself, above a join
-- error: EXECUTION_ERROR
-- error: no such customer: 900
SELECT CASE WHEN c.id IS NULL THEN error('no such customer: ' || s.k) END FROM (SELECT 900 AS k) s LEFT
  JOIN customers c ON c.id = s.k;

-- an error in one group of many
-- error: EXECUTION_ERROR
-- error: Could not convert string 'returned' to INT32
SELECT product, sum(note::INTEGER) FROM sales GROUP BY product;

-- a regular expression that is none
-- error: EXECUTION_ERROR
-- error: missing )
SELECT count(*) FROM people WHERE regexp_matches(name, '(' || id);

-- a date that is none
-- error: EXECUTION_ERROR
-- error: date field value out of range
SELECT ('2024-02-' || (28 + id))::DATE FROM people;

-- a window in WHERE
-- error: BIND_ERROR
-- error: WHERE clause cannot contain window functions
SELECT id FROM people WHERE row_number() OVER () = 1;
