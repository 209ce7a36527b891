/** Charts: bars as long as their values, with their numbers, in both grounds. */

import t from 'tap'
import { barChart, short, type BarChart } from '../../bench/chart.ts'

const chart: BarChart = {
  title: 'a < b & c', unit: ' ms', series: ['one', 'two'],
  groups: [{ name: 'Q1', values: [10, 20] }, { name: 'Q2', values: [40, NaN] }],
  mark: { value: 30, name: 'wanted' },
}

/** Widths of bars in their order. */
function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect class="bar" x="[\d.]+" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width))
}

t.test('bars are as long as their values, and a value that is not there has none', async t => {
  const [first = 0, second = 0, third = 0, ...more] = widths(barChart(chart))
  t.equal(more.length, 0)
  t.equal((second / first).toFixed(2), '2.00')
  t.equal((third / first).toFixed(2), '4.00')
})

t.test('a bar carries its number, and text is escaped', async t => {
  const svg = barChart(chart)
  t.match(svg, />10\.0 ms</)
  t.match(svg, />a &lt; b &amp; c</)
  t.notMatch(svg, /NaN|undefined|Infinity/)
})

t.test('it can be read on light and on dark ground', async t => {
  t.match(barChart(chart), /prefers-color-scheme: dark/)
})

t.test('a mark beyond the longest bar is still inside the picture', async t => {
  const svg = barChart({ ...chart, mark: { value: 400, name: 'far' } })
  const [, x] = /<line class="mark" x1="([\d.]+)"/.exec(svg) ?? []
  t.ok(Number(x) <= 840, `at ${x}`)
  t.ok(Math.max(...widths(svg)) < 100)
})

t.test('names of groups have room, however long', async t => {
  const svg = barChart({ ...chart, groups: [{ name: 'x'.repeat(50), values: [1, 2] }] })
  const [, end] = /<text x="([\d.]+)" y="[\d.]+" text-anchor="end">/.exec(svg) ?? []
  t.ok(Number(end) > 50 * 6, `at ${end}`)
})

t.test('a chart of nothing has no bar and no broken number', async t => {
  t.notMatch(barChart({ title: 'none', unit: '', series: ['a'], groups: [] }), /NaN|Infinity/)
})

t.test('numbers have three digits', async t => {
  t.strictSame([0.123, 1.5, 12.34, 123.4].map(short), ['0.12', '1.50', '12.3', '123'])
})
