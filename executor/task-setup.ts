/** What a connection runs first (session settings, a user's tables, as one text), and then the task's own SQL. */

import { QueryError } from '../proto/errors.ts'
import { TaskDefinition_SqlKind as SqlKind, type TaskDefinition } from '../proto/gen/executor_pb.js'
import { quoteName, quoteText } from '../proto/sql-text.ts'
import { catalogs, inputRelation, scanRelation, tableView } from './views.ts'

/** DuckDB makes chunks ahead up to this; its default of 1 MB stalls scans behind the encoder. */
const STREAMING_BUFFER = '4MB'
/** Without it DuckDB keeps no count of what is done; it draws its bar itself if it is not told not to. */
const PROGRESS = 'SET SESSION enable_progress_bar = true;\nSET SESSION enable_progress_bar_print = false'
/** What a session may set: it changes values and errors, and nothing that a task may reach or use. Lower case. */
const SESSION_SETTINGS: ReadonlySet<string> = new Set([
  'timezone', 'calendar', 'default_null_order', 'null_order', 'default_order', 'default_collation', 'integer_division',
  'ieee_floating_point_ops', 'old_implicit_casting', 'order_by_non_integer_literal',
  'scalar_subquery_error_on_multiple_rows', 'lambda_syntax',
])

/** The session's settings, and ours; PERMISSION_DENIED for one that a session may not have. */
export function settingsSql({ settings }: Pick<TaskDefinition, 'settings'>): string {
  return [
    ...Object.entries(settings).map(([name, value]) => setting(name, value)),
    `SET SESSION streaming_buffer_size = '${STREAMING_BUFFER}'`,
    PROGRESS,
  ].join(';\n')
}

/** For a user's own text: the same, and its tables under their own names. */
export function originalSetup(task: TaskDefinition, scanPaths: readonly (readonly string[])[]): string {
  const place = [task.defaultCatalog, task.defaultSchema].filter(name => name !== '')
  return [
    settingsSql(task),
    ...catalogs(task.scans, task.defaultCatalog, task.defaultSchema),
    ...task.scans.map((scan, i) => tableView(scan, scanPaths[i] ?? [])),
    ...(task.defaultCatalog === '' ? [] : [`USE ${place.map(quoteName).join('.')}`]),
  ].join(';\n')
}

/** The text to run: a user's own, or an emitted one with what it reads in front of it. */
export function taskSql(
  task: TaskDefinition, scanPaths: readonly (readonly string[])[], inputPaths: readonly (readonly string[])[],
): string {
  const own = ownSql(task)
  const relations = task.sqlKind === SqlKind.ORIGINAL ? [] : [
    ...task.scans.map((scan, i) => scanRelation(scan, scanPaths[i] ?? [])),
    ...task.inputs.map((input, i) => inputRelation(input, inputPaths[i] ?? [])),
  ]
  if (relations.length === 0) return own
  const after = /^WITH\s/.test(own) ? `,\n${own.slice('WITH'.length)}` : `\n${own}`
  return `WITH ${relations.join(',\n')}${after}`
}

/** Its rows are in order, and the text ends with that order, or with nothing behind the subquery that has it. */
function ownSql({ sql, output }: TaskDefinition): string {
  const slice = output.case === 'result' ? output.value.slice : undefined
  return slice === undefined ? sql : `${sql}\nLIMIT ${slice.limit} OFFSET ${slice.offset}`
}

/** The session's own: nothing of it outlives the connection. */
function setting(name: string, value: string): string {
  if (!SESSION_SETTINGS.has(name.toLowerCase())) {
    throw new QueryError('PERMISSION_DENIED', `setting ${JSON.stringify(name)} cannot be changed`)
  }
  return `SET SESSION ${name} = ${quoteText(value)}`
}
