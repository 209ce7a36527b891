/** The lists of a PIVOT that was written without: see planner/pivot-values. */

import { placeInText, type PivotQuestion } from '../../planner/pivot-values.ts'
import type { Statement } from '../../planner/statement-list.ts'
import { edited, ofUnedited, withoutExcerpt, type Edit } from '../../planner/text-edits.ts'
import { QueryError } from '../../proto/errors.ts'
import { quoteText } from '../../proto/sql-text.ts'
import { UTC } from '../../proto/time-zone.ts'
import type { RunningQuery } from '../running-query.ts'
import { rowText } from '../serve/row-text.ts'
import type { Answer } from './answer.ts'

/** Each makes a column of every aggregate. */
const MAX_VALUES = 10_000
/** Of all values of a column. */
const MAX_CHARACTERS = 1024 * 1024

export interface PivotPorts {
  readonly read: (sql: string) => Promise<readonly Statement[]>
  readonly run: (statement: Statement) => Promise<RunningQuery | Answer>
  /** Rejects with what is wrong with it; nothing runs. */
  readonly describe: (statement: Statement) => Promise<unknown>
}

/** The statement that reads, once its questions are answered. */
export async function withPivotLists(sql: string, ports: PivotPorts, signal: AbortSignal): Promise<Statement> {
  const pivot = await readOne(sql, ports)
  if (pivot.kind !== 'pivot') return pivot
  const edits: Edit[] = []
  for (const question of pivot.questions) {
    const values = await answers(question, ports, signal).catch((thrown: unknown) => { throw inText(thrown, question) })
    if (values.length === 0) throw new QueryError('UNSUPPORTED_STATEMENT', 'PIVOT on a column that has no values')
    edits.push({ start: question.at, end: question.at, text: ` IN (${values.map(quoteText).join(', ')})` })
  }
  const whole = await readOne(edited(sql, edits), ports)
  if (whole.kind !== 'query') throw new QueryError('UNSUPPORTED_STATEMENT', 'PIVOT without a list of values')
  // once more when it runs, which costs nothing: the plan is kept
  await ports.describe(whole).catch((thrown: unknown) => { throw ofUnedited(thrown, edits) })
  return whole
}

async function answers(
  question: PivotQuestion, ports: PivotPorts, signal: AbortSignal,
): Promise<readonly string[]> {
  const asked = await readOne(question.sql, ports)
  const query = asked.kind === 'query' ? await ports.run(asked) : null
  if (query === null || !('release' in query)) throw new Error('a PIVOT asks for its values by a query')
  return valuesOf(query, signal)
}

/** An error of the question, at its place in the text. */
function inText(thrown: unknown, question: PivotQuestion): unknown {
  if (!(thrown instanceof QueryError)) return thrown
  const position = thrown.position === undefined ? undefined : placeInText(question, thrown.position)
  return new QueryError(thrown.code, withoutExcerpt(thrown.message), { position, cause: thrown })
}

async function readOne(sql: string, { read }: PivotPorts): Promise<Statement> {
  const [only, ...more] = await read(sql)
  if (only === undefined || more.length > 0) throw new Error('a PIVOT that is not one statement')
  return only
}

async function valuesOf(query: RunningQuery, signal: AbortSignal): Promise<readonly string[]> {
  const cancel = (): void => { query.cancel('the statement was cancelled') }
  signal.addEventListener('abort', cancel, { once: true })
  try {
    let text = ''
    for await (const piece of rowText(query.frames(), await query.columns, 'arrays', UTC)) {
      text += piece
      if (text.length > MAX_CHARACTERS) break
    }
    const rows = text.split('\n').filter(line => line !== '')
    if (rows.length > MAX_VALUES || text.length > MAX_CHARACTERS) {
      const most = `${MAX_VALUES} values, or ${MAX_CHARACTERS} characters`
      throw new QueryError('RESULT_TOO_LARGE', `PIVOT of more than ${most}`)
    }
    return rows.map(row => (JSON.parse(row) as [string])[0])
  } finally {
    signal.removeEventListener('abort', cancel)
    query.release()
  }
}
