/** DuckDB's text of types, and texts that are none. */

import t from 'tap'
import { parseType } from '../../proto/type-text.ts'

const scalar = (name: string) => ({ kind: 'scalar', name })
const INTEGER = scalar('INTEGER')

t.test('types are read as DuckDB writes them', t => {
  const cases: [string, unknown][] = [
    ['INTEGER', INTEGER],
    ['"NULL"', scalar('"NULL"')],
    ['TIMESTAMP WITH TIME ZONE', scalar('TIMESTAMP WITH TIME ZONE')],
    ['DECIMAL(18,3)', { kind: 'decimal', width: 18, scale: 3 }],
    ['INTEGER[3][]', { kind: 'list', child: { kind: 'array', size: 3, child: INTEGER } }],
    ['MAP(VARCHAR, INTEGER[])', { kind: 'map', key: scalar('VARCHAR'), value: { kind: 'list', child: INTEGER } }],
    ["ENUM('a', 'it''s, (b)')", { kind: 'enum', values: ['a', "it's, (b)"] }],
    ['UNION(a INTEGER)', { kind: 'union', members: [{ name: 'a', type: INTEGER }] }],
    ['STRUCT("a ""b" INTEGER, TIME TIME, "NULL" "NULL")', { kind: 'struct', fields: [
      { name: 'a "b', type: INTEGER }, { name: 'TIME', type: scalar('TIME') }, { name: 'NULL', type: scalar('"NULL"') },
    ] }],
    ['STRUCT(INTEGER, TIMESTAMP WITH TIME ZONE, "NULL", STRUCT(x INTEGER)[])', { kind: 'struct', fields: [
      { name: '', type: INTEGER }, { name: '', type: scalar('TIMESTAMP WITH TIME ZONE') },
      { name: '', type: scalar('"NULL"') },
      { name: '', type: { kind: 'list', child: { kind: 'struct', fields: [{ name: 'x', type: INTEGER }] } } },
    ] }],
  ]
  for (const [text, type] of cases) t.strictSame(parseType(text), type, text)
  t.end()
})

t.test('what is not a type of DuckDB is not known', t => {
  const deep = `${'STRUCT(a '.repeat(300)}INTEGER${')'.repeat(300)}`
  const texts = [
    '', 'integer', 'INTEGER ', 'INTEGER[', 'MONEY', 'MONEY[]', 'STRUCT()', 'STRUCT(a INTEGER', 'STRUCT(a MONEY)',
    'MAP(INTEGER)', 'DECIMAL(3)', "ENUM('a)", 'INTEGER, VARCHAR', '['.repeat(1000), deep,
  ]
  t.strictSame(texts.filter(text => parseType(text) !== undefined), [])
  t.end()
})
