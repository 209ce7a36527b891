/** What lines with a backslash ask a shell for. */

import t from 'tap'
import { readCommand } from '../../cli/shell/shell-command.ts'

t.test('each command is read, and its words', async t => {
  t.strictSame([
    '\\q', '\\quit', '\\?', '\\timing', '\\timing on', '\\timing OFF;', '\\format csv', '\\explain',
    '\\explain select 1;', '\\explain analyze select 1', '\\explain analyze', '\\explain analyzed', '\\l',
    '\\d a."b c" ;',
  ].map(readCommand), [
    { kind: 'quit' }, { kind: 'quit' }, { kind: 'help' }, { kind: 'timing', on: null }, { kind: 'timing', on: true },
    { kind: 'timing', on: false }, { kind: 'format', format: 'csv' }, { kind: 'explain', analyze: false, sql: null },
    { kind: 'explain', analyze: false, sql: 'select 1' }, { kind: 'explain', analyze: true, sql: 'select 1' },
    { kind: 'explain', analyze: true, sql: null }, { kind: 'explain', analyze: false, sql: 'analyzed' },
    { kind: 'statement', sql: 'SHOW DATABASES' }, { kind: 'statement', sql: 'DESCRIBE a."b c"' },
  ])
  t.match(readCommand('\\d'), { kind: 'statement', sql: /duckdb_tables/ })
})

t.test('what is no command is refused by its name', async t => {
  for (const line of ['\\', '\\copy x', '\\timing maybe', '\\format arrow']) {
    t.throws(() => readCommand(line), { name: 'QueryError', code: 'INVALID_REQUEST' }, line)
  }
})
