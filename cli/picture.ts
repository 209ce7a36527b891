/**
 * How a query was spread, as lines for a terminal: a block a stage, a row an executor with a bar for the time its tasks
 * ran, the files they read, and what they put out.
 *
 *   stage 1   3 tasks   1,499,204 rows   2.1 MB
 *     executor 5022d510  ████████████··   412 ms  lineitem/0 lineitem/3 lineitem/6
 */

import type { TaskReport } from './http-client.ts'

const BAR_CELLS = 14
/** More names than these only fill the line; the rest is counted. */
const MAX_FILES = 4
/** Of a stable id, which is a UUID; enough to tell executors apart. */
const SHORT_ID = 8

interface Row {
  readonly executor: string
  readonly tasks: readonly TaskReport[]
  readonly runMs: number
}

export function picture(reports: readonly TaskReport[]): string {
  const counted = reports.filter(report => report.state === 'succeeded')
  const stages = [...new Set(counted.map(report => report.stage))].sort((a, b) => a - b)
  return stages.map(stage => block(stage, counted.filter(report => report.stage === stage))).join('')
}

function block(stage: number, reports: readonly TaskReport[]): string {
  const rows = executors(reports)
  const slowestMs = Math.max(1, ...rows.map(row => row.runMs))
  const rowCount = sum(reports, report => report.rows)
  const outputBytes = sum(reports, report => report.outputBytes)
  const title = [`  stage ${stage}`, count(reports.length, 'task'), count(rowCount, 'row'), `${bytes(outputBytes)} out`]
  return title.join('   ') + '\n' + rows.map(row => {
    const filled = Math.max(1, Math.round(row.runMs / slowestMs * BAR_CELLS))
    const bar = '█'.repeat(filled) + '·'.repeat(BAR_CELLS - filled)
    const took = `${Math.round(row.runMs)} ms`.padStart(8)
    return `    executor ${row.executor.slice(0, SHORT_ID)}  ${bar} ${took}  ${sources(row.tasks)}\n`
  }).join('')
}

function executors(reports: readonly TaskReport[]): Row[] {
  const names = [...new Set(reports.map(report => report.executor))].sort()
  return names.map(executor => {
    const tasks = reports.filter(report => report.executor === executor)
    return { executor, tasks, runMs: sum(tasks, task => task.runMs) }
  })
}

/** What the tasks read: files of tables, then bytes of exchanges. */
function sources(tasks: readonly TaskReport[]): string {
  const files = [...new Set(tasks.flatMap(task => task.files.map(fileName)))]
  const rest = files.length - MAX_FILES
  const exchanged = sum(tasks, task => task.exchangeBytes)
  const parts = [
    ...files.slice(0, MAX_FILES),
    ...(rest > 0 ? [`and ${rest} more`] : []),
    ...(exchanged > 0 ? [`← ${bytes(exchanged)} from other stages`] : []),
  ]
  return parts.join(' ')
}

/** Its folder and its name: files are often only numbered. */
function fileName(path: string): string {
  return path.split('/').slice(-2).join('/').replace(/\.(parquet|csv|json)$/, '')
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  let rest = value
  while (rest >= 1000 && at < units.length - 1) {
    rest /= 1000
    at++
  }
  return `${at === 0 ? rest : rest.toFixed(1)} ${units[at]}`
}

export function count(value: number, noun: string): string {
  return `${value.toLocaleString('en-US')} ${noun}${value === 1 ? '' : 's'}`
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}
