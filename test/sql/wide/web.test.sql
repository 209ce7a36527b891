-- Web analytics: one wide table, strings, top lists, sessions.

-- count
SELECT count(*) AS n FROM hits;

-- count with a filter
SELECT count(*) AS n FROM hits WHERE engine <> 0;

-- several sums
SELECT sum(engine) AS a, count(*) AS n, avg(width) AS w, sum(bytes) AS b, avg(bytes) AS ab FROM hits;

-- average of a big key
SELECT avg(hit_id) AS a, sum(hit_id) AS s, sum(user_id) AS u FROM hits;

-- distinct users and phrases
SELECT count(DISTINCT user_id) AS u, count(DISTINCT phrase) AS p, count(DISTINCT session_id) AS s FROM hits;

-- first and last day
SELECT min(ts)::DATE AS f, max(ts)::DATE AS l FROM hits;

-- by engine
SELECT engine, count(*) AS n FROM hits WHERE engine <> 0 GROUP BY engine ORDER BY n DESC, engine;

-- by region with distinct users
SELECT region_id, count(DISTINCT user_id) AS u, sum(engine) AS e, count(*) AS c, avg(width) AS w FROM hits GROUP BY
  1 ORDER BY c DESC, region_id LIMIT 10;

-- by phrase
SELECT phrase, count(*) AS c FROM hits WHERE phrase <> '' GROUP BY 1 ORDER BY c DESC, phrase LIMIT 10;

-- by phrase and engine
SELECT engine, phrase, count(*) AS c, count(DISTINCT user_id) AS u FROM hits WHERE phrase <> '' GROUP BY ALL ORDER
  BY c DESC, 1, 2 LIMIT 10;

-- users with most hits
SELECT user_id, count(*) AS c FROM hits GROUP BY user_id ORDER BY c DESC, user_id LIMIT 10;

-- by user, minute and phrase
SELECT user_id, extract(minute FROM ts) AS m, phrase, count(*) AS c FROM hits GROUP BY ALL ORDER BY c DESC, 1, 2, 3
  LIMIT 10;

-- point look-up
SELECT user_id, hit_id, url FROM hits WHERE user_id = 144 ORDER BY hit_id;

-- like on urls
SELECT count(*) AS n FROM hits WHERE url LIKE '%search%';

-- like with a group and min of a text
SELECT phrase, min(url) AS u, count(*) AS c FROM hits WHERE url LIKE '%item%' AND phrase <> '' GROUP BY 1 ORDER BY c
  DESC, 1;

-- title and not like
SELECT phrase, min(url) AS u, min(title) AS t, count(*) AS c, count(DISTINCT user_id) AS d FROM hits WHERE title
  LIKE '%Ünï 1%' AND url NOT LIKE '%.shop.%' AND phrase <> '' GROUP BY 1 ORDER BY c DESC, 1;

-- whole rows ordered
SELECT * FROM hits WHERE url LIKE '%blog%' ORDER BY ts, hit_id LIMIT 10;

-- phrases by time
SELECT phrase FROM hits WHERE phrase <> '' ORDER BY ts, phrase LIMIT 10;

-- length of urls by host
SELECT regexp_extract(url, '^https?://(?:www\.)?([^/]+)/.*$', 1) AS h, avg(length(url)) AS l, count(*) AS c,
  min(url) AS m FROM hits GROUP BY 1 HAVING count(*) > 50 ORDER BY l DESC, h;

-- referrer domains
SELECT regexp_replace(referrer, '^https?://(?:www\.)?([^/]+)/.*$', '\1') AS k, count(*) AS c, min(referrer) AS r
  FROM hits WHERE referrer <> '' GROUP BY 1 ORDER BY c DESC, k;

-- ninety sums of one column
SELECT sum(width), sum(width + 1), sum(width + 2), sum(width + 3), sum(width + 4), sum(width + 5), sum(width + 6),
  sum(width + 7), sum(width + 8), sum(width + 9) FROM hits;

-- grouped by constants and expressions
SELECT 1 AS one, url, count(*) AS c FROM hits GROUP BY 1, url ORDER BY c DESC, url LIMIT 5;

-- grouped by a column and what follows from it
SELECT region_id, region_id - 1 AS a, region_id - 2 AS b, count(*) AS c FROM hits GROUP BY ALL ORDER BY c DESC, 1
  LIMIT 10;

-- page views by minute
SELECT date_trunc('minute', ts) AS m, count(*) AS n FROM hits WHERE ts >= '2024-05-02' AND ts < '2024-05-02 03:00'
  GROUP BY 1 ORDER BY 1 LIMIT 20 OFFSET 5;

-- traffic sources
SELECT engine, CASE WHEN engine = 0 AND phrase = '' THEN referrer ELSE '' END AS src, url AS dst, count(*) AS n FROM
  hits GROUP BY ALL ORDER BY n DESC, 1, 2, 3 LIMIT 10 OFFSET 3;

-- screen sizes
SELECT width, height, count(*) AS n FROM hits WHERE country = 'DE' AND is_mobile GROUP BY 1, 2 ORDER BY n DESC, 1
  LIMIT 10;

-- sessions by a gap of 30 minutes
WITH g AS (SELECT user_id, ts, ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) > INTERVAL 30 MINUTE AS fresh
  FROM hits), s AS (SELECT user_id, ts, sum(coalesce(fresh, TRUE)::INTEGER) OVER (PARTITION BY user_id ORDER BY ts)
  AS session FROM g) SELECT user_id, max(session) AS sessions, count(*) AS n FROM s GROUP BY 1 ORDER BY 1;

-- bounce rate
WITH s AS (SELECT session_id, count(*) AS n, max(ts) - min(ts) AS took FROM hits WHERE session_id IS NOT NULL GROUP
  BY 1) SELECT count(*) AS all_sessions, count(*) FILTER (n = 1) AS bounced, avg(n) AS mean, max(took) AS longest,
  avg(epoch(took)) AS seconds FROM s;

-- entry and exit pages
SELECT session_id, arg_min(url, hit_id) AS entry, arg_max(url, hit_id) AS exit FROM hits WHERE user_id < 40 GROUP BY
  1 ORDER BY 1 NULLS LAST;

-- status by class
SELECT status // 100 * 100 AS class, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS pct FROM
  hits GROUP BY 1 ORDER BY 1;

-- error rate over time, only hours with errors
SELECT time_bucket(INTERVAL '6 hours', ts) AS b, sum((status >= 500)::INT) / count(*) AS rate FROM hits GROUP BY 1
  HAVING rate > 0 ORDER BY 1;

-- percentiles of durations
SELECT browser, quantile_cont(duration_ms, [0.5, 0.9, 0.99]) AS q, median(duration_ms) AS m, mad(duration_ms) AS d
  FROM hits GROUP BY 1 ORDER BY 1;

-- parameters of a url
SELECT regexp_extract(url, 'page=(\d+)', 1)::INTEGER AS p, count(*) AS n FROM hits WHERE url LIKE '%page=%' GROUP BY
  1 ORDER BY 1;

-- decoded search words
SELECT lower(url_decode(regexp_extract(url, 'q=([^&]*)', 1))) AS q, count(*) AS n FROM hits WHERE contains(url,
  'search') GROUP BY 1 ORDER BY 2 DESC, 1;

-- path pieces
SELECT split_part(split_part(url, '://', 2), '/', 2) AS piece, count(*) AS n, count(DISTINCT user_id) AS u FROM hits
  GROUP BY 1 ORDER BY 2 DESC, 1;

-- words of phrases
SELECT w, count(*) AS n FROM (SELECT unnest(string_split(lower(phrase), ' ')) AS w FROM hits WHERE phrase <> '')
  GROUP BY w ORDER BY n DESC, w;

-- words of phrases, lateral
SELECT u.w, count(*) AS n FROM hits h, unnest(string_split(h.phrase, ' ')) AS u(w) WHERE h.phrase <> '' GROUP BY u.w
  ORDER BY 2 DESC, 1;

-- versions of agents as numbers
SELECT max(CAST(regexp_extract(user_agent, 'V/(\d+)', 1) AS INTEGER)) AS v, os, browser FROM hits GROUP BY os,
  browser ORDER BY 2, 3;

-- agent families
SELECT CASE WHEN user_agent ILIKE '%iphone%' THEN 'ios' WHEN user_agent ILIKE '%windows%' THEN 'win' WHEN
  regexp_matches(user_agent, 'X11|Linux') THEN 'linux' ELSE 'other' END AS family, count(*) AS n,
  avg(bytes)::DECIMAL(12,2) AS b FROM hits GROUP BY 1 ORDER BY 1;

-- masked addresses
SELECT regexp_replace(ip, '\.\d+$', '.0') AS net, count(*) AS n FROM hits GROUP BY 1 ORDER BY n DESC, net LIMIT 12;

-- parts of addresses
SELECT split_part(ip, '.', 2)::INT AS b, max(string_split(ip, '.')[4]::INT) AS d, min(list_extract(string_split(ip,
  '.'), -1)) AS e FROM hits GROUP BY 1 ORDER BY 1;

-- hashes and encodings
SELECT md5(url) AS m, sha256(title) AS s, to_base64(encode(browser)) AS b, hex(region_id) AS h FROM hits WHERE
  hit_id < 5000000012 ORDER BY hit_id;

-- string functions
SELECT hit_id, reverse(browser), left(url, 12), right(url, 4), lpad(os::VARCHAR, 3, '0'), repeat(browser, 2),
  instr(url, 'site'), strlen(title), bit_length(title), translate(ip, '.', ':'), ascii(title), trim('  ' ||
  browser), starts_with(url, 'https'), suffix(url, '3'), levenshtein(browser, 'ch'), jaccard(browser, 'ff') FROM
  hits WHERE hit_id % 500 = 3 ORDER BY 1;

-- formatted text
SELECT format('{}-{:03d}', browser, region_id) AS f, printf('%s/%d', country, os) AS p, concat_ws('|', browser,
  country, NULL, os) AS c FROM hits WHERE hit_id % 700 = 1 ORDER BY hit_id;

-- top pages of every browser
SELECT browser, url, n FROM (SELECT browser, url, count(*) AS n, dense_rank() OVER (PARTITION BY browser ORDER BY
  count(*) DESC, url) AS r FROM hits GROUP BY 1, 2) WHERE r <= 3 ORDER BY browser, n DESC, url;

-- next page of each page
SELECT p.page, p.next, count(*) AS n FROM (SELECT split_part(url, '/', 4) AS page, lead(split_part(url, '/', 4))
  OVER (PARTITION BY session_id ORDER BY hit_id) AS next FROM hits WHERE session_id IS NOT NULL) p GROUP BY ALL
  ORDER BY n DESC, 1, 2;

-- new and returning users a day
WITH f AS (SELECT user_id, min(ts::DATE) AS d FROM hits GROUP BY 1) SELECT h.ts::DATE AS day, count(DISTINCT
  h.user_id) FILTER (f.d = h.ts::DATE) AS fresh, count(DISTINCT h.user_id) FILTER (f.d < h.ts::DATE) AS back FROM
  hits h JOIN f USING (user_id) GROUP BY 1 ORDER BY 1;

-- rolling distinct by self join
SELECT d.day, count(DISTINCT h.user_id) AS week FROM (SELECT DISTINCT ts::DATE AS day FROM hits) d JOIN hits h ON
  h.ts::DATE BETWEEN d.day - 2 AND d.day GROUP BY 1 ORDER BY 1;

-- rows of a day and hour
SELECT dayname(ts) AS d, hour(ts) AS h, count(*) AS n FROM hits GROUP BY ALL HAVING n > 18 ORDER BY ALL;

-- epoch arithmetic
SELECT epoch(ts)::BIGINT // 3600 AS h, epoch_ms(min(ts)) AS m, count(*) AS n FROM hits WHERE user_id BETWEEN 100 AND
  130 GROUP BY 1 ORDER BY 1;

-- unsigned and float columns
SELECT country, sum(bytes) AS s, max(bytes) AS m, avg(score) AS a, sum(score) > 0 AS p, min(score) AS lo,
  max(bytes::HUGEINT * 1000000000000) AS huge FROM hits GROUP BY 1 ORDER BY 1;

-- case-insensitive groups
SELECT lower(phrase) AS p, list(DISTINCT phrase ORDER BY phrase) AS spelled FROM hits WHERE phrase <> '' GROUP BY 1
  ORDER BY 1;

-- url of an in list
SELECT count(*) AS n FROM hits WHERE url IN ('https://site2.example/', 'https://www.site0.example/', 'nope') OR
  referrer IN (SELECT DISTINCT referrer FROM hits WHERE os = 3);

-- limit without order counts right
SELECT count(*) AS n FROM (SELECT hit_id FROM hits LIMIT 37);

-- distinct pairs counted
SELECT count(*) AS n FROM (SELECT DISTINCT user_id, browser, os FROM hits);

-- counts of counts
SELECT n, count(*) AS users FROM (SELECT user_id, count(*) AS n FROM hits GROUP BY 1) GROUP BY n ORDER BY n;

-- entropy of browsers
SELECT entropy(browser) AS e, kurtosis(duration_ms) AS k, skewness(duration_ms) AS s, sem(duration_ms) AS m FROM
  hits;

-- similar titles
SELECT t, count(*) AS n FROM (SELECT DISTINCT title AS t FROM hits WHERE title IS NOT NULL) WHERE
  jaro_winkler_similarity(t, 'Page 3 – Ünï 1') > 0.95 GROUP BY 1 ORDER BY 1;

-- min and max of several types
SELECT min(title), max(is_mobile), min(bytes), max(ts), min(score), max(status), min(os), max(session_id) FROM hits
  WHERE os > 1;

-- null-safe comparison of columns
SELECT count(*) AS n FROM hits a JOIN hits b ON a.country IS NOT DISTINCT FROM b.country AND a.hit_id = b.hit_id +
  6;

-- distinct filter and order in one aggregate
SELECT os, string_agg(DISTINCT browser, '+' ORDER BY browser) FILTER (WHERE status < 400) AS b FROM hits GROUP BY 1
  ORDER BY 1;

-- regular expression lists
SELECT regexp_extract_all(url, '[a-z]+') AS words, len(regexp_split_to_array(url, '/')) AS n FROM hits WHERE hit_id
  % 601 = 0 ORDER BY hit_id;

-- date functions
SELECT DISTINCT strftime(ts, '%Y-%m-%d %H') AS h, dayofyear(ts) AS d, isodow(ts) AS w, century(ts) AS c,
  last_day(ts) AS l, yearweek(ts) AS yw FROM hits WHERE hit_id % 400 = 0 ORDER BY 1;
