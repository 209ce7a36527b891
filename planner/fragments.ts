/**
 * From a decoded plan to the fragments that the coordinator runs, in two ways: distributed, or whole as one fragment in
 * one task. Both throw Unsupported where the plan cannot be written or does not bind.
 */

import type { TableColumn } from '../catalog/table.ts'
import { parseDuckType } from '../proto/types.ts'
import { assemble } from './assemble.ts'
import type { CutContext } from './cut/spread.ts'
import { distribute, contextOf } from './distribute.ts'
import { bindFragments, type BindSql } from './dry-bind.ts'
import { cutAtExchanges, type Fragment } from './fragment.ts'
import type { Plan } from './plan.ts'
import type { PlannerTable, PlanThresholds } from './planned-query.ts'

export interface FragmentRequest {
  readonly plan: Plan
  readonly tables: readonly PlannerTable[]
  readonly thresholds: PlanThresholds
  /** Names and types that preparing the user's text gives. */
  readonly columns: readonly TableColumn[]
  readonly volatileFunctions: ReadonlySet<string>
  /** On a connection where nothing is named scan<k> or ex<k>. */
  readonly bind: BindSql
}

export async function distributedFragments(request: FragmentRequest): Promise<readonly Fragment[]> {
  const context = contextOf({ ...request, tableTypes: tableTypes(request) })
  return finish(request, distribute(request.plan, context), context)
}

export async function wholeFragments(request: FragmentRequest): Promise<readonly Fragment[]> {
  const context = contextOf({ ...request, tableTypes: tableTypes(request) })
  return finish(request, request.plan, { ...context, isSplit: request.tables.map(() => false) })
}

function finish({ tables, columns, bind }: FragmentRequest, plan: Plan, context: CutContext): Promise<readonly Fragment[]> {
  return bindFragments(assemble(cutAtExchanges(plan), context), tables, columns, bind)
}

function tableTypes({ tables }: FragmentRequest): CutContext['tableTypes'] {
  return tables.map(table => table.columns.map(column => parseDuckType(column.type)))
}
