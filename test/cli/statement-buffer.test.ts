/** Which lines of a shell make a statement. */

import t from 'tap'
import { StatementBuffer, type ShellEntry } from '../../cli/shell/statement-buffer.ts'

/** What ends in each line, and what waits after the last. */
function read(...lines: string[]): { ended: string[][]; pending: string } {
  const buffer = new StatementBuffer()
  const textOf = (entry: ShellEntry): string => entry.kind === 'command' ? entry.line : entry.sql
  return { ended: lines.map(line => buffer.add(line).map(textOf)), pending: buffer.pending }
}

t.test('a statement ends at a semicolon, wherever its lines end', async t => {
  t.strictSame(read('select 1;'), { ended: [['select 1']], pending: '' })
  t.strictSame(read('select', '1', '; select 2; select', '3;'), {
    ended: [[], [], ['select\n1', 'select 2'], ['select\n3']], pending: '',
  })
  t.strictSame(read('select 1; select'), { ended: [['select 1']], pending: ' select' })
})

t.test('a semicolon in a text, a name or a comment ends nothing', async t => {
  for (const open of ["select ';", 'select ";', 'select /* ;', 'select $$;', "select E'\\';", 'select 1 -- ;']) {
    t.strictSame(read(open), { ended: [[]], pending: open }, open)
  }
  t.strictSame(read("select ';", "x';"), { ended: [[], ["select ';\nx'"]], pending: '' })
})

t.test('what is empty is no statement', async t => {
  t.strictSame(read('', ';;', ' ; -- done', '/* ; */ ;', '-- words'), { ended: [[], [], [], [], []], pending: '' })
  t.equal(new StatementBuffer().rest(), undefined)
})

t.test('a backslash makes a command where no statement has begun', async t => {
  t.strictSame(read('\\timing on', 'select', '\\q'), { ended: [['\\timing on'], [], []], pending: 'select\n\\q' })
})

t.test('what waits at the end is a statement without its semicolon', async t => {
  const buffer = new StatementBuffer()
  buffer.add('select 1')
  t.strictSame(buffer.rest(), { kind: 'statement', sql: 'select 1' })
  t.equal(buffer.rest(), undefined)
})

t.test('a statement that outgrows a request is refused, and nothing of it waits', async t => {
  const buffer = new StatementBuffer()
  buffer.add('select 1 -- a beginning')
  t.throws(() => buffer.add('x'.repeat(16 * 1024 * 1024)), { name: 'QueryError', code: 'INVALID_REQUEST' })
  t.equal(buffer.pending, '')
})
