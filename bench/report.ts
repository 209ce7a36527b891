/** What a family gave, as text for people: tables and figures, and its section of bench/results.md. Pure but for the
 * machine's name. */

import { availableParallelism, cpus, loadavg } from 'node:os'
import { isReached, type FamilyResult, type Figure, type Table } from './family.ts'

export interface Origin {
  /** What makes this section anew. */
  readonly command: string
  readonly commit: string
  readonly machine: string
}

export function thisMachine(): string {
  const [load = 0] = loadavg()
  return `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, load ${load.toFixed(1)}, `
    + `Node ${process.versions.node}`
}

/** The file of a section's chart, without its ending. */
export function chartName(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-')
}

/** Tables and figures, as printed. */
export function body(result: FamilyResult): string {
  return [...result.tables.map(tableText), figuresText(result.figures)].filter(text => text !== '').join('\n\n')
}

/** The section of a family; its chart lies beside the document. */
export function section(name: string, result: FamilyResult, { command, commit, machine }: Origin): string {
  return `## ${name}

\`${command}\` at ${commit}, ${machine}.

${result.method}

${body(result)}

![${result.chart.title}](results/${chartName(name)}.svg)
`
}

export function tableText({ title, heads, rows }: Table): string {
  const lines = [heads, heads.map((_, i) => i === 0 ? '--' : '--:'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
  return `${title === '' ? '' : `${title}:\n\n`}${lines.join('\n')}`
}

function figuresText(figures: readonly Figure[]): string {
  if (figures.length === 0) return ''
  const rows = figures.map(figure => [
    figure.what, `${figure.bound} ${plain(figure.limit)}${figure.unit}`, `${plain(figure.value)}${figure.unit}`,
    isReached(figure) ? 'reached' : '**missed**',
  ])
  return tableText({ title: 'Figures to reach', heads: ['figure', 'wanted', 'measured', ''], rows })
}

/** Two decimals, or what a larger number needs. */
export function plain(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 100 ? 2 : 0)
}

/** `document` with the section of the same heading replaced where it stands, or added at the end. */
export function withSection(document: string, section: string): string {
  const [heading = ''] = section.split('\n')
  const parts = document.split(/^(?=## )/m).map(part => part.trimEnd())
  const at = parts.findIndex(part => part === heading || part.startsWith(`${heading}\n`))
  const fresh = section.trimEnd()
  const next = at === -1 ? [...parts, fresh] : parts.map((part, i) => i === at ? fresh : part)
  return `${next.join('\n\n')}\n`
}

/** Empty for what was not measured. */
export const whole = (value: number): string => Number.isNaN(value) ? '' : value.toFixed(0)
export const ratio = (value: number): string => Number.isNaN(value) ? '' : value.toFixed(2)

export function bytes(count: number): string {
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(0)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`
}
