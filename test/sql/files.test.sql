-- Hive folders, CSV and JSON tables, names of catalogs, and what describes tables.


-- the keys of Hive folders are columns
SELECT * FROM visits;

-- a filter on a key
SELECT id, amount FROM visits WHERE region = 'west' AND year = 2023;

-- a group by a key
-- spread
SELECT region, year, count(*) AS n, sum(amount) AS total FROM visits GROUP BY ALL;

-- a key that no folder has
SELECT count(*) AS n FROM visits WHERE year = 1999;

-- a join on a key
SELECT v.region, count(*) AS n FROM visits v JOIN (VALUES (2022), (2025)) y(year) USING (year) GROUP BY v.region;

-- a CSV table
SELECT * FROM csvs.main.cities;

-- a CSV table in a group
SELECT country, count(*) AS n, sum(population) AS people, min(founded) AS first FROM csvs.main.cities
  GROUP BY country;

-- a JSON table
SELECT * FROM jsons.main.events;

-- a JSON table in a group
SELECT kind, count(*) AS n, sum(size) AS size, list(DISTINCT origin.host ORDER BY origin.host) AS hosts
  FROM jsons.main.events GROUP BY kind;

-- a join over three catalogs
SELECT c.name, e.kind, p.team FROM csvs.main.cities c JOIN jsons.main.events e ON e.id = c.id JOIN lake.main.people p
  ON p.id = c.id;

-- a table by all forms of its name
SELECT a.v, b.v AS w, c.v AS x FROM solid a JOIN main.solid b USING (v) JOIN lake.main.solid c USING (v);

-- DESCRIBE a table
SELECT column_name, column_type FROM (DESCRIBE kinds);

-- DESCRIBE a query
SELECT column_name, column_type FROM (DESCRIBE SELECT k, sum(v) AS total, list(s) AS texts FROM lefts GROUP BY k);

-- SUMMARIZE
SELECT column_name, column_type, min, max, count FROM (SUMMARIZE lefts);

-- a count of rows needs no column
SELECT count(*) AS n FROM sales;

-- the same file read three ways
SELECT (SELECT count(*) FROM sales) AS a, (SELECT sum(quantity) FROM sales WHERE id < 100) AS b, (SELECT max(id)
  FROM sales) AS c;
