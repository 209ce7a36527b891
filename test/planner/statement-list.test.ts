/** A text as the list of its statements, and what DuckDB says that each of them asks for. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { PlanningDatabase } from '../../planner/planning-database.ts'
import { statementsIn, type Statement } from '../../planner/statement-list.ts'
import { asQueryError } from '../../proto/errors.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-statements-'))
const database = await PlanningDatabase.open(folder)
t.teardown(async () => {
  database.close()
  await rm(folder, { recursive: true })
})

const kinds = async (sql: string): Promise<readonly string[]> => (await statementsIn(database, sql)).map(brief)

function brief(statement: Statement): string {
  switch (statement.kind) {
    case 'query':
      return statement.metadata ? 'metadata' : `query ${statement.names.map(({ table }) => table).join(' ')}`
    case 'set': return `set ${statement.name} ${statement.value}`
    case 'use': return `use ${statement.path?.join('|') ?? 'default'}`
    case 'transaction': return statement.action
    case 'prepare': return `prepare ${statement.name}: ${statement.inner}`
    case 'execute': return `execute ${statement.name} ${statement.arguments.join('|')}`
    case 'deallocate': return `deallocate ${statement.name}`
    case 'pivot': return statement.questions.map(({ sql }) => sql).join('; ')
    case 'explain': return `explain ${statement.analyze} ${statement.format}: ${statement.inner}`
    case 'change': return `change ${statement.word}`
    case 'refresh': return `refresh ${statement.path.join('|')}`
    case 'refused': return `refused ${statement.code}`
  }
}

const cases: readonly (readonly [sql: string, ...kinds: string[]])[] = [
  ['select 1', 'query '],
  [" ; -- first\n select ';' from a; /* ; */ select * from b.c;;", 'query a', 'query c'],
  ['select $$;$$, e\'\\\';\' "a;b" from d; values (1)', 'query d', 'query '],
  ["set timezone = 'Asia/Tokyo'; SET SESSION integer_division = true; reset timezone",
    'set TimeZone Asia/Tokyo', 'set integer_division true', 'set TimeZone null'],
  ["set time zone 'UTC'", 'set TimeZone UTC'],
  ['use lake', 'use lake'], ['use lake."my schema"', 'use lake|my schema'], ["set schema = 'a.b'", 'use a|b'],
  ['reset schema', 'use default'],
  ['begin; start transaction; commit; end; rollback; abort',
    'begin', 'begin', 'commit', 'commit', 'rollback', 'rollback'],
  ['prepare p as select $1 + ?', 'prepare p: select $1 + ?'], ['prepare "q q" as from x', 'prepare q q: from x'],
  ["execute p(1, 'a, (b', [1, 2])", "execute p 1|'a, (b'|[1, 2]"], ['execute p', 'execute p '],
  ['deallocate p', 'deallocate p'], ['deallocate prepare p', 'deallocate p'],
  ['explain select 1', 'explain false : select 1'], ['explain analyze from t', 'explain true : from t'],
  ['explain (format json) select 1', 'explain false json: select 1'],
  ['explain (analyze, format json) select 1', 'explain true json: select 1'],
  ['explain (select 1)', 'explain false : (select 1)'],
  ['create temp table t as select 1', 'change CREATE'], ['insert into t values (1)', 'change INSERT'],
  ['with x as (select 1) insert into t from x', 'change WITH'], ['drop table t', 'change DROP'],
  ['merge into t using s on t.a = s.a when matched then delete', 'change MERGE'], ['truncate t', 'change TRUNCATE'],
  ['create macro m(a) as a + 1; select m(1)', 'change CREATE', 'query '],
  ['show tables', 'metadata'], ['show all tables', 'metadata'], ['show databases', 'metadata'],
  ['from information_schema.tables', 'metadata'], ['from duckdb_columns()', 'metadata'],
  ["pragma table_info('t')", 'query t'], ['pragma database_list', 'metadata'], ['describe t', 'query t'],
  ['summarize t', 'query t'], ['pragma version', 'metadata'],
  ['refresh table t', 'refresh t'], ['REFRESH a."b c".t; select 1', 'refresh a|b c|t', 'query '],
  ['refresh table', 'refresh table'], ['/* x */ refresh -- y\n lake', 'refresh lake'],
  ['refresh table table.x', 'refresh table|x'],
  // what may not run, wherever it stands
  ["set memory_limit = '1GB'", 'refused PERMISSION_DENIED'],
  ["set global timezone = 'UTC'", 'refused PERMISSION_DENIED'],
  ["set timezone = 'Mars'", 'refused UNSUPPORTED_STATEMENT'], ['set nonsense = 1', 'refused PERMISSION_DENIED'],
  ["attach 'x.db'", 'refused PERMISSION_DENIED'], ['detach x', 'refused PERMISSION_DENIED'],
  ["select 1; copy t to 'x'", 'query ', 'refused PERMISSION_DENIED'],
  ['install json', 'refused PERMISSION_DENIED'],
  ['load json', 'refused PERMISSION_DENIED'], ['create secret s (type s3)', 'refused PERMISSION_DENIED'],
  ["export database 'x'", 'refused PERMISSION_DENIED'], ['call pragma_version()', 'refused PERMISSION_DENIED'],
  ['pragma memory_limit', 'refused PERMISSION_DENIED'], ['pragma enable_profiling', 'refused PERMISSION_DENIED'],
  ['select $1', 'refused INVALID_REQUEST'], ['create view x as pivot t on a in (1)', 'change CREATE'],
  ['create table x as pivot t on a',
    'SELECT DISTINCT CAST((a) AS VARCHAR) FROM t WHERE (a) IS NOT NULL ORDER BY 1 ASC'],
  ['pivot t on a', 'SELECT DISTINCT CAST((a) AS VARCHAR) FROM t WHERE (a) IS NOT NULL ORDER BY 1 ASC'],
  ['pivot t on a in (1)', 'query t'],
  ['set variable a = (select max(i) from t)', 'change SET'], ['reset variable a', 'change RESET'],
]

t.test('statements and what they ask for', async t => {
  for (const [sql, ...expected] of cases) t.strictSame(await kinds(sql), expected, sql)
})

t.test('a text that does not parse says where, in the whole text', async t => {
  const error = await statementsIn(database, 'select 1;\nselect 1 +;').catch(asQueryError)
  t.match(error, { code: 'SYNTAX_ERROR', position: 20 })
  t.match(error, { message: /LINE 2: select 1 \+;/ })
  t.match(await statementsIn(database, "select 1; select 'a").catch(asQueryError), { code: 'SYNTAX_ERROR' })
  for (const sql of [
    'refresh', 'refresh a.b.c.d', 'refresh a b', 'refresh a.', "refresh 'a'", 'refresh a, b', 'refresh (select 1)',
    'refresh t where x', 'explain refresh t', 'prepare p as refresh t', '"refresh" t', 'refresh $$a$$',
  ]) {
    t.match(await statementsIn(database, sql).catch(asQueryError), { code: 'SYNTAX_ERROR' }, sql)
  }
  t.match(await statementsIn(database, ' ; -- nothing').catch(asQueryError), { code: 'SYNTAX_ERROR' })
})
