/**
 * Binds every fragment on the planning instance before any executor sees it: over empty relations with the types that
 * its tables and its inputs have. What does not bind makes the query run whole. Binding also tells the types of a
 * fragment's columns, from which follow the types in exchange files.
 *
 * The relations are CTEs around the text, so nothing is left on the connection.
 */

import type { TableColumn } from '../catalog/table.ts'
import { parseDuckType, typeText } from '../proto/types.ts'
import type { FragmentDraft } from './assemble.ts'
import { wireType } from './exchange-types.ts'
import type { ExchangeColumn, Fragment } from './fragment.ts'
import type { PlannerTable } from './planned-query.ts'
import { quoteName } from './quote.ts'
import { Unsupported } from './unsupported.ts'

/** Binds without running: the columns of the result; rejects with DuckDB's message. */
export type BindSql = (sql: string) => Promise<readonly TableColumn[]>

/** `result`: the columns that preparing the user's text gives; the last fragment is cast to their types. */
export async function bindFragments(
  drafts: readonly FragmentDraft[], tables: readonly PlannerTable[], result: readonly TableColumn[], bind: BindSql,
): Promise<readonly Fragment[]> {
  const bound = new Map<number, readonly ExchangeColumn[]>()
  const fragments: Fragment[] = []
  for (const draft of drafts) {
    const isResult = draft.output.kind === 'result'
    const actual = (await bindDraft(draft, draft.sql, tables, bound, bind)).map(normal)
    const planned = isResult ? result.map(column => normal(column.type)) : draft.types.map(typeText)
    const wanted = planned.map((type, i) => type === '"NULL"' ? actual[i] ?? type : type)
    if (actual.length < wanted.length) throw new Unsupported(`a fragment has ${actual.length} columns, not ${wanted.length}`)
    const sql = castTo(draft.sql, actual, wanted)
    if (sql !== draft.sql) await bindDraft(draft, sql, tables, bound, bind)
    const columns = (wanted.length === 0 ? actual : wanted).map(isResult ? resultColumn : exchangeColumn)
    bound.set(draft.id, columns)
    const { types: _, ...fragment } = draft
    fragments.push({ ...fragment, sql, columns })
  }
  return fragments
}

/** DuckDB spells a type in more than one way. */
function normal(type: string): string {
  return typeText(parseDuckType(type))
}

async function bindDraft(
  draft: FragmentDraft, sql: string, tables: readonly PlannerTable[],
  bound: ReadonlyMap<number, readonly ExchangeColumn[]>, bind: BindSql,
): Promise<readonly string[]> {
  const relations = [
    ...draft.scans.map(({ id, table }) => relation(`scan${id}`, tables[table]?.columns ?? [])),
    ...draft.inputs.map(({ fragment }) => relation(`ex${fragment}`,
      (bound.get(fragment) ?? []).map(({ type }, i) => ({ name: `c${i}`, type })))),
  ]
  const hash = draft.output.kind === 'hash' ? `, hash(${draft.output.keys.join(', ')})` : ''
  const prefix = relations.length === 0 ? '' : `WITH ${relations.join(', ')} `
  try {
    const columns = await bind(`${prefix}SELECT *${hash} FROM (${sql}) AS fragment`)
    return columns.slice(0, columns.length - (hash === '' ? 0 : 1)).map(column => column.type)
  } catch (cause) {
    throw new Unsupported(`a fragment does not bind: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** An empty relation with these columns. */
function relation(name: string, columns: readonly TableColumn[]): string {
  const list = columns.map(column => `CAST(NULL AS ${column.type}) AS ${quoteName(column.name)}`).join(', ')
  return `${name} AS (SELECT ${list} WHERE FALSE)`
}

/** The text with its columns cast where they are not of the wanted types; ORDER BY inside keeps its order. */
function castTo(sql: string, actual: readonly string[], wanted: readonly string[]): string {
  if (wanted.every((type, i) => type === actual[i])) return sql
  const items = wanted.map((type, i) => type === actual[i] ? `c${i}` : `CAST(c${i} AS ${type}) AS c${i}`)
  return `SELECT ${items.join(', ')} FROM (${sql})`
}

function resultColumn(type: string): ExchangeColumn {
  return { type, wireType: type }
}

function exchangeColumn(type: string): ExchangeColumn {
  const wire = wireType(parseDuckType(type))
  if (wire === null) throw new Unsupported(`type ${type} over an exchange`)
  return { type, wireType: typeText(wire) }
}
