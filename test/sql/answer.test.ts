/** What counts as the same answer, and how cases are read from their text. */

import t from 'tap'
import { difference, parseCells, type Answer, type Cell } from './answer.ts'
import { judge, parseCases } from './sql-logic.ts'

function answer(type: string, ...cells: Cell[]): Answer {
  return { columns: [{ name: 'a', type }], rows: cells.map(cell => [cell]) }
}

t.test('digits that a double would lose make a difference', async t => {
  const read = (json: string): Answer => answer('HUGEINT', parseCells(json))
  t.equal(difference(read('9007199254740993'), read('9007199254740993'), true), undefined)
  t.match(difference(read('9007199254740993'), read('9007199254740992'), true), /row 0 is/)
})

t.test('floats may differ in their last digits, in any order of rows', async t => {
  const [a, b] = [answer('DOUBLE', '0.1', '0.3'), answer('DOUBLE', '0.30000000000000004', '0.1')]
  t.equal(difference(a, b, false), undefined)
  t.match(difference(a, b, true), /row 0 is/)
  t.match(difference(answer('DOUBLE', '1'), answer('DOUBLE', '1.000001'), true), /row 0 is/)
  t.equal(difference(answer('DOUBLE', 'nan'), answer('DOUBLE', 'nan'), true), undefined)
})

t.test('types, names, counts and NULLs make a difference', async t => {
  t.match(difference(answer('BIGINT', '1'), answer('INTEGER', '1'), true), /columns are/)
  t.match(difference(answer('BIGINT', '1'), answer('BIGINT', '1', '1'), true), /2 rows, not 1/)
  t.match(difference(answer('BIGINT', '1', '1', '2'), answer('BIGINT', '1', '2', '2'), false), /row 1 is/)
  t.match(difference(answer('VARCHAR', null), answer('VARCHAR', ''), true), /row 0 is/)
})

t.test('nested values are compared by their types', async t => {
  const type = 'STRUCT(x DOUBLE, y MAP(VARCHAR, INTEGER[]))'
  const of = (json: string): Answer => answer(type, parseCells(json))
  t.equal(difference(of('{"x":0.1,"y":{"k":[1,null]}}'), of('{"x":"0.1","y":{"k":["1",null]}}'), true), undefined)
  t.match(difference(of('{"x":0.1,"y":{"k":[1]}}'), of('{"x":0.1,"y":{"k":[2]}}'), true), /row 0 is/)
  t.match(difference(of('{"x":0.1,"y":{"k":[1]}}'), of('{"x":0.1,"y":{"k":[1,2]}}'), true), /row 0 is/)
})

t.test('JSON is the same as text and as a value', async t => {
  t.equal(difference(answer('JSON', '{"a": 1}'), answer('JSON', parseCells('{"a":1}')), true), undefined)
  t.match(difference(answer('JSON', '{"a": 1}'), answer('JSON', '{"a": 2}'), true), /row 0 is/)
})

t.test('text that looks like a number inside a string is left alone', async t => {
  const cells = parseCells('["a 1 \\" 2", 3, true, null, {"4": -5.0e3}]')
  t.strictSame(cells, ['a 1 " 2', '3', 'true', null, { 4: '-5.0e3' }])
})

t.test('a case has a name, directives and a statement', async t => {
  const text = '-- About.\n\n-- one\n-- whole\nSELECT 1\nORDER BY 1;\n\n-- two\nSELECT (SELECT 2 ORDER BY 1);\n'
  const [first, second, ...rest] = parseCases('f', text)
  t.strictSame(rest, [])
  t.match(first, { place: 'f:3', name: 'one', where: 'whole', ordered: true, sql: 'SELECT 1\nORDER BY 1' })
  t.match(second, { place: 'f:8', name: 'two', where: 'anywhere', ordered: false })
  t.throws(() => parseCases('f', '-- one\n-- hole\nSELECT 1;\n'), /unknown directive/)
  t.throws(() => parseCases('f', '-- one\nSELECT 1\n'), /semicolon/)
})

t.test('a case that must be spread fails if it ran whole, where distribution is forced', async t => {
  const [spread] = parseCases('f', '-- one\n-- spread\nSELECT 1;')
  if (spread === undefined) throw new Error('no case')
  const outcome = { kind: 'rows', answer: answer('INTEGER', '1'), wholeReason: 'small' } as const
  t.equal(judge(spread, answer('INTEGER', '1'), outcome, true), 'runs whole: small')
  t.equal(judge(spread, answer('INTEGER', '1'), outcome, false), undefined)
})
