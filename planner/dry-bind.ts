/**
 * Binds every fragment on the planning instance before any executor sees it: over empty relations with the types that
 * its tables have. What does not bind makes the query run whole. Fragments are bound together, as one text in which
 * each is a CTE that the next ones read: one binding costs a fraction of many, and leaves nothing on the connection.
 */

import type { TableColumn } from '../catalog/table.ts'
import { quoteName } from '../proto/sql-text.ts'
import { parseDuckType, sameType, typeText, type DuckType } from '../proto/types.ts'
import type { FragmentDraft } from './assemble.ts'
import { wireType } from './exchange-types.ts'
import { inputName, type ExchangeColumn, type Fragment } from './fragment.ts'
import type { PlannerTable } from './planned-query.ts'
import { Unsupported } from './unsupported.ts'

/** Binds without running: the columns of the result; rejects with DuckDB's message. */
export type BindSql = (sql: string) => Promise<readonly TableColumn[]>

/** `result`: the columns that preparing the user's text gives; the last fragment is cast to their types. */
export async function bindFragments(
  drafts: readonly FragmentDraft[], tables: readonly PlannerTable[], result: readonly TableColumn[], bind: BindSql,
): Promise<readonly Fragment[]> {
  const last = drafts.at(-1)
  if (last === undefined) throw new Unsupported('no fragment')
  const written = drafts.slice(0, -1).map(draft => ({ draft, columns: exchangeColumns(draft) }))
  const readWhole = new Set(drafts.flatMap(draft => draft.inputs).flatMap(({ fragment, kind }) =>
    kind === 'all' ? [fragment] : []))
  const relations = [
    ...drafts.flatMap(draft => draft.scans.map(({ id, table, columns }) =>
      scanRelation(`scan${id}`, columnsRead(tables[table]?.columns ?? [], columns)))),
    ...written.flatMap(({ draft, columns }) => exchangeRelations(draft, columns, readWhole.has(draft.id))),
  ]
  const head = relations.length === 0 ? '' : `WITH ${relations.join(', ')} `
  const bound = async (sql: string): Promise<readonly string[]> =>
    (await bindAll(`${head}SELECT * FROM (${sql})`, bind)).map(({ type }) => normal(type))
  const actual = await bound(last.sql)
  const wanted = result.map(column => normal(column.type))
  if (actual.length < wanted.length) throw new Unsupported(`${actual.length} columns of ${wanted.length} in the result`)
  const sql = castTo(last.sql, actual, wanted)
  if (sql !== last.sql) await bound(sql)
  const columns = wanted.map(type => ({ type, wireType: type }))
  return [...written.map(({ draft, columns }) => fragment(draft, draft.sql, columns)), fragment(last, sql, columns)]
}

function fragment({ types: _, ...draft }: FragmentDraft, sql: string, columns: readonly ExchangeColumn[]): Fragment {
  return { ...draft, sql, columns }
}

async function bindAll(sql: string, bind: BindSql): Promise<readonly TableColumn[]> {
  try {
    return await bind(sql)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new Unsupported(`a fragment does not bind: ${message}`, { cause })
  }
}

/** DuckDB spells a type in more than one way. */
function normal(type: string): string {
  return typeText(parseDuckType(type))
}

/** Those that the fragment names; one if it only counts. */
function columnsRead(columns: readonly TableColumn[], positions: readonly number[]): readonly TableColumn[] {
  return positions.length === 0 ? columns.slice(0, 1) : columns.filter((_, i) => positions.includes(i))
}

/** An empty relation with columns of a table. */
function scanRelation(name: string, columns: readonly TableColumn[]): string {
  const list = columns.map(column => `CAST(NULL AS ${column.type}) AS ${quoteName(column.name)}`).join(', ')
  return `${name} AS (SELECT ${list} WHERE FALSE)`
}

/** What the readers of a fragment see, by the names that they have for it; its keys are bound too. */
function exchangeRelations(
  { id, sql, output, inputs }: FragmentDraft, columns: readonly ExchangeColumn[], isReadWhole: boolean,
): readonly string[] {
  const list = columns.map(({ type }, i) => `CAST(c${i} AS ${type}) AS c${i}`).join(', ')
  const keys = [
    ...output.kind === 'hash' ? [`hash(${output.keys.join(', ')}) IS NOT NULL`] : [],
    ...output.kind === 'range' || output.kind === 'sample' ? [`${output.key} IS NOT NULL`] : [],
    ...output.kind === 'range' && output.ties.length > 0 ? [`hash(${output.ties.join(', ')}) IS NOT NULL`] : [],
    // DuckDB binds no CTE that nobody reads
    ...inputs.flatMap(input => input.kind === 'bounds' ? [`EXISTS (FROM ${inputName(input)})`] : []),
  ]
  const where = keys.length === 0 ? '' : ` WHERE ${keys.join(' AND ')}`
  const [own, all] = [inputName({ fragment: id, kind: 'gather' }), inputName({ fragment: id, kind: 'all' })]
  const relation = `${own} AS MATERIALIZED (SELECT ${list} FROM (${sql})${where})`
  return isReadWhole ? [relation, `${all} AS NOT MATERIALIZED (FROM ${own})`] : [relation]
}

/** The text with its columns cast where they are not of the wanted types; ORDER BY inside keeps its order. */
function castTo(sql: string, actual: readonly string[], wanted: readonly string[]): string {
  if (wanted.every((type, i) => type === actual[i])) return sql
  const items = wanted.map((type, i) => type === actual[i] ? `c${i}` : `CAST(c${i} AS ${type}) AS c${i}`)
  return `SELECT ${items.join(', ')} FROM (${sql})`
}

/** The types that the plan has: DuckDB bound them once, and the writer of an exchange casts to them. */
function exchangeColumns({ types }: FragmentDraft): readonly ExchangeColumn[] {
  const columns = types.length === 0 ? [UNTYPED] : types // a SELECT has a column, though its plan has none
  return columns.map(planned => {
    const type: DuckType = sameType(planned, UNTYPED) ? { kind: 'scalar', name: 'INTEGER' } : planned
    const wire = wireType(type)
    if (wire === null) throw new Unsupported(`type ${typeText(type)} over an exchange`)
    return { type: typeText(type), wireType: typeText(wire) }
  })
}

/** Of a NULL that nothing gave a type; DuckDB makes an INTEGER column of it. */
const UNTYPED: DuckType = { kind: 'scalar', name: '"NULL"' }
