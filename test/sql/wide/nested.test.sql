-- JSON, lists, structs and maps.

-- fields of documents
SELECT body->>'kind' AS kind, count(*) AS n, avg((body->'author'->>'age')::INT) AS age FROM docs GROUP BY 1 ORDER BY
  1;

-- types of json values
SELECT json_type(body, '$.meta') AS t, json_array_length(body, '$.words') AS l, count(*) AS n FROM docs GROUP BY ALL
  ORDER BY ALL;

-- json booleans
SELECT count(*) AS n FROM docs WHERE (body->>'draft')::BOOLEAN AND NOT json_contains(body, '{"kind": "note"}');

-- json to a struct
SELECT s.author.name AS a, sum(s.id) AS i FROM (SELECT json_transform(body,
  '{"id": "INTEGER", "author": {"name": "VARCHAR"}}') AS s FROM docs) GROUP BY 1 ORDER BY 1;

-- json arrays unnested
SELECT w, count(*) AS n FROM (SELECT unnest(json_extract(body, '$.words[*]')) AS w FROM docs) GROUP BY 1 ORDER BY 1;

-- json made and read again
SELECT json_extract(to_json({'a': doc_id, 'b': tags}), '$.b[0]') AS b, count(*) AS n FROM docs GROUP BY 1 ORDER BY 1
  NULLS FIRST;

-- json merged
SELECT json_merge_patch(body, '{"kind": null, "x": 1}')->>'x' AS x, count(*) AS n FROM docs GROUP BY 1;

-- json group array ordered
SELECT doc_id % 3 AS g, to_json(list(doc_id ORDER BY doc_id)) AS ids FROM docs WHERE doc_id < 30 GROUP BY 1 ORDER BY
  1;

-- json group object
SELECT json_array_length(json_group_array(meta.size)) AS o FROM docs WHERE doc_id < 6;

-- json equality as text
SELECT body->'author' AS a, count(*) AS n FROM docs GROUP BY 1 ORDER BY n DESC, a::VARCHAR LIMIT 8;

-- join on json fields
SELECT count(*) AS n FROM docs a JOIN docs b ON a.body->'author'->>'name' = b.meta.author AND a.doc_id <> b.doc_id;

-- tags counted
SELECT tag, count(*) AS n FROM (SELECT unnest(tags) AS tag FROM docs) GROUP BY tag ORDER BY n DESC, tag;

-- tags with their documents
SELECT tag, list(doc_id ORDER BY doc_id) AS ids, min(meta.size) AS s FROM (SELECT doc_id, meta, unnest(tags) AS tag
  FROM docs) GROUP BY tag ORDER BY tag;

-- tags by lateral unnest
SELECT t.tag, count(*) AS n FROM docs d, unnest(d.tags) AS t(tag) GROUP BY 1 ORDER BY 1;

-- tags by left lateral unnest
SELECT d.doc_id, t.tag FROM docs d LEFT JOIN LATERAL (SELECT unnest(d.tags) AS tag) t ON TRUE WHERE d.doc_id < 20
  ORDER BY 1, 2;

-- pairs of tags
SELECT a.tag AS x, b.tag AS y, count(*) AS n FROM (SELECT doc_id, unnest(tags) AS tag FROM docs) a JOIN (SELECT
  doc_id, unnest(tags) AS tag FROM docs) b ON a.doc_id = b.doc_id AND a.tag < b.tag GROUP BY ALL ORDER BY ALL;

-- list functions
SELECT doc_id, list_sort(scores), list_reverse_sort(scores), list_sum(scores), list_avg(scores), list_max(scores),
  list_distinct(scores), list_position(scores, 3), scores[1], scores[-1], scores[1:2], list_concat(scores, [9]),
  array_length(scores), list_any_value(tags), flatten(grid), list_zip(scores, tags) FROM docs WHERE doc_id % 37 = 2
  ORDER BY 1;

-- lambdas
SELECT doc_id, list_transform(scores, lambda x: x * 2 + doc_id) AS a, list_filter(scores, lambda x: x > 5) AS b, [x
  + 1 FOR x IN scores IF x % 2 = 0] AS c, list_transform(tags, lambda t, i: t || i) AS d FROM docs WHERE doc_id % 41
  = 5 ORDER BY 1;

-- list_reduce
SELECT doc_id, list_reduce(scores, lambda a, b: a + b) AS s, list_reduce(list_concat([0], scores), lambda a, b, i: a
  * 2 + b - i) AS t FROM docs WHERE doc_id % 29 = 1 ORDER BY 1;

-- reduce with a first value and a capture
SELECT doc_id, list_reduce(scores, lambda a, b: a + b * doc_id, 100) AS s FROM docs WHERE doc_id % 31 = 4 ORDER BY
  1;

-- nested lambdas
SELECT doc_id, list_transform(grid, lambda g: list_transform(g, lambda x: x + len(g))) AS g FROM docs WHERE doc_id %
  50 = 3 ORDER BY 1;

-- aggregate over unnested structs
SELECT p.name, sum(p.qty) AS q, count(*) AS n FROM (SELECT unnest(parts) AS p FROM docs) GROUP BY 1 ORDER BY 1;

-- recursive unnest of structs
SELECT name, count(qty) AS n FROM (SELECT unnest(parts, recursive := true) FROM docs) GROUP BY 1 ORDER BY 1;

-- unnest of a struct into columns
SELECT author, max(size) AS m FROM (SELECT unnest(meta) FROM docs) GROUP BY author ORDER BY author;

-- two unnests side by side
SELECT doc_id, unnest(scores) AS s, unnest(tags) AS t FROM docs WHERE doc_id < 9 ORDER BY doc_id, s, t;

-- unnest with a position
SELECT doc_id, unnest(scores) AS s, generate_subscripts(scores, 1) AS i FROM docs WHERE doc_id BETWEEN 30 AND 34
  ORDER BY 1, 3;

-- unnest of a range made of a column
SELECT doc_id, unnest(range(doc_id % 4)) AS r FROM docs WHERE doc_id < 10 ORDER BY 1, 2;

-- group by a list
SELECT tags, count(*) AS n FROM docs GROUP BY tags ORDER BY n DESC, tags NULLS LAST;

-- group by a struct and a map
SELECT {'a': meta.author, 'p': doc_id % 2} AS k, count(*) AS n FROM docs GROUP BY 1 ORDER BY 1;

-- group by a map
SELECT map_extract(kv, 'all')[1] AS a, count(*) AS n, max(cardinality(kv)) AS c FROM docs GROUP BY 1 ORDER BY 1;

-- join on a list
SELECT count(*) AS n FROM docs a JOIN docs b ON a.tags = b.tags AND a.doc_id < b.doc_id;

-- join on a struct
SELECT count(*) AS n FROM (SELECT {'x': doc_id % 5, 'y': meta.author} AS k FROM docs) a JOIN (SELECT {'x': doc_id %
  7, 'y': meta.author} AS k FROM docs) b USING (k);

-- distinct structs and lists
SELECT DISTINCT meta.labels AS l, parts[1] AS p FROM docs ORDER BY ALL;

-- min and max of lists and structs
SELECT min(scores) AS a, max(tags) AS b, max(meta) AS c, min(parts[1]) AS d, arg_max(doc_id, scores) AS e FROM docs;

-- map functions
SELECT doc_id, map_keys(kv), map_values(kv), map_entries(kv), kv['all'], element_at(kv, 'k1'), map_concat(kv, MAP
  {'z': 1}) FROM docs WHERE doc_id % 43 = 6 ORDER BY 1;

-- maps made by aggregates
SELECT doc_id % 2 AS g, map_from_entries(list((doc_id, meta.size) ORDER BY doc_id)) AS m FROM docs WHERE doc_id < 12
  GROUP BY 1 ORDER BY 1;

-- histogram and map of counts
SELECT meta.author AS a, histogram(doc_id % 3) AS h FROM docs GROUP BY 1 ORDER BY 1;

-- struct functions
SELECT struct_pack(a := doc_id, b := tags) AS s, struct_insert(meta, extra := doc_id * 2) AS i, struct_extract(meta,
  'size') AS z, row(doc_id, 'x') AS r FROM docs WHERE doc_id % 53 = 9 ORDER BY doc_id;

-- struct cast by name
SELECT meta::STRUCT(size BIGINT, author VARCHAR) AS m FROM docs WHERE doc_id < 4 ORDER BY doc_id;

-- arrays of fixed size
SELECT doc_id, array_inner_product(vec::FLOAT[3], [1, 2, 3]::FLOAT[3]) AS p, array_distance(vec::FLOAT[3], [0, 0,
  0]::FLOAT[3]) AS d FROM docs ORDER BY d, doc_id LIMIT 12;

-- nearest vectors
SELECT a.doc_id, b.doc_id AS other, array_cosine_similarity(a.vec::FLOAT[3], b.vec::FLOAT[3]) AS c FROM docs a JOIN
  docs b ON a.doc_id < b.doc_id AND b.doc_id < 9 ORDER BY c DESC, 1, 2 LIMIT 9;

-- lists compared and contained
SELECT count(*) FILTER (scores > [5]) AS a, count(*) FILTER (list_has_all(tags, ['tag1', 'tag2'])) AS b, count(*)
  FILTER ('tag3' IN tags) AS c, count(*) FILTER (scores && [3, 4]) AS d FROM docs;

-- list aggregates by name
SELECT list_aggregate(scores, 'max') AS m, list_aggregate(tags, 'string_agg', '/') AS s, count(*) AS n FROM docs
  WHERE doc_id < 25 GROUP BY ALL ORDER BY ALL;

-- list of structs built in groups
SELECT meta.author AS a, list({'id': doc_id, 'size': meta.size} ORDER BY meta.size DESC, doc_id)[1:2] AS top FROM
  docs GROUP BY 1 ORDER BY 1;

-- list slices and steps
SELECT list_slice(range(doc_id % 10 + 3), 1, -1, 2) AS a, (range(doc_id % 5))[2:] AS b FROM docs WHERE doc_id < 6
  ORDER BY doc_id;

-- strings and lists
SELECT array_to_string(tags, ',') AS s, string_split('a-b-' || doc_id, '-') AS p,
  list_transform(string_split(meta.author, ''), lambda c: upper(c)) AS u FROM docs WHERE doc_id % 60 = 8 ORDER BY
  doc_id;

-- exists over a list
SELECT doc_id FROM docs d WHERE EXISTS (SELECT 1 FROM (SELECT unnest(d.scores) AS s) x WHERE x.s > 200) ORDER BY 1;

-- sum over a correlated unnest
SELECT doc_id, (SELECT sum(s) FROM (SELECT unnest(d.scores) AS s)) AS total FROM docs d WHERE doc_id < 15 ORDER BY
  1;

-- typed nested results through a shuffle
SELECT meta.author AS a, list(scores ORDER BY doc_id) AS l, list(meta.labels ORDER BY doc_id)[1] AS x, list(vec
  ORDER BY doc_id)[1:1] AS v, first(kv ORDER BY doc_id) AS f FROM docs WHERE doc_id < 40 GROUP BY 1 ORDER BY 1;

-- unions
-- whole
SELECT u.num AS n, union_tag(u) AS t, count(*) AS c FROM (SELECT CASE WHEN doc_id % 2 = 0 THEN union_value(num :=
  doc_id % 3) ELSE union_value(str := 'x')::UNION(num INTEGER, str VARCHAR) END AS u FROM docs) GROUP BY ALL ORDER
  BY ALL;

-- enums as keys
SELECT (body->>'kind')::ENUM('note', 'page', 'post') AS k, count(*) AS n FROM docs GROUP BY 1 ORDER BY 1;

-- variant
SELECT count(*) AS n FROM (SELECT doc_id::VARIANT AS v FROM docs) WHERE v::INTEGER > 100;

-- nested case and coalesce
SELECT coalesce(list_first(tags), meta.labels[1], 'none') AS k, CASE WHEN tags IS NULL THEN 'n' WHEN len(tags) = 0
  THEN 'e' ELSE 'f' END AS c, count(*) AS n FROM docs GROUP BY ALL ORDER BY ALL;

-- quantiles of lists by window
SELECT doc_id, avg(list_sum(scores)) OVER (ORDER BY doc_id ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS a FROM docs
  ORDER BY doc_id LIMIT 20;

-- list in a window
SELECT doc_id, list(doc_id) OVER (PARTITION BY meta.author ORDER BY doc_id ROWS 2 PRECEDING) AS l FROM docs ORDER BY
  doc_id LIMIT 20;

-- list grouped, positions and bool
SELECT list_grade_up(scores) AS g, list_bool_and([s > 0 FOR s IN scores]) AS b, list_where(scores, [TRUE, FALSE,
  TRUE]) AS w, list_resize(scores, 5, 0) AS r FROM docs WHERE doc_id % 70 = 1 ORDER BY doc_id;
