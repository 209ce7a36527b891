/**
 * What names a result for certain: everything that its tasks are told. Two statements with the same key run the same
 * SQL over the same versions of the same files under the same settings, so one's rows are the other's. Whose statement
 * it is does not matter where only emitted SQL runs: it was planned and authorised for its own principal before.
 */

import { createHash } from 'node:crypto'
import type { PlannedWork } from './plan-query.ts'
import type { QueryRequest } from './running-query.ts'

/** Null: its result must not be given to others, nor others' to it. */
export function resultKey(
  request: QueryRequest, { planned, tables }: Pick<PlannedWork, 'planned' | 'tables'>,
): string | null {
  const { settings, enums, compression, principal, sessionId, defaultCatalog, defaultSchema } = request
  if (planned.volatile || request.cache === false) return null
  const { sqlKind, fragments, columns } = planned
  // the user's own text runs where names and objects of its session are
  const whose = sqlKind === 'original' ? [principal, sessionId, defaultCatalog, defaultSchema] : []
  const files = tables.map(table =>
    [table.name, table.version, table.format, table.columns, table.hiveKeys, table.readOptions,
      table.shapes, table.filename])
  const sorted = Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1)
  const told = JSON.stringify(
    [sqlKind, fragments, columns, sorted, enums ?? 'text', compression ?? 'none', whose, files],
    (_, value: unknown) => typeof value === 'bigint' ? `${value}n` : value,
  )
  return createHash('sha256').update(told).digest('base64')
}
