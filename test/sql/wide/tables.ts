/**
 * The small tables of the wide set, as the SELECT that fills each: a shop, a web site, an app, documents, sensors and
 * journeys. All by arithmetic of the row's number, so they are the same in every run; NULLs and repeated keys wherever
 * real tables have them.
 */

export const wideTables: Readonly<Record<string, string>> = {
  stores: `SELECT i::INTEGER AS store_id, 'Store ' || chr(65 + i::INTEGER) AS name,
      ['Aachen', 'Bergen', 'Como', 'Delft'][1 + i % 4] AS city, CASE WHEN i % 5 <> 4 THEN
      ['north', 'south', 'west'][1 + i % 3] END AS region, DATE '2015-03-01' + (i * 173)::INTEGER AS opened,
      (200 + i * 37 % 300)::INTEGER AS floor_area FROM range(11) AS r(i)`,
  items: `SELECT i::INTEGER AS item_id, 'SKU-' || lpad(i::VARCHAR, 5, '0') AS sku,
      ['Lamp', 'Chair', 'Desk', 'Rug', 'Vase', 'Clock'][1 + i % 6] || ' ' || ['small', 'Large', 'XL'][1 + i % 3]
      AS title, CASE WHEN i % 17 <> 5 THEN 'brand ' || (i * 7 % 12) END AS brand,
      ['home', 'office', 'garden'][1 + i % 3] AS category, 'sub' || (i % 8) AS subcategory,
      CASE WHEN i % 4 <> 3 THEN ['red', 'blue', 'green'][1 + i % 3] END AS color,
      (5 + i * 313 % 9000 / 10)::DECIMAL(9,2) AS list_price, CASE WHEN i % 11 <> 2 THEN i * 0.37 % 20 END AS weight
      FROM range(120) AS r(i)`,
  clients: `SELECT (1000 + i)::BIGINT AS client_id, ['Ada', 'Bo', 'Cy', 'Dee', 'Eve'][1 + i % 5] AS first_name,
      ['Stone', 'Wood', 'Field', 'Lake'][1 + i % 4] || (i % 9) AS last_name,
      CASE WHEN i % 6 <> 1 THEN 'user' || i || '@' || ['example.com', 'mail.test', 'corp.example'][1 + i % 3] END
      AS email, CASE WHEN i % 13 <> 3 THEN DATE '1950-01-01' + (i * 211 % 20000)::INTEGER END AS birth,
      ['Aachen', 'Bergen', 'Como', 'Delft', 'Essen'][1 + i % 5] AS city, ['DE', 'NO', 'IT', 'NL', NULL][1 + i % 5]
      AS country, (i % 7)::SMALLINT AS income_band, CASE WHEN i % 3 = 2 THEN 1000 + i // 3 END::BIGINT AS referred_by
      FROM range(260) AS r(i)`,
  orders: `SELECT i::BIGINT AS order_id, CASE WHEN i % 31 <> 7 THEN 1000 + i * i % 230 END::BIGINT AS client_id,
      (i * 5 % 11)::INTEGER AS store_id, TIMESTAMP '2023-01-01 08:00:00' + to_minutes(i * 701) AS ordered_at,
      ['new', 'paid', 'sent', 'done', 'void'][1 + i * 3 % 5] AS status, ['web', 'app', 'shop'][1 + i % 3] AS channel,
      CASE WHEN i % 4 = 1 THEN 'C' || (i % 10) END AS coupon FROM range(1500) AS r(i)`,
  lines: `SELECT (i // 3)::BIGINT AS order_id, (i % 3 + 1)::SMALLINT AS line_no, (i * 11 % 118)::INTEGER AS item_id,
      (1 + i * 7 % 6)::INTEGER AS quantity, (4 + i * 97 % 800 / 10)::DECIMAL(9,2) AS price,
      CASE WHEN i % 9 <> 0 THEN (i % 5 * 0.05) END::DECIMAL(4,2) AS discount, (i % 3 * 0.07)::DECIMAL(4,2) AS tax
      FROM range(4200) AS r(i)`,
  refunds: `SELECT (i * 4)::BIGINT AS order_id, (i % 3 + 1)::SMALLINT AS line_no,
      DATE '2023-01-10' + (i * 3 % 700)::INTEGER AS returned_on,
      CASE WHEN i % 5 <> 0 THEN ['broken', 'late', 'wrong size', 'other'][1 + i % 4] END AS reason,
      (i * 13 % 90 + 0.5)::DECIMAL(9,2) AS amount FROM range(330) AS r(i)`,
  stock: `SELECT (i % 120)::INTEGER AS item_id, (i // 120 % 11)::INTEGER AS store_id,
      (DATE '2023-01-01' + to_months((i % 7)::INTEGER))::DATE AS month,
      CASE WHEN i % 23 <> 4 THEN i * 19 % 150 END::INTEGER AS on_hand FROM range(1320) AS r(i)`,
  calendar: `SELECT (DATE '2023-01-01' + i::INTEGER) AS day, year(day)::INTEGER AS year, month(day)::TINYINT AS month,
      quarter(day)::TINYINT AS quarter, weekofyear(day)::TINYINT AS week, dayname(day) AS weekday,
      i % 29 = 0 AS is_holiday FROM range(730) AS r(i)`,
  hits: `SELECT (i + 5000000000)::BIGINT AS hit_id, TIMESTAMP '2024-05-01 00:00:00' + to_seconds(i * 173) AS ts,
      (i * i % 311)::BIGINT AS user_id, CASE WHEN i % 19 <> 11 THEN md5((i // 6)::VARCHAR) END AS session_id,
      'https://' || ['www.', 'shop.', '', 'm.'][1 + i % 4] || 'site' || (i % 3) || '.example/'
      || ['', 'item/' || (i % 40), 'search?q=' || ['lamp', 'red%20rug', 'Clock'][1 + i % 3] || '&page=' || (i % 4),
      'blog/2024/' || (i % 12 + 1)][1 + i * 7 % 4] AS url,
      ['', 'https://www.google.com/search?q=x', 'https://t.example/' || (i % 7), 'android-app://x'][1 + i % 4]
      AS referrer, CASE WHEN i % 8 <> 5 THEN 'Page ' || (i % 40) || ' – Ünï ' || (i % 3) END AS title,
      'Mozilla/5.0 (' || ['X11; Linux', 'Windows NT 10.0', 'iPhone; CPU', 'Macintosh'][1 + i % 4] || ') V/'
      || (90 + i % 30) AS user_agent, (i % 6)::TINYINT AS os, ['ff', 'ch', 'sa', 'op'][1 + i * 3 % 4] AS browser,
      ['DE', 'FR', 'PL', 'SE', NULL, 'US'][1 + i % 6] AS country, (i * 17 % 50)::INTEGER AS region_id,
      [320, 768, 1024, 1920][1 + i % 4]::SMALLINT AS width, [480, 1024, 768, 1080][1 + i % 4]::SMALLINT AS height,
      CASE WHEN i % 10 <> 9 THEN i * 7919 % 60000 END::INTEGER AS duration_ms,
      [200, 200, 200, 301, 404, 500][1 + i * 5 % 6]::SMALLINT AS status, (i * 65537 % 5000000)::UBIGINT AS bytes,
      i % 3 = 0 AS is_mobile, CASE WHEN i % 7 = 2 THEN ['cheap lamp', 'rug', 'Clock big', 'lamp'][1 + i % 4] ELSE '' END
      AS phrase, (CASE WHEN i % 9 = 4 THEN i % 5 ELSE 0 END)::SMALLINT AS engine,
      '10.' || (i % 4) || '.' || (i % 200) || '.' || (i * 3 % 250) AS ip, (i % 101 / 100)::FLOAT AS score
      FROM range(3000) AS r(i)`,
  events: `SELECT i::BIGINT AS event_id, (i * 7919 % 97)::INTEGER AS user_id,
      TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_minutes((i * 613 + i * 7919 % 97) % 120000) AS ts,
      ['visit', 'signup', 'view', 'cart', 'purchase', 'share'][1 + (i * i + i // 7) % 6] AS name,
      ('{"page": "' || ['home', 'list', 'item'][1 + i % 3] || '", "n": ' || (i % 17) || ', "ab": "'
      || ['A', 'B'][1 + i % 2] || '"' || CASE WHEN i % 4 = 0 THEN ', "tags": ["t' || (i % 5) || '", "x"]' ELSE '' END
      || CASE WHEN i % 11 = 0 THEN ', "geo": {"lat": ' || (i % 90) || '.5, "city": "c' || (i % 3) || '"}' ELSE '' END
      || '}')::JSON AS props, CASE WHEN (i * i + i // 7) % 6 = 4 THEN (i * 37 % 20000) / 100 END::DECIMAL(10,2)
      AS revenue, '1.' || (i % 5) || '.' || (i % 13) AS version FROM range(3000) AS r(i)`,
  users: `SELECT i::INTEGER AS user_id, DATE '2023-12-20' + (i * 5 % 60)::INTEGER AS signed_up,
      ['free', 'pro', 'team', NULL][1 + i % 4] AS plan, ['DE', 'FR', 'US'][1 + i % 3] AS country,
      CASE WHEN i % 9 <> 8 THEN {'age': (18 + i * 7 % 50)::SMALLINT, 'lang': ['de', 'en'][1 + i % 2],
      'address': {'city': 'city ' || (i % 5), 'zip': (10000 + i * 37)::INTEGER}} END AS traits,
      CASE WHEN i % 6 = 3 THEN NULL WHEN i % 6 = 4 THEN [] ELSE ['a' || (i % 3), 'b' || (i % 2), NULL] END::VARCHAR[]
      AS tags, MAP {'visits': (i * 3 % 20)::INTEGER, 'level' || (i % 2): NULL} AS counters FROM range(100) AS r(i)`,
  docs: `SELECT i::INTEGER AS doc_id, ('{"id": ' || i || ', "kind": "' || ['post', 'page', 'note'][1 + i % 3]
      || '", "author": {"name": "n' || (i % 7) || '", "age": ' || (20 + i % 30) || '}, "words": [' || (i % 5) || ', '
      || (i % 8) || ', null], "draft": ' || (i % 2 = 0) || ', "meta": '
      || CASE WHEN i % 5 = 0 THEN 'null' ELSE '{"k' || (i % 3) || '": "v"}' END || '}')::JSON AS body,
      CASE WHEN i % 10 = 7 THEN NULL ELSE list_transform(range(i % 4), lambda x: 'tag' || ((x + i) % 6)) END AS tags,
      [i, i * 3 % 7, i * 5 % 11]::INTEGER[] AS scores,
      {'author': 'n' || (i % 7), 'size': (i * 101 % 5000)::INTEGER, 'labels': ['l' || (i % 3), 'z']} AS meta,
      MAP {'k' || (i % 4): i::INTEGER, 'all': (i % 10)::INTEGER} AS kv,
      [{'name': 'p' || (i % 3), 'qty': (i % 5)::INTEGER}, {'name': 'q', 'qty': NULL}] AS parts,
      [[i % 3, 1], [], NULL]::INTEGER[][] AS grid, [i % 5, 1, 2]::FLOAT[3] AS vec FROM range(240) AS r(i)`,
  sensors: `SELECT i::INTEGER AS sensor_id, 'sensor ' || i AS name, 50 + i * 0.131 AS lat, 8 + i * 0.217 AS lon,
      ['C', 'bar', '%'][1 + i % 3] AS unit, DATE '2020-02-28' + (i * 91)::INTEGER AS installed FROM range(14) AS r(i)`,
  readings: `SELECT (i % 13)::INTEGER AS sensor_id,
      TIMESTAMP '2024-03-30 00:00:00' + to_minutes(i // 13 * 10 + i % 3) AS ts,
      CASE WHEN i % 29 <> 8 THEN 20 + sin(i / 50) * 8 + i % 7 * 0.25 END AS value, (i % 4)::SMALLINT AS quality
      FROM range(3200) AS r(i) WHERE i // 13 % 20 NOT IN (7, 8) AND (i * 7 % 31) <> 3`,
  alerts: `SELECT (i % 9)::INTEGER AS sensor_id, TIMESTAMP '2024-03-30 02:00:00' + to_minutes(i * 47) AS from_at,
      CASE WHEN i % 7 <> 6 THEN TIMESTAMP '2024-03-30 02:00:00' + to_minutes(i * 47 + 25 + i % 90) END AS to_at,
      (1 + i % 3)::TINYINT AS level FROM range(60) AS r(i)`,
  places: `SELECT i::INTEGER AS place_id, ['Port', 'Bad', 'Neu', 'San'][1 + i % 4] || ' ' || chr(65 + (i % 26)::INTEGER)
      AS name, ['DE', 'NO', 'IT', 'NL', 'PT'][1 + i % 5] AS country, round(36 + i * 7.31 % 30, 4) AS lat,
      round(-9 + i * 3.77 % 30, 4) AS lon, CASE WHEN i % 8 <> 3 THEN i * 7919 % 900000 END::INTEGER AS population,
      ['city', 'town', 'port'][1 + i % 3] AS kind FROM range(90) AS r(i)`,
  trips: `SELECT i::BIGINT AS trip_id, (i * 7 % 90)::INTEGER AS from_id, (i * 13 % 95)::INTEGER AS to_id,
      TIMESTAMPTZ '2024-10-26 20:00:00+00' + to_minutes(i * 7) AS started, (i * 31 % 4000 / 8)::DOUBLE AS km,
      (2 + i * 17 % 500 / 4)::DECIMAL(8,2) AS fare, to_minutes(i * 3 % 300) + to_seconds(i % 60) AS took,
      [{'lat': 50 + i % 7 * 0.5, 'lon': 8 + i % 5 * 0.25}, {'lat': 51.0, 'lon': 9 + i % 3}] AS path
      FROM range(900) AS r(i)`,
  ledger: `SELECT ('00000000-0000-4000-8000-' || lpad((i % 40)::VARCHAR, 12, '0'))::UUID AS account,
      (i::HUGEINT * 12345678901234567000)::DECIMAL(38,0) AS units,
      (i * 1234567.8912 - 90000000)::DECIMAL(38,4) AS amount,
      DATE '2022-01-31' + (i * 3 % 800)::INTEGER AS booked, ['EUR', 'USD', 'JPY'][1 + i % 3] AS currency,
      (i - 300)::BIGINT AS delta, (i % 200)::UTINYINT AS tiny, i % 5 = 0 AS reversed,
      ('x' || chr((65 + i % 26)::INTEGER))::BLOB AS tag, TIME '06:00:00' + to_minutes(i * 7 % 1000) AS at_time
      FROM range(800) AS r(i)`,
}
