-- Lists, structs, maps, unions, lambdas and JSON.


-- nested columns come through as they are
SELECT * FROM nested;

-- nested columns through a group
SELECT id % 2 AS odd, list(pair ORDER BY id) AS structs, list(dict ORDER BY id) AS maps, list(days
  ORDER BY id) AS dates FROM nested
  GROUP BY 1;

-- fields, elements, slices
SELECT id, pair.a AS a, pair['b c'] AS b, nums[1] AS c, nums[-1] AS d, nums[2:3] AS e, dict['x'] AS f,
  pairs[1].y AS g, deep[1][1] AS h
  FROM nested;

-- UNNEST of a list
-- spread
SELECT id, unnest(nums) AS x FROM nested;

-- UNNEST of two lists side by side
SELECT id, unnest(nums) AS x, unnest(words) AS w FROM nested;

-- UNNEST of a struct, recursive
SELECT id, unnest(pairs, recursive := true) FROM nested;

-- UNNEST as a table, with its place
SELECT n.id, u.x, u.i FROM nested n, UNNEST(n.nums) WITH ORDINALITY u(x, i);

-- a group over an unnested list
SELECT w, count(*) AS n FROM (SELECT unnest(words) AS w FROM nested) GROUP BY w;

-- list functions
SELECT id, len(nums) AS a, list_contains(nums, 5) AS b, list_position(nums, 5) AS c, list_sort(nums) AS d,
  list_distinct(nums) AS e,
  list_concat(nums, [9]) AS f, list_reverse(words) AS g, array_to_string(words, '+') AS h, flatten(deep) AS i
  FROM nested;

-- list aggregates
SELECT id, list_sum(nums) AS a, list_max(nums) AS b, list_aggregate(words, 'string_agg', '|') AS c,
  list_count(nums) AS d,
  list_avg(money) AS e, list_sum(money) AS f FROM nested;

-- a lambda over a list
SELECT id, list_transform(nums, lambda x: x * 10 + id) AS a, list_filter(words, lambda w: w IS NOT NULL
  AND w > 'a') AS b,
  list_transform(words, lambda w, i: w || i) AS c FROM nested;

-- a lambda that reduces
-- spread
SELECT id, list_reduce(list_filter(nums, lambda x: x IS NOT NULL), lambda a, b: a * 2 + b) AS r FROM nested
  WHERE id <> 3;

-- a comprehension, and lambdas inside lambdas
SELECT id, [x + 1 FOR x IN nums IF x > 1] AS a, list_transform(deep, lambda d: list_transform(d,
  lambda x: x * 2)) AS b FROM nested;

-- building lists, structs and maps
SELECT id, [id, age] AS a, {'n': name, 'in': {'p': pay}} AS b, MAP {team: id} AS c, MAP([id], [name]) AS d,
  row(id, name) > row(7, 'a') AS e FROM people
  WHERE team IS NOT NULL;

-- struct functions
SELECT id, struct_insert(pair, z := 1) AS a, struct_extract(pair, 'a') AS b FROM nested;

-- map functions
SELECT id, map_keys(dict) AS a, map_values(dict) AS b, cardinality(dict) AS c, map_contains(dict, 'x') AS d,
  map_entries(dict) AS e FROM nested;

-- maps whose keys are numbers and dates
SELECT MAP {1: 'a', 2: NULL} AS a, MAP {DATE '2024-01-01': [1]} AS b, MAP {1.5: TRUE} AS c FROM single;

-- an array of fixed size
SELECT id, [id, 2, 3]::INTEGER[3] AS a, array_distance([id, 0]::FLOAT[2], [0, 4]::FLOAT[2]) AS b FROM nested;

-- arrays through a group
SELECT [id % 2, 7]::INTEGER[2] AS a, count(*) AS n FROM nested GROUP BY a;

-- a union of types
SELECT id, u, union_tag(u)::VARCHAR AS tag FROM (
  SELECT id, CASE WHEN id % 2 = 0 THEN union_value(n := id)::UNION(n INTEGER, s VARCHAR) ELSE 'odd'::UNION(n INTEGER,
  s VARCHAR) END AS u
  FROM nested);

-- JSON by path
SELECT id, doc->'a' AS a, doc->>'$.b[1]' AS b, json_extract(doc, '$.b') AS c, json_array_length(doc, 'b') AS d,
  json_type(doc) AS e,
  doc FROM kinds;

-- JSON from values, and back
SELECT id, to_json(pair) AS a, json_object('id', id, 'list', nums) AS b, from_json('{"p": ' || id || '}',
  '{"p": "INTEGER"}') AS c FROM nested;

-- JSON aggregates
SELECT json_group_array(active) AS a, json_group_object('id', id) AS b, to_json(list(name ORDER BY id)) AS c
  FROM people
  WHERE id % 3 = 0 GROUP BY id // 3;

-- empty lists, NULL lists, lists of NULL
SELECT [] AS a, NULL::INTEGER[] AS b, [NULL] AS c, [[]] AS d, [NULL::VARCHAR[]] AS e, MAP {} AS f FROM single;

-- text in nested values that needs quotes
SELECT ['a"b', 'c''d', 'e\f', E'g\nh', '{}', 'ü∑', ''] AS a, {'k"': 'v,'} AS b, MAP {'a=b': 'c"'} AS c FROM single;

-- floats and large numbers in nested values
SELECT [1.5::DOUBLE, 'nan', 'inf', -0.1] AS a, [9007199254740993, NULL] AS b,
  [170141183460469231731687303715884105727] AS c,
  {'d': 1.10::DECIMAL(5,2)} AS d FROM single;

-- times in nested values
SELECT [DATE '2024-02-29', NULL] AS a, [TIMESTAMP '2024-02-29 01:02:03.5'] AS b, {'t': TIME '23:59:59.000001'} AS c,
  [INTERVAL '1 month 2 days 03:00:00'] AS d, [TIMESTAMPTZ '2024-03-31 01:00:00+00'] AS e FROM single;

-- list comparison and order
SELECT a.id, b.id AS other FROM nested a JOIN nested b ON a.nums = b.nums AND a.pair IS NOT DISTINCT FROM b.pair;

-- lists of text that are the same in many rows cross an exchange
SELECT id, ['-4', '-2', NULL] AS l, {'a': ['xxxxxx', 'y']} AS s FROM sales WHERE id < 2000 ORDER BY id;

-- lists of text from a cross product
SELECT p.id, n.words FROM people p, nested n WHERE n.id = 1 ORDER BY p.id;

-- types with parameters inside of nested types
SELECT ['b', 'a']::ENUM('a', 'b')[] AS a, {'k': 'a'}::STRUCT(k ENUM('a', 'b')) AS b, [1.25]::DECIMAL(5,1)[] AS c,
  CAST(MAP {'x': ['a']} AS MAP(VARCHAR, ENUM('a', 'b')[])) AS d FROM single;
