/**
 * An explanation as a Mermaid flowchart: tables at the bottom, a box a stage, an arrow an exchange with the rows that
 * cross it, the result on top.
 */

import type { ExplainedStage, Explanation } from './explanation.ts'
import { bytes, count, estimate } from './explain-numbers.ts'

/** Operators named in a box; the rest is in the text. */
const MAX_OPERATORS = 6
const MAX_LINE = 60

export function explanationMermaid({ stages, actual }: Explanation): string {
  const lines = ['flowchart BT', '  result(["result"])']
  for (const stage of stages) {
    lines.push(`  s${stage.stage}["${box(stage)}"]`)
    stage.scans.forEach((scan, i) => {
      const table = `t${stage.stage}_${i}`
      const files = `${scan.files_kept} of ${count(scan.files, 'file')}<br/>${bytes(scan.bytes)}`
      lines.push(`  ${table}[("${escaped(scan.table)}<br/>${files}")]`)
      lines.push(`  ${table} -->|"${scan.reads === 'split' ? 'splits' : 'every task'}"| s${stage.stage}`)
    })
    for (const input of stage.inputs) {
      const from = stages.find(other => other.stage === input.stage)
      const rows = from === undefined ? '' : `<br/>${rowsOf(from)}`
      lines.push(`  s${input.stage} ==>|"${escaped(input.exchange)}${rows}"| s${stage.stage}`)
    }
  }
  const last = stages.at(-1)
  if (last !== undefined) {
    const rows = actual === null ? estimate(last.estimated_rows) + ' rows' : count(actual.rows, 'row')
    const turns = last.tasks > 1 ? '<br/>of all tasks in turns' : ''
    lines.push(`  s${last.stage} ==>|"${rows}${turns}"| result`)
  }
  return `${lines.join('\n')}\n`
}

function box(stage: ExplainedStage): string {
  const named = stage.operators.filter(({ reads, text }) => reads === null && !text.startsWith('Scan '))
  const shown = named.slice(0, MAX_OPERATORS).map(({ text }) => escaped(shorten(text)))
  const more = named.length > shown.length ? ['…'] : []
  const ran = stage.actual === null ? [] : [`${Math.round(stage.actual.cpu_ms)} ms of CPU`]
  return [`<b>stage ${stage.stage}</b>, ${count(stage.tasks, 'task')}`, ...ran, ...shown, ...more].join('<br/>')
}

function rowsOf({ actual, estimated_rows: rows }: ExplainedStage): string {
  return actual === null ? `${estimate(rows)} rows` : count(actual.rows, 'row')
}

function shorten(text: string): string {
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE - 1)}…` : text
}

/** What means something to Mermaid, or to the HTML that it makes, is written as the number of its character. */
function escaped(text: string): string {
  return text.replace(/[^\w\s.,:…*=+-]/gu, character => `#${character.codePointAt(0)};`)
}
