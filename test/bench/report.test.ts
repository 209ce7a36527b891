/** How what was measured is written down. */

import t from 'tap'
import { isReached, type FamilyResult } from '../../bench/family.ts'
import { body, bytes, chartName, plain, ratio, section, whole, withSection } from '../../bench/report.ts'
import { addTotals, noTotals, totalsLine, totalsOf } from '../../bench/totals.ts'

const result: FamilyResult = {
  method: 'How it was measured.',
  tables: [{ title: 'Times', heads: ['side', 'ms'], rows: [['a', '1'], ['b', '2']] }],
  figures: [
    { what: 'speed', value: 2.345, bound: 'at most', limit: 2.3, unit: ' s' },
    { what: 'rate', value: 300, bound: 'at least', limit: 300, unit: '/s' },
  ],
  chart: { title: 'a chart', unit: '', series: [], groups: [] }, checks: 2, faults: [],
}

t.test('tables and figures are Markdown, and a missed figure says so', async t => {
  t.equal(body(result), `Times:

| side | ms |
| -- | --: |
| a | 1 |
| b | 2 |

Figures to reach:

| figure | wanted | measured |  |
| -- | --: | --: | --: |
| speed | at most 2.30 s | 2.35 s | **missed** |
| rate | at least 300/s | 300/s | reached |`)
})

t.test('a figure on its limit is reached, one that was not measured is not', async t => {
  const figure = { what: 'x', limit: 5, unit: '' } as const
  t.ok(isReached({ ...figure, value: 5, bound: 'at most' }))
  t.ok(isReached({ ...figure, value: 5, bound: 'at least' }))
  t.notOk(isReached({ ...figure, value: NaN, bound: 'at most' }))
  t.notOk(isReached({ ...figure, value: NaN, bound: 'at least' }))
})

t.test('a section names its command, commit and machine, and shows its chart', async t => {
  const text = section('tpch --scale 0.1', result, {
    command: 'npm run bench -- tpch --scale 0.1', commit: 'abc1234', machine: 'a machine',
  })
  t.match(text, /^## tpch --scale 0\.1\n\n`npm run bench -- tpch --scale 0\.1` at abc1234, a machine\.\n\nHow it/)
  t.match(text, /!\[a chart\]\(results\/tpch-scale-0\.1\.svg\)\n$/)
})

t.test('a section replaces the one of the same heading where it stands, and no other', async t => {
  const first = withSection('# Results\n', '## tpch --scale 1\n\nold\n')
  const second = withSection(withSection(first, '## tpch\n\nother\n'), '## tpch --scale 1\n\nnew\n')
  t.equal(second, '# Results\n\n## tpch --scale 1\n\nnew\n\n## tpch\n\nother\n')
})

t.test('a chart has a file name of its own for each heading', async t => {
  t.equal(chartName('tpch --data DIR --executors 1,2'), 'tpch-data-dir-executors-1-2')
})

t.test('numbers are as long as they need to be', async t => {
  t.strictSame([3, 0.45, 1.234, 1234.5].map(plain), ['3', '0.45', '1.23', '1235'])
  t.strictSame([[0.5, NaN].map(ratio), [0.4, NaN].map(whole)], [['0.50', ''], ['0', '']])
  t.strictSame([512, 3 * 1024 * 1024].map(bytes), ['1 KiB', '3.0 MiB'])
})

t.test('totals are added up from last lines, and what did not run is neither passed nor failed', async t => {
  const lines = ['3 passed, 0 failed', '0 passed, 0 failed, 1 not run', '2 passed, 1 failed']
  const all = lines.map(line => totalsOf(line) ?? noTotals).reduce(addTotals, noTotals)
  t.strictSame(all, { passed: 5, failed: 1, notRun: 1 })
  t.equal(totalsLine(all), '5 passed, 1 failed, 1 not run')
  t.equal(totalsLine({ ...all, notRun: 0 }), '5 passed, 1 failed')
  t.equal(totalsOf('Q3: 5 passed, 1 failed'), undefined)
})
