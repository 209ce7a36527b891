/** Where a change says what rows it gives, they are cast to what Arrow has. */

import t from 'tap'
import { castReturned } from '../../executor/returned-rows.ts'

const column = (name: string, form: string | null = null): { name: string; form: string | null } => ({ name, form })
const [id, k] = [column('id'), column('k', 'VARCHAR')]

t.test('a star is written out', async t => {
  t.equal(castReturned('INSERT INTO m VALUES (1) RETURNING *', [id, k]),
    'INSERT INTO m VALUES (1) RETURNING "id", CAST("k" AS VARCHAR) AS "k"')
  t.equal(castReturned('MERGE INTO m … RETURNING merge_action, *, 1', [column('merge_action'), id, k, column('1')]),
    'MERGE INTO m … RETURNING merge_action, "id", CAST("k" AS VARCHAR) AS "k", 1')
})

t.test('columns and what has a name are cast, the rest stays as it is', async t => {
  t.equal(castReturned(`DELETE FROM m RETURNING f(id, ','), m.k, k || 'x' AS "k;" ; -- RETURNING`,
    [column('f'), k, column('k;', 'TEXT')]),
  `DELETE FROM m RETURNING f(id, ','), CAST(m.k AS VARCHAR) AS "k", CAST(k || 'x' AS TEXT) AS "k;"`)
})

t.test('what cannot be told from its name is refused', async t => {
  for (const list of ['f(k)', 'k x, k', 'k, k']) {
    t.throws(() => castReturned(`DELETE FROM m RETURNING ${list}`, [k]), { code: 'UNSUPPORTED_STATEMENT' }, list)
  }
  t.throws(() => castReturned('DELETE FROM m', [k]), { code: 'UNSUPPORTED_STATEMENT', message: /^the type of "k" / })
})
