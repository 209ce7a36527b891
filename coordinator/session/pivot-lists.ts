/** The lists of a PIVOT that was written without: see planner/pivot-values. */

import { leavesNoColumn, listEdits, placeInText, type PivotQuestion } from '../../planner/pivot-values.ts'
import type { Statement } from '../../planner/statement-list.ts'
import { edited, ofUnedited, withoutExcerpt } from '../../planner/text-edits.ts'
import { QueryError } from '../../proto/errors.ts'
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

/** The statement itself, once its questions are answered. */
export async function withPivotLists(sql: string, ports: PivotPorts, signal: AbortSignal): Promise<Statement> {
  const pivot = await readOne(sql, ports)
  if (pivot.kind !== 'pivot') return pivot
  const values: (readonly string[])[] = []
  for (const question of pivot.questions) {
    const asked = answers(question, ports, signal)
    values.push(await asked.catch((thrown: unknown) => { throw inText(thrown, question) }))
  }
  const edits = listEdits(pivot.questions, values)
  const whole = await readOne(edited(sql, edits), ports)
  if (!listed.has(whole.kind)) throw new QueryError('UNSUPPORTED_STATEMENT', 'PIVOT without a list of values')
  // once more when it runs, which costs nothing: the plan is kept
  const bound = whole.kind === 'explain' ? await explained(whole, ports) : whole
  await ports.describe(bound).catch((thrown: unknown) => { throw named(thrown) ?? ofUnedited(thrown, edits) })
  return whole
}

function named(thrown: unknown): QueryError | null {
  if (!(thrown instanceof QueryError) || !leavesNoColumn(thrown)) return null
  return new QueryError(thrown.code, 'PIVOT on a column that has no values, and no other column is left')
}

/** What a PIVOT may stand in. */
const listed: ReadonlySet<Statement['kind']> = new Set(['query', 'explain', 'change'])

/** What an EXPLAIN tells of, at its place. */
async function explained(
  { inner, offset }: Extract<Statement, { kind: 'explain' }>, ports: PivotPorts,
): Promise<Statement> {
  return { ...await readOne(inner, ports), text: inner.padStart(offset + inner.length) }
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
