/** The user's own text, as it was written: statements of every form, with what follows them. */

import t from 'tap'
import { statementText } from '../../executor/statement-text.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { openWorkbench, toResult } from './workbench.ts'

t.test('semicolons and comments after a statement are no part of it', async t => {
  const cases = [
    ['select 1', 'select 1'], ['select 1 ; -- done;\n ; /* a /* b */ ; */', 'select 1'], ["select ';' ;", "select ';'"],
    ["select e'\\';' -- x", "select e'\\';'"], ['select 1 as ";"";";', 'select 1 as ";"";"'],
    ['select $$;--$$ ;', 'select $$;--$$'],
    ['select $a$;$$$a$;', 'select $a$;$$$a$'], ['select 1 -- ; \n+ 2;', 'select 1 -- ; \n+ 2'],
    ["select 'open ;", "select 'open ;"],
  ] as const
  t.strictSame(cases.map(([text]) => statementText(text)), cases.map(([, expected]) => expected))
})

t.test('statements that are no plain SELECT give their rows', async t => {
  const bench = await openWorkbench(t)
  const column = { name: 'a', type: 'VARCHAR' }
  const statements = [
    ["SELECT 'x'::ENUM('x'); -- the end;", [{ ...column, type: "ENUM('x')" }], 'x'],
    ["FROM (VALUES ('x')) v(a)", [column], 'x'],
    ["WITH q AS (SELECT 'x' AS a) TABLE q;", [column], 'x'],
    ["PIVOT (SELECT 'x' AS a, 'y' AS b) ON b USING first(a)", [{ name: 'y', type: 'VARCHAR' }], 'x'],
    ['DESCRIBE SELECT 1 AS x', ['n', 't', 'u', 'k', 'd', 'e'].map(name => ({ name, type: 'VARCHAR' })), 'x'],
  ] as const
  for (const [sql, columns, expected] of statements) {
    const { outcome, frames } = await bench.result({ sql, sqlKind: 2, output: toResult(columns) })
    if (outcome.kind === 'failed') throw outcome.cause
    t.strictSame(columnTexts(toTable(frames), 0), [expected], sql)
  }
})

t.test('an error late in a stream keeps its message and its place, whatever follows the text', async t => {
  const bench = await openWorkbench(t)
  const failing = "CAST(CASE WHEN i = 499999 THEN 'x' ELSE '1' END AS INTEGER)"
  for (const [column, type] of [[failing, 'INTEGER'], [`[${failing}::VARCHAR::ENUM('1')]`, "ENUM('1')[]"]] as const) {
    const sql = `SELECT 'é', ${column} FROM range(500000) t(i) ; -- ;`
    const columns = [{ name: 'e', type: 'VARCHAR' }, { name: 'a', type }]
    const { outcome } = await bench.result({ sql, sqlKind: 2, output: toResult(columns) })
    const cause = { message: /Could not convert string 'x' to INT32/, position: Buffer.from(sql).indexOf('CAST(') }
    t.match(outcome, { kind: 'failed', cause })
  }
})
