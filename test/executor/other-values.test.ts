/** Which texts with values may do no more than another one with other values. */

import t from 'tap'
import { isOnlyValues } from '../../executor/session/other-values.ts'

t.test('an INSERT of literals is only values', async t => {
  for (const sql of [
    `INSERT INTO m VALUES (1, -2.5, 'x''y', NULL)`, 'insert into "memory"."main"."m" ("a", b) values (true), (false);',
    `INSERT INTO m VALUES (CAST('2026-01-02' AS DATE), CAST(1.50 AS DECIMAL(10, 2)), [1, 2], $$a$$)`,
    `INSERT OR REPLACE INTO m VALUES (CAST('2026-01-02 03:04:05+00' AS TIMESTAMP WITH TIME ZONE), 1e5)`,
  ]) t.ok(isOnlyValues(sql), sql)
})

t.test('whatever calls, reads or names something is more', async t => {
  for (const sql of [
    'INSERT INTO m VALUES (upper(NULL))', `INSERT INTO m VALUES (NULL || current_setting('x'))`,
    'INSERT INTO m VALUES ((SELECT 1))', 'INSERT INTO m VALUES ((FROM t))', 'INSERT INTO m VALUES ((VALUES (1)))',
    'INSERT INTO m VALUES (1) RETURNING f(a)', 'INSERT INTO m VALUES (1) ON CONFLICT DO UPDATE SET a = f(1)',
    `INSERT INTO m VALUES (blob('x'))`,
    'INSERT INTO m VALUES (decimal(1))', `INSERT INTO m VALUES ('x'.f())`, 'INSERT INTO m VALUES (current_user)',
    'INSERT INTO m VALUES ("date"(1))', 'WITH x AS (SELECT f(1)) INSERT INTO m VALUES (1)',
    'INSERT INTO m SELECT f(1) FROM (VALUES (1))', 'UPDATE m SET a = 1', `DELETE FROM m WHERE a IN (VALUES (1))`,
    'INSERT INTO m FROM values', `INSERT INTO m VALUES (1) --\n, (f(2))`, 'VALUES (1)', '',
  ]) t.notOk(isOnlyValues(sql), sql)
})
