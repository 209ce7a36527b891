-- Dates, times, intervals and time zones. The session's zone is UTC.


-- every type of time comes through
SELECT id, day, hour, stamp, nanos, zoned, span FROM kinds;

-- dates with numbers and intervals
SELECT id, joined + 3 AS a, joined - DATE '2020-01-01' AS b, joined + INTERVAL 1 MONTH AS c,
  joined - INTERVAL '1 year 2 days' AS d
  FROM people;

-- parts of dates
SELECT id, year(joined) AS a, extract(dow FROM joined) AS b, isoyear(joined) AS c, weekofyear(joined) AS d,
  dayname(joined) AS e,
  last_day(joined) AS f, date_trunc('quarter', joined) AS g, extract(epoch FROM joined) AS h FROM people;

-- differences of times
SELECT id, sold - TIMESTAMP '2024-01-01' AS a, date_diff('hour', sold, TIMESTAMP '2024-06-01') AS b, date_sub('week',
  sold, TIMESTAMP '2024-06-01') AS c,
  age(TIMESTAMP '2024-06-01', sold) AS d FROM sales WHERE id % 1000 = 5;

-- buckets of time
SELECT time_bucket(INTERVAL '6 hours', sold) AS bucket, count(*) AS n FROM sales GROUP BY bucket;

-- weeks
SELECT date_trunc('week', day) AS week, sum(price) AS total FROM sales GROUP BY week;

-- intervals as values of aggregates
SELECT team, max(age * INTERVAL 1 DAY) AS a, max(INTERVAL (id) HOUR) AS b, min(to_months(id)) AS c FROM people
  GROUP BY team;

-- intervals keep their microseconds through a group
-- spread
SELECT span, count(*) AS n FROM (SELECT INTERVAL '1 day' + to_microseconds(id % 3) AS span FROM people) GROUP BY span;

-- intervals that are equal are one group
SELECT count(*) AS n FROM (SELECT CASE WHEN id % 2 = 0 THEN INTERVAL 1 MONTH ELSE INTERVAL 30 DAY END AS span
  FROM people) GROUP BY span;

-- interval arithmetic
SELECT span * 2 AS a, -span AS b, span + INTERVAL '00:00:00.000001' AS c, extract(month FROM span) AS d,
  span > INTERVAL 35 DAY AS e FROM kinds;

-- zones: a wall clock to an instant and back
SELECT id, sold AT TIME ZONE 'Europe/Berlin' AS a, (sold AT TIME ZONE 'UTC') AT TIME ZONE 'America/New_York' AS b,
  timezone('Asia/Tokyo', sold) AS c FROM sales WHERE id % 500 = 1;

-- a clock that is set forward
SELECT zoned, zoned AT TIME ZONE 'Europe/Berlin' AS berlin, extract(hour FROM zoned) AS hour, date_trunc('day',
  zoned) AS day,
  zoned + INTERVAL 1 DAY AS next, zoned::DATE AS date FROM kinds;

-- instants written with an offset or a zone
SELECT TIMESTAMPTZ '2024-03-31 02:30:00 Europe/Berlin' AS a, TIMESTAMPTZ '2024-01-01 00:00:00-08' AS b,
  '2024-01-01 12:00:00+05:30'::TIMESTAMPTZ AS c
  FROM single;

-- groups by an instant
SELECT zoned, count(*) AS n FROM (SELECT timezone('UTC', sold) AS zoned FROM sales WHERE id < 300) GROUP BY zoned
  HAVING count(*) > 1
  OR extract(minute FROM zoned) = 0;

-- a time with an offset
SELECT id, ('10:00:0' || id || '+05:30')::TIMETZ AS t FROM kinds;

-- times with offsets as groups
SELECT t, count(*) AS n FROM (SELECT ('10:00:00+0' || (id % 3))::TIMETZ AS t FROM people) GROUP BY t;

-- the other resolutions
SELECT stamp::TIMESTAMP_S AS s, stamp::TIMESTAMP_MS AS ms, nanos AS ns, epoch_ns(nanos) AS n, count(*) AS c
  FROM kinds GROUP BY ALL;

-- infinite dates
SELECT d, d > DATE '2024-01-01' AS later, isfinite(d) AS finite FROM (VALUES (DATE 'infinity'), (DATE '-infinity'),
  (DATE '2024-02-29')) t(d);

-- dates before Christ and far away
SELECT DATE '0044-03-15 (BC)' AS a, DATE '5877642-06-25 (BC)' AS b, DATE '5881580-07-10' AS c,
  TIMESTAMP '0044-03-15 (BC) 12:00:00' AS d;

-- text to times and back
SELECT id, strftime(joined, '%d.%m.%Y, %A') AS a, strptime('2024-01-0' || (id % 9 + 1), '%Y-%m-%d') AS b,
  try_strptime(team, '%Y') AS c,
  joined::VARCHAR AS d, make_date(2024, 2, 1 + id % 29) AS e FROM people;

-- all of one day
SELECT count(*) AS n, sum(quantity) AS q FROM sales WHERE sold >= TIMESTAMP '2024-01-15'
  AND sold < TIMESTAMP '2024-01-15' + INTERVAL 1 DAY;

-- the clock is read once in a statement
SELECT count(DISTINCT now()) AS n, bool_and(current_date >= DATE '2024-01-01') AS late FROM people;
