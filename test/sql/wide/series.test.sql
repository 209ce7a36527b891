-- Time series: gaps, buckets, as-of joins, intervals, daylight saving.

-- buckets of an hour
SELECT time_bucket(INTERVAL 1 HOUR, ts) AS b, sensor_id, avg(value) AS a, min(value) AS lo, max(value) AS hi,
  count(*) AS n FROM readings GROUP BY ALL ORDER BY ALL;

-- buckets with an origin
SELECT time_bucket(INTERVAL 7 HOUR, ts, TIMESTAMP '2024-03-29 23:00:00') AS b, count(*) AS n FROM readings GROUP BY
  1 ORDER BY 1;

-- gaps filled by a series
WITH g AS (SELECT unnest(generate_series(TIMESTAMP '2024-03-30 00:00:00', TIMESTAMP '2024-03-31 00:00:00', INTERVAL
  1 HOUR)) AS h) SELECT g.h, count(r.value) AS n, avg(r.value) AS a FROM g LEFT JOIN readings r ON r.ts >= g.h AND
  r.ts < g.h + INTERVAL 1 HOUR AND r.sensor_id = 4 GROUP BY 1 ORDER BY 1;

-- gaps filled by a table function
SELECT h, coalesce(n, 0) AS n FROM generate_series(TIMESTAMP '2024-03-30', TIMESTAMP '2024-03-31', INTERVAL 2 HOUR)
  AS s(h) LEFT JOIN (SELECT time_bucket(INTERVAL 2 HOUR, ts) AS b, count(*) AS n FROM readings GROUP BY 1) r ON r.b
  = s.h ORDER BY h;

-- holes longer than an hour
SELECT sensor_id, before, ts, ts - before AS hole FROM (SELECT sensor_id, ts, lag(ts) OVER (PARTITION BY sensor_id
  ORDER BY ts) AS before FROM readings) WHERE ts - before > INTERVAL 1 HOUR ORDER BY 1, 2;

-- islands of quality
WITH x AS (SELECT sensor_id, ts, quality > 0 AS good, row_number() OVER (PARTITION BY sensor_id ORDER BY ts) -
  row_number() OVER (PARTITION BY sensor_id, quality > 0 ORDER BY ts) AS g FROM readings) SELECT sensor_id, good,
  min(ts) AS f, max(ts) AS l, count(*) AS n FROM x GROUP BY sensor_id, good, g HAVING count(*) > 3 ORDER BY 1, 3, 2;

-- last value carried forward
SELECT sensor_id, ts, last_value(value IGNORE NULLS) OVER (PARTITION BY sensor_id ORDER BY ts ROWS BETWEEN UNBOUNDED
  PRECEDING AND CURRENT ROW) AS v FROM readings WHERE sensor_id IN (1, 5) ORDER BY 1, 2;

-- interpolated values
SELECT sensor_id, ts, fill(value) OVER (PARTITION BY sensor_id ORDER BY ts) AS v FROM readings WHERE sensor_id = 2
  ORDER BY ts;

-- moving average by rows
SELECT sensor_id, ts, avg(value) OVER (PARTITION BY sensor_id ORDER BY ts ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)
  AS a FROM readings ORDER BY 1, 2;

-- moving average by time
SELECT sensor_id, ts, count(*) OVER w AS n, max(value) OVER w AS m FROM readings WHERE sensor_id < 4 WINDOW w AS
  (PARTITION BY sensor_id ORDER BY ts RANGE BETWEEN INTERVAL 30 MINUTE PRECEDING AND INTERVAL 30 MINUTE FOLLOWING)
  ORDER BY 1, 2;

-- difference to the previous hour
WITH h AS (SELECT sensor_id, date_trunc('hour', ts) AS h, avg(value) AS a FROM readings GROUP BY 1, 2) SELECT
  sensor_id, h, a - lag(a) OVER (PARTITION BY sensor_id ORDER BY h) AS d FROM h ORDER BY 1, 2;

-- alerts active at each reading
SELECT r.sensor_id, count(*) AS n, max(a.level) AS worst FROM readings r JOIN alerts a ON a.sensor_id = r.sensor_id
  AND r.ts BETWEEN a.from_at AND coalesce(a.to_at, TIMESTAMP '2024-04-02') GROUP BY 1 ORDER BY 1;

-- overlapping alerts
SELECT a.sensor_id, a.from_at, b.from_at AS other FROM alerts a JOIN alerts b ON a.sensor_id = b.sensor_id AND
  a.from_at < b.from_at AND b.from_at < coalesce(a.to_at, 'infinity'::TIMESTAMP) ORDER BY ALL;

-- merged intervals
WITH o AS (SELECT *, max(to_at) OVER (PARTITION BY level ORDER BY from_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1
  PRECEDING) AS prev FROM alerts WHERE to_at IS NOT NULL), g AS (SELECT *, sum((prev IS NULL OR from_at >
  prev)::INT) OVER (PARTITION BY level ORDER BY from_at) AS grp FROM o) SELECT level, grp, min(from_at) AS f,
  max(to_at) AS t, count(*) AS n FROM g GROUP BY ALL ORDER BY ALL;

-- reading at or before each alert
SELECT a.sensor_id, a.from_at, r.ts, r.value FROM alerts a ASOF LEFT JOIN readings r ON a.sensor_id = r.sensor_id
  AND a.from_at >= r.ts ORDER BY 1, 2;

-- reading after each alert
SELECT a.sensor_id, a.from_at, r.ts FROM alerts a ASOF JOIN readings r ON a.sensor_id = r.sensor_id AND a.from_at <=
  r.ts ORDER BY 1, 2;

-- asof with using
SELECT sensor_id, ts, level FROM (SELECT sensor_id, ts FROM readings WHERE sensor_id < 3 AND quality = 1) r ASOF
  JOIN (SELECT sensor_id, from_at AS ts, level FROM alerts) a USING (sensor_id, ts) ORDER BY 1, 2;

-- daily profile
SELECT hour(ts) AS h, quantile_cont(value, 0.1) AS lo, median(value) AS m, quantile_cont(value, 0.9) AS hi FROM
  readings GROUP BY 1 ORDER BY 1;

-- z scores
SELECT sensor_id, ts, value FROM (SELECT *, (value - avg(value) OVER (PARTITION BY sensor_id)) / stddev(value) OVER
  (PARTITION BY sensor_id) AS z FROM readings) WHERE abs(z) > 1.6 ORDER BY 1, 2;

-- linear trend
SELECT sensor_id, regr_slope(value, epoch(ts)) AS s, regr_intercept(value, epoch(ts)) AS i, regr_count(value,
  epoch(ts)) AS n, corr(value, quality) AS c FROM readings GROUP BY 1 ORDER BY 1;

-- uptime
SELECT s.sensor_id, s.unit, count(DISTINCT date_trunc('hour', r.ts)) AS hours, count(r.value) / count(*)::DOUBLE AS
  valid FROM sensors s LEFT JOIN readings r USING (sensor_id) GROUP BY ALL ORDER BY 1;

-- correlation of two sensors
SELECT corr(a.value, b.value) AS c, count(*) AS n FROM readings a JOIN readings b ON time_bucket(INTERVAL 10 MINUTE,
  a.ts) = time_bucket(INTERVAL 10 MINUTE, b.ts) WHERE a.sensor_id = 1 AND b.sensor_id = 2;

-- top minute of each hour
SELECT date_trunc('hour', ts) AS h, arg_max(minute(ts), value) AS m, max(value) AS v FROM readings WHERE sensor_id =
  7 AND value IS NOT NULL GROUP BY 1 ORDER BY 1;

-- first and last reading of a day
SELECT sensor_id, ts::DATE AS d, first(value ORDER BY ts) AS f, last(value ORDER BY ts) AS l, max(ts) - min(ts) AS
  span FROM readings GROUP BY ALL ORDER BY ALL;

-- rows a day around summer time
SELECT started AT TIME ZONE 'Europe/Berlin' AS local, trip_id FROM trips WHERE trip_id BETWEEN 20 AND 60 ORDER BY
  trip_id;

-- buckets in a zone
SELECT time_bucket(INTERVAL 1 DAY, started, 'Europe/Berlin') AS d, count(*) AS n, sum(fare) AS f FROM trips GROUP BY
  1 ORDER BY 1;

-- truncated with a zone
SELECT date_trunc('day', started) AS d, date_part('hour', started) AS h, count(*) AS n FROM trips GROUP BY ALL ORDER
  BY ALL LIMIT 30;

-- sums of intervals
SELECT from_id % 5 AS g, sum(epoch(took)) AS s, max(took) AS m, min(took) AS lo, avg(took) AS a FROM trips GROUP BY
  1 ORDER BY 1;

-- intervals as keys
SELECT took, count(*) AS n FROM trips GROUP BY took ORDER BY n DESC, took LIMIT 10;

-- age and parts
SELECT sensor_id, age(TIMESTAMP '2024-03-30', installed::TIMESTAMP) AS a, date_sub('month', installed, DATE
  '2024-03-30') AS m, extract(epoch FROM installed) AS e FROM sensors ORDER BY 1;

-- installed in a leap year
SELECT sensor_id, installed, installed + INTERVAL 1 YEAR AS y, last_day(installed) AS l, make_date(year(installed),
  1, 1) AS j FROM sensors WHERE year(installed) % 4 = 0 ORDER BY 1;

-- calendar months without readings
SELECT k.year, k.month, count(r.ts) AS n FROM calendar k LEFT JOIN readings r ON r.ts::DATE = k.day WHERE k.year =
  2024 GROUP BY 1, 2 ORDER BY 1, 2;

-- rolling sum over distinct days
SELECT booked, sum(amount) AS s, sum(sum(amount)) OVER (ORDER BY booked ROWS 6 PRECEDING) AS week FROM ledger GROUP
  BY booked ORDER BY booked;

-- balance of accounts
SELECT account, booked, sum(delta) OVER (PARTITION BY account ORDER BY booked, amount) AS balance FROM ledger ORDER
  BY 1, 2, 3;

-- huge sums
SELECT currency, sum(units) AS u, sum(amount) AS a, max(units) AS m, avg(units) AS v, count(DISTINCT account) AS c
  FROM ledger GROUP BY 1 ORDER BY 1;

-- month ends
SELECT last_day(booked) AS m, currency, sum(amount) FILTER (NOT reversed) AS a, sum(delta) AS d FROM ledger GROUP BY
  ALL ORDER BY ALL LIMIT 25;

-- uuid, blob and time as keys
SELECT account, tag, at_time, count(*) AS n FROM ledger GROUP BY ALL HAVING count(*) > 0 ORDER BY n DESC, 1, 2, 3
  LIMIT 10;

-- join of uuid keys
SELECT a.account, count(*) AS n FROM ledger a JOIN ledger b USING (account) WHERE a.booked < b.booked AND a.reversed
  AND b.currency = 'USD' GROUP BY 1 ORDER BY 1;

-- union of series by name
SELECT * FROM (SELECT ts AS t, value AS v FROM readings WHERE sensor_id = 0 UNION ALL BY NAME SELECT NULL::DOUBLE AS
  v, from_at AS t FROM alerts) ORDER BY t, v NULLS LAST LIMIT 30;

-- every tenth row
SELECT * FROM (SELECT sensor_id, ts, row_number() OVER (ORDER BY ts, sensor_id) AS n FROM readings) WHERE n % 10 = 1
  ORDER BY n LIMIT 30;

-- downsampled by first value
SELECT DISTINCT ON (sensor_id, time_bucket(INTERVAL 2 HOUR, ts)) sensor_id, ts, value FROM readings ORDER BY
  sensor_id, time_bucket(INTERVAL 2 HOUR, ts), ts;

-- cumulative maximum and drawdown
SELECT sensor_id, ts, value - max(value) OVER (PARTITION BY sensor_id ORDER BY ts) AS draw FROM readings WHERE
  sensor_id = 9 ORDER BY ts;

-- exponential weights by list
SELECT sensor_id, list_sum(list_transform(list(value ORDER BY ts)[1:10], lambda v, i: v * pow(0.5, i))) AS e FROM
  readings WHERE value IS NOT NULL GROUP BY 1 ORDER BY 1;

-- state changes
SELECT sensor_id, count(*) FILTER (quality <> prev) AS changes FROM (SELECT sensor_id, quality, lag(quality, 1,
  quality) OVER (PARTITION BY sensor_id ORDER BY ts) AS prev FROM readings) GROUP BY 1 ORDER BY 1;

-- timestamps from numbers and texts
SELECT make_timestamp(2024, 3, sensor_id % 28 + 1, 1, 2, 3.5) AS a, to_timestamp(sensor_id * 86400) AS b,
  strptime('2024-03-' || lpad((sensor_id + 1)::VARCHAR, 2, '0'), '%Y-%m-%d') AS c, (DATE '2024-01-01' +
  sensor_id)::TIMESTAMP_S AS d, TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS e FROM sensors ORDER BY sensor_id;

-- timestamps of other precisions through an exchange
SELECT ts::TIMESTAMP_MS AS ms, ts::TIMESTAMP_S AS s, ts::TIMESTAMP_NS AS ns, count(*) AS n FROM readings WHERE
  sensor_id = 3 GROUP BY ALL ORDER BY ALL LIMIT 12;

-- times with an offset through an exchange
SELECT started::TIMETZ AS tz, (started AT TIME ZONE 'UTC')::TIME AS t, max(trip_id) AS m FROM trips GROUP BY ALL
  ORDER BY m LIMIT 12;

-- sessions of alerts by gaps in hours
SELECT level, count(*) AS n, sum(minutes) AS total FROM (SELECT level, date_diff('minute', from_at, to_at) AS
  minutes FROM alerts) WHERE minutes > 30 GROUP BY level ORDER BY level;
