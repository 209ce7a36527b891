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


-- a CSV table with options of its own
SELECT * FROM csvs.main.prices;

-- a CSV table with options in a group
SELECT day, count(*) AS n, sum(price) AS total, min(note) AS note FROM csvs.main.prices GROUP BY day;

-- a compressed JSON array with columns of its own
SELECT * FROM jsons.main.items;

-- a compressed JSON array in a group
SELECT seen::DATE AS day, max(id) AS id, count(tags) AS n FROM jsons.main.items GROUP BY ALL;

-- files of one table with other columns
SELECT id, name, s, added FROM grown;

-- an absent column is NULL in a filter and in a group
-- spread
SELECT added IS NULL AS absent, name, count(*) AS n, sum(id) AS ids FROM grown WHERE s.a IS NOT NULL OR id > 3
  GROUP BY ALL;

-- a widened column in a filter
SELECT id, added FROM grown WHERE id > 40;

-- widened columns in a join
SELECT g.id, g.name, h.added, h.s.b AS b FROM grown g JOIN grown h ON g.id = h.id WHERE h.added < 2;

-- the types of columns that were widened
SELECT column_name, column_type FROM (DESCRIBE grown);

-- statistics of files that differ
SELECT min(id) AS low, max(id) AS high, min(added) AS a, max(added) AS b, count(name) AS n, count(*) AS rows FROM grown;
