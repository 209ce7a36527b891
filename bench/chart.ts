/**
 * Bar charts as SVG text: groups of horizontal bars, one a series, with their numbers at their ends, and a line where
 * the wanted figure lies. They bring their own ground and follow the reader's choice of light or dark. Pure.
 */

export interface BarChart {
  readonly title: string
  /** After each number, with its space if it has one: ` ms`. */
  readonly unit: string
  readonly series: readonly string[]
  readonly groups: readonly { readonly name: string; readonly values: readonly number[] }[]
  /** A value to compare with, and what it is. */
  readonly mark?: { readonly value: number; readonly name: string }
}

const WIDTH = 840
const MIN_LEFT = 60
/** For the number at the end of the longest bar. */
const RIGHT = 90
const TOP = 64
const BAR = 13
const GROUP_GAP = 9
const BOTTOM = 14
/** Colours of series that differ in brightness too, on both grounds. */
const SERIES = ['#3b6fb6', '#e0883a', '#4e9a63', '#b05578', '#7f7f7f']
/** About the width of a character. */
const CHARACTER = 6.8

export function barChart(chart: BarChart): string {
  const values = chart.groups.flatMap(group => group.values.filter(Number.isFinite))
  const most = Math.max(...values, chart.mark?.value ?? 0)
  const longest = Math.max(0, ...chart.groups.map(({ name }) => name.length))
  const left = Math.max(MIN_LEFT, 20 + longest * CHARACTER)
  const x = (value: number): number => left + (WIDTH - left - RIGHT) * Math.max(0, value) / (most || 1)
  const groupHeight = BAR * chart.series.length + GROUP_GAP
  const height = TOP + groupHeight * chart.groups.length + BOTTOM
  const groups = chart.groups.map((group, i) => groupText(group, TOP + groupHeight * i, x, chart.unit))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<title>${escaped(chart.title)}</title>
<style>
  text { font-family: sans-serif; font-size: 12px; fill: #24292f } .head { font-weight: bold; font-size: 14px }
  .number, .mark-name { font-size: 10px }
  .ground { fill: #ffffff } .mark { stroke: #c0392b; stroke-dasharray: 4 3 } .mark-name { fill: #c0392b }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .ground { fill: #0d1117 } .mark { stroke: #ff7b72 } .mark-name { fill: #ff7b72 }
  }
</style>
<rect class="ground" width="${WIDTH}" height="${height}"/>
<text class="head" x="10" y="22">${escaped(chart.title)}</text>
${legend(chart.series)}
${groups.join('\n')}
${chart.mark === undefined ? '' : markText(chart.mark, x(chart.mark.value), height)}
</svg>
`
}

function legend(series: readonly string[]): string {
  let at = 10
  return series.map((name, i) => {
    const text = `<rect x="${at}" y="34" width="11" height="11" fill="${colour(i)}"/>`
      + `<text x="${at + 16}" y="44">${escaped(name)}</text>`
    at += 34 + name.length * CHARACTER
    return text
  }).join('\n')
}

function groupText(
  { name, values }: BarChart['groups'][number], y: number, x: (value: number) => number, unit: string,
): string {
  const middle = y + BAR * values.length / 2 + 4
  const bars = values.map((value, i) => {
    if (!Number.isFinite(value)) return ''
    const [start, end] = [x(0), x(value)]
    const top = y + BAR * i
    return `<rect class="bar" x="${start.toFixed(1)}" y="${top}" width="${(end - start).toFixed(1)}" `
      + `height="${BAR - 2}" fill="${colour(i)}"/>`
      + `<text class="number" x="${(end + 4).toFixed(1)}" y="${top + BAR - 4}">${short(value)}${escaped(unit)}</text>`
  })
  const label = `<text x="${(x(0) - 8).toFixed(1)}" y="${middle}" text-anchor="end">${escaped(name)}</text>`
  return [label, ...bars].join('\n')
}

function markText({ name }: NonNullable<BarChart['mark']>, x: number, height: number): string {
  const at = x.toFixed(1)
  const anchor = x > WIDTH / 2 ? 'end' : 'start'
  return `<line class="mark" x1="${at}" y1="${TOP - 8}" x2="${at}" y2="${height - 6}"/>`
    + `<text class="mark-name" x="${(x + (anchor === 'end' ? -4 : 4)).toFixed(1)}" y="${TOP - 10}" `
    + `text-anchor="${anchor}">${escaped(name)}</text>`
}

function colour(i: number): string {
  return SERIES[i % SERIES.length] ?? '#000000'
}

/** Three digits are enough for a bar. */
export function short(value: number): string {
  const size = Math.abs(value)
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
