/** The types of a plan's columns, in order; their number is its width. From the types that DuckDB bound. */

import type { DuckType } from '../../proto/types.ts'
import { unreachable } from '../../proto/errors.ts'
import type { Expression } from '../expression.ts'
import type { Join, Plan } from '../plan.ts'
import { column, typeOf } from './expressions.ts'

const BIGINT: DuckType = { kind: 'scalar', name: 'BIGINT' }
const INTEGER: DuckType = { kind: 'scalar', name: 'INTEGER' }
const BOOLEAN: DuckType = { kind: 'scalar', name: 'BOOLEAN' }

/** By table, by column. */
export type TableTypes = readonly (readonly DuckType[])[]

export function columnTypes(plan: Plan, tables: TableTypes): readonly DuckType[] {
  const of = (input: Plan): readonly DuckType[] => columnTypes(input, tables)
  switch (plan.kind) {
    case 'Scan': return plan.columns.map(position => scanType(tables, plan.table, position))
    case 'TableFunction': return plan.types
    case 'Lateral': return [...plan.types, ...select(of(plan.input), plan.kept)]
    case 'OneRow': return [INTEGER]
    case 'Empty': case 'DelimScan': case 'CteScan': return plan.types
    case 'Values': return (plan.rowExpressions[0] ?? []).map(typeOf)
    case 'Project': return plan.expressions.map(typeOf)
    case 'Filter': case 'Sort': return select(of(plan.input), plan.output)
    case 'Aggregate':
      return [...plan.groups.map(typeOf), ...plan.calls.map(typeOf), ...plan.groupings.map(() => BIGINT)]
    case 'Join': return joinTypes(plan, of)
    case 'DelimJoin': return joinTypes(plan.join, of)
    case 'CrossProduct': return [...of(plan.left), ...of(plan.right)]
    case 'Window': case 'Unnest': return [...of(plan.input), ...plan.calls.map(typeOf)]
    case 'Distinct': case 'TopN': case 'Limit': case 'Exchange': return of(plan.input)
    case 'SetOperation': return plan.inputs.slice(0, 1).flatMap(of)
    case 'Cte': return of(plan.query)
    default: return unreachable(plan)
  }
}

/** All columns of a plan, as expressions over it. */
export function allColumns(plan: Plan, tables: TableTypes): readonly Expression[] {
  return columnTypes(plan, tables).map((type, i) => column(i, type))
}

/** The items at `positions`, or all of them when null. */
export function select<T>(items: readonly T[], positions: readonly number[] | null): readonly T[] {
  return positions === null ? items : positions.flatMap(position => items.slice(position, position + 1))
}

function scanType(tables: TableTypes, table: number, position: number | null): DuckType {
  return (position === null ? undefined : tables[table]?.[position]) ?? BOOLEAN
}

function joinTypes(join: Join, of: (plan: Plan) => readonly DuckType[]): readonly DuckType[] {
  const left = (): readonly DuckType[] => select(of(join.left), join.leftOutput)
  const right = (): readonly DuckType[] => select(of(join.right), join.rightOutput)
  switch (join.type) {
    case 'SEMI': case 'ANTI': return left()
    case 'RIGHT_SEMI': case 'RIGHT_ANTI': return right()
    case 'MARK': return [...left(), BOOLEAN]
    case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL': case 'SINGLE': return [...left(), ...right()]
  }
}
