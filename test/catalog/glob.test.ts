/** Patterns of keys. */

import t from 'tap'
import { parseGlob } from '../../catalog/glob.ts'

const keys = [
  'a.parquet', 'b.csv', '.hidden.parquet', 'x/a.parquet', 'x/b.parquet', 'x/y/a.parquet', 'x/y/z/a.parquet',
  'x/k=1/a.parquet', 'x[1]/a.parquet', 'é.parquet', 'a1.parquet', 'a2.parquet', 'a+.parquet', '𝒳.parquet',
]

t.test('a pattern takes these keys', async t => {
  const expected: Record<string, string[]> = {
    '*.parquet': ['a.parquet', '.hidden.parquet', 'é.parquet', 'a1.parquet', 'a2.parquet', 'a+.parquet', '𝒳.parquet'],
    'x/*.parquet': ['x/a.parquet', 'x/b.parquet'],
    'x/*/a.parquet': ['x/y/a.parquet', 'x/k=1/a.parquet'],
    '**/a.parquet': [
      'a.parquet', 'x/a.parquet', 'x/y/a.parquet', 'x/y/z/a.parquet', 'x/k=1/a.parquet', 'x[1]/a.parquet',
    ],
    'x/**': ['x/a.parquet', 'x/b.parquet', 'x/y/a.parquet', 'x/y/z/a.parquet', 'x/k=1/a.parquet'],
    'x/**/y/**/a.parquet': ['x/y/a.parquet', 'x/y/z/a.parquet'],
    'a[12].parquet': ['a1.parquet', 'a2.parquet'],
    'a[!1].parquet': ['a2.parquet', 'a+.parquet'],
    'a[0-1+].parquet': ['a1.parquet', 'a+.parquet'],
    '?.parquet': ['a.parquet', 'é.parquet', '𝒳.parquet'],
    '{a,x/b}.parquet': ['a.parquet', 'x/b.parquet'],
    'x/{y/{a,z/a},b}.parquet': ['x/b.parquet', 'x/y/a.parquet', 'x/y/z/a.parquet'],
    'x\\[1]/*': ['x[1]/a.parquet'],
    'a+.parquet': ['a+.parquet'],
    'x': [], 'A.parquet': [], 'x/k=1/a.parquet': ['x/k=1/a.parquet'], '{a}.parquet': [], 'a[.parquet': [],
  }
  for (const [pattern, wanted] of Object.entries(expected)) {
    const glob = parseGlob(pattern)
    t.strictSame(keys.filter(key => glob.wants(key)), wanted, pattern)
  }
})

t.test('folders are entered only where a match may be', async t => {
  const entered = (pattern: string, ...folders: string[]) => folders.filter(folder => parseGlob(pattern).wants(folder))
  t.strictSame(entered('x/*/a.parquet', 'x/', 'y/', 'x/y/', 'x/y/z/'), ['x/', 'x/y/'])
  t.strictSame(entered('x/**/a', 'x/', 'y/', 'x/y/z/'), ['x/', 'x/y/z/'])
  t.strictSame(entered('*.parquet', 'x/'), [])
})

t.test('the folder of a pattern is what all its matches begin with', async t => {
  const expected: Record<string, string> = {
    'a/b/*.parquet': 'a/b/', 'a/*/c': 'a/', '*.x': '', 'a/b/c.parquet': 'a/b/', 'a/{b,c}/d': 'a/',
    'a/b/{c,d}.x': 'a/b/', '{a/b/c,a/b/d/e}': 'a/b/', '**/x': '', 'a\\b/c': '',
  }
  for (const [pattern, folder] of Object.entries(expected)) t.equal(parseGlob(pattern).folder, folder, pattern)
})

t.test('a pattern stays in its bucket', async t => {
  for (const pattern of ['', '/etc/passwd', '../x', 'a/../../b', 'a//b', './a', '{a,../b}']) {
    t.throws(() => parseGlob(pattern), { name: 'QueryError', code: 'INVALID_CONFIG' }, pattern)
  }
  t.throws(() => parseGlob('{a,b}'.repeat(20)), { code: 'INVALID_CONFIG' })
})
