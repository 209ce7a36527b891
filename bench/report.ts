/** What a bench prints and writes: a table of text, and its section of bench/results.md. */

import { availableParallelism, cpus } from 'node:os'
import type { QueryResult, TpchResult } from './tpch/compare.ts'
import { geometricMean } from './harness.ts'

const heads = ['query', 'plain CPU ms', 'skein CPU ms', 'CPU ratio', 'plain ms', 'skein ms', 'stages', 'tasks', 'moved']

export const tableHead = `| ${heads.join(' | ')} |\n|${heads.map(() => '--:').join('|')}|`

export function tableRow({ number, plain, skein, stats, fault }: QueryResult): string {
  const cells = [
    `Q${number}`, whole(plain.cpuMs), whole(skein.cpuMs), skein.cpuRatio.toFixed(2), whole(plain.wallMs),
    whole(skein.wallMs), text(stats['stages']), text(stats['tasks']), bytes(Number(stats['exchange_bytes'] ?? 0)),
  ]
  return `| ${cells.join(' | ')} |${fault === undefined ? '' : ` ${fault}`}`
}

export function summary({ queries, selectOneMs }: TpchResult): string {
  const cpu = geometricMean(queries.map(({ skein }) => skein.cpuRatio))
  const wall = geometricMean(queries.map(({ skein }) => skein.wallRatio))
  const { p50, p95 } = selectOneMs
  return `Geometric means of skein / plain DuckDB: CPU ${cpu.toFixed(2)}, wall ${wall.toFixed(2)}. `
    + `\`select 1\` over HTTP: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms.`
}

export interface SectionOptions {
  readonly command: string
  readonly commit: string
  readonly environment: Readonly<Record<string, string>>
}

export function section(result: TpchResult, { command, commit, environment }: SectionOptions): string {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`).join(' ')
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores`
  return `${headingOf(command)}

\`${settings} ${command}\` at ${commit}, Node ${process.versions.node}, ${machine}. CPU of coordinator, planner and
executors together against one plain DuckDB process over the same files; medians of rounds that take turns; every text
is planned anew.

${tableHead}
${result.queries.map(tableRow).join('\n')}

${summary(result)}
`
}

function headingOf(command: string): string {
  return `## ${command.replace('npm run bench -- ', '')}`
}

/** `document` with the section of the same heading replaced, or added at the end. */
export function withSection(document: string, section: string): string {
  const [heading = ''] = section.split('\n')
  const parts = document.split(/^(?=## )/m).map(part => part.trimEnd())
  const others = parts.filter(part => !part.startsWith(`${heading}\n`))
  return `${[...others, section.trimEnd()].join('\n\n')}\n`
}

const whole = (value: number): string => value.toFixed(0)
const text = (value: unknown): string => value === undefined ? '' : String(value)

function bytes(count: number): string {
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(0)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`
}
