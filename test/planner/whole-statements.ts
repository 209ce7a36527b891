/** Statements over the tables of `tables.ts` that the planner does not decode, or that fail. */

/** Run whole, by what the planner does not decode. */
export const whole: Readonly<Record<string, readonly string[]>> = {
  'recursive': [`WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r`],
  'sample': [`SELECT count(*) FROM (SELECT * FROM t USING SAMPLE 100%)`, `SELECT count(*) FROM t TABLESAMPLE 10%`],
  'positional': [`SELECT * FROM solid POSITIONAL JOIN one`],
  'limit by expression': [`SELECT id FROM t ORDER BY id LIMIT (SELECT max(k) FROM one)`],
  'clock at run time': [`SELECT age(ts) > INTERVAL 1 DAY FROM t`],
  'quantiles of a random sample': [`SELECT reservoir_quantile(d, 0.5) > 0 FROM t`],
  'other tables': [`SELECT * FROM duckdb_settings() WHERE name = 'threads'`],
  'constants that DuckDB cannot serialise': [`SELECT '0101'::BIT`, `SELECT 12::BIGNUM + id FROM types`],
  'modulo that may be of decimals or of doubles': [`SELECT (m::DECIMAL(38,1)) % (k - k)::DECIMAL(20,3) FROM t`],
  'set operations of collated texts': [
    `SELECT s COLLATE NOCASE FROM t INTERSECT ALL SELECT upper(s) COLLATE NOCASE FROM u`,
    `SELECT s COLLATE NOCASE FROM t EXCEPT SELECT upper(s) FROM u`,
  ],
  'about the statement itself': [`SELECT alias(id) FROM t`, `SELECT current_query(), k FROM one`],
}

/** Fail while they run, not before: the emitted text must fail with the same message. */
export const failing: readonly string[] = [
  `SELECT id, (SELECT v FROM u WHERE u.k = t.k) FROM t`,
  `SELECT id, (SELECT (v, s) FROM u WHERE u.k = t.k) FROM t`,
  `SELECT id, (SELECT v FROM u WHERE u.h > t.k) FROM t`,
  `SELECT s::INTEGER FROM t`,
  `SELECT id, k::UTINYINT FROM t`,
  `SELECT ti * 100::TINYINT FROM types`,
  `SELECT bi * 9223372036854775807 FROM types`,
  `SELECT d38 * 99999999999999999.5 FROM types`,
  `SELECT sum(x) FROM (SELECT 170141183460469231731687303715884105727::HUGEINT - id % 2 AS x FROM t)`,
  `SELECT error('row ' || id) FROM t WHERE id = 3`,
  `SELECT CASE WHEN id > 50 THEN error('big') ELSE id END FROM t`,
  `SELECT ln(id - 1) FROM t`,
  `SELECT sqrt(k) FROM t`,
  `SELECT strptime(s, '%Y') FROM t`,
  `SELECT dt + to_days(2147483647) FROM t`,
  `SELECT MAP([k, k], [1, 2]) FROM one`,
  `SELECT ('v' || id)::ENUM('v1', 'v2') FROM nested`,
  `SELECT s::JSON FROM t`,
]
