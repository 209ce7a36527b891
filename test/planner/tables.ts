/**
 * Small tables with NULLs, duplicates and every type that Parquet keeps, as the SELECT that fills each. Rows are made
 * by arithmetic alone, so they are the same in every run.
 */

export const tables: Readonly<Record<string, string>> = {
  /** 60 rows; NULL in every column but id, duplicates in k, g and s, negative numbers. */
  t: `SELECT i::INTEGER AS id,
        CASE WHEN i % 11 = 3 THEN NULL ELSE (i % 9 - 3)::INTEGER END AS k,
        CASE WHEN i % 13 = 5 THEN NULL ELSE (i % 4)::BIGINT END AS g,
        CASE WHEN i % 7 = 2 THEN NULL ELSE 's' || (i % 6) END AS s,
        CASE WHEN i % 8 = 1 THEN NULL ELSE i * 0.25 - 5 END::DOUBLE AS d,
        CASE WHEN i % 10 = 9 THEN NULL ELSE (i * 37 % 101)::DECIMAL(12,2) / 4 END::DECIMAL(12,2) AS m,
        CASE WHEN i % 5 = 4 THEN NULL ELSE i % 2 = 0 END AS b,
        CASE WHEN i % 12 = 7 THEN NULL ELSE DATE '2024-02-25' + (i * 3 % 17)::INTEGER END AS dt,
        CASE WHEN i % 9 = 8 THEN NULL ELSE TIMESTAMP '2024-03-30 22:15:00' + to_minutes(i * 37) END AS ts
      FROM range(60) AS r(i)`,
  /** Fewer keys than t, each several times; NULL keys too. */
  u: `SELECT CASE WHEN i % 6 = 1 THEN NULL ELSE (i % 5)::INTEGER END AS k, (i * 10)::BIGINT AS v,
        CASE WHEN i % 4 = 3 THEN NULL ELSE 's' || (i % 8) END AS s, (i % 3)::SMALLINT AS h
      FROM range(20) AS r(i)`,
  /** One row a key. */
  one: `SELECT i::INTEGER AS k, 'name' || i AS name, i * 1.5 AS w FROM range(6) AS r(i)`,
  /** No NULL. */
  solid: `SELECT i::INTEGER AS k, (i % 3)::INTEGER AS g FROM range(7) AS r(i)`,
  empty: `SELECT 1::INTEGER AS k, 'x' AS s, 1.5::DECIMAL(9,2) AS m WHERE FALSE`,
  nested: `SELECT i::INTEGER AS id,
        CASE WHEN i = 3 THEN NULL ELSE [i, i % 2, NULL, 5]::INTEGER[] END AS l,
        CASE WHEN i = 4 THEN NULL ELSE {'a': i::INTEGER, 'b c': 'v' || i} END AS st,
        CASE WHEN i = 5 THEN NULL ELSE MAP {'x': i::INTEGER, 'y''z': NULL} END AS mp,
        [[i], [], NULL]::BIGINT[][] AS ll,
        [{'x': i::INTEGER, 'y': 'p'}, NULL, {'x': NULL, 'y': 'q'}] AS ls,
        CASE WHEN i % 2 = 0 THEN [] ELSE ['b', 'a', NULL, 'c'] END::VARCHAR[] AS words
      FROM range(8) AS r(i)`,
  types: `SELECT i::INTEGER AS id, (i - 4)::TINYINT AS ti, (i * 1000 - 3000)::SMALLINT AS si,
        (i - 3)::BIGINT * 3000000000 AS bi,
        (i * 30)::UTINYINT AS ut, (i * 8000)::USMALLINT AS us, (i * 500000000)::UINTEGER AS ui,
        i::UBIGINT * 2305843009213693951 AS ub,
        (i / 3)::FLOAT AS f, CASE i WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf' ELSE '-0.5' END::DOUBLE AS d,
        (i * 1.001)::DECIMAL(4,3) AS d4, (i * 12345678901.01)::DECIMAL(18,2) AS d18,
        (i * 1234567890123456789)::DECIMAL(38,5) AS d38,
        ('a' || chr(i::INTEGER) || 'z')::BLOB AS bl, ('00000000-0000-0000-0000-00000000000' || i)::UUID AS uu,
        DATE '1969-12-28' + i::INTEGER AS dt, TIME '10:20:30.123456' + to_minutes(i * 211) AS tm,
        TIMESTAMP '1969-12-31 23:59:59.999999' + to_seconds(i) AS ts, make_timestamp_ns(1700000000000000000 + i) AS tn,
        TIMESTAMPTZ '2024-03-31 00:30:00+00' + to_minutes(i * 17) AS tz,
        to_months(i::INTEGER) + to_days((i * 40)::INTEGER) AS iv, ('{"a": ' || i || ', "b": [1, "x"]}')::JSON AS js
      FROM range(8) AS r(i)`,
  trades: `SELECT 'sym' || (i % 3) AS sym, TIMESTAMP '2024-01-01 09:00:00' + to_seconds(i * 7) AS at,
        (i + 1)::INTEGER AS qty
      FROM range(30) AS r(i)`,
  quotes: `SELECT 'sym' || (i % 4) AS sym, TIMESTAMP '2024-01-01 09:00:03' + to_seconds(i * 11) AS at,
        (100 + i / 8)::DECIMAL(9,2) AS price FROM range(16) AS r(i)`,
}
