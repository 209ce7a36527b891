/**
 * Which exchange costs less, from estimated rows and the widths of types. Only the order of magnitude counts: the
 * estimates are DuckDB's, made without distinct counts.
 */

import type { DuckType } from '../../proto/types.ts'
import type { Plan } from '../plan.ts'
import { columnTypes } from './columns.ts'
import type { CutContext } from './spread.ts'

/** Never copy more to every task, whatever the other side holds: each builds a hash table of it in memory. */
const BROADCAST_LIMIT_BYTES = 128 * 1024 * 1024
/** Tasks that read a broadcast, for estimates. Each of them builds the table again. */
const BROADCAST_READERS = 6

/** A plan with several readers is copied to all tasks up to this: written once, read a few times. */
const SHARED_LIMIT_BYTES = 16 * 1024 * 1024
/** Gathering so many rows into one task costs less than another stage. */
const GATHER_ROWS = 100_000

/** True if the rows are so few that one task may have them all; never when shuffles are forced. */
export function isFewToGather(rows: number, { thresholds }: CutContext): boolean {
  return thresholds.broadcastRows > 0 && rows <= GATHER_ROWS
}

/** True if a plan that several readers share should rather be read by all tasks than stay apart. */
export function isCheapToShare(shared: Plan, context: CutContext): boolean {
  const { broadcastRows } = context.thresholds
  return broadcastRows > 0 && (shared.rows <= broadcastRows || sizeBytes(shared, context) <= SHARED_LIMIT_BYTES)
}

/** True if giving `copied` to every task costs less than an exchange of both sides. */
export function isCheapToBroadcast(copied: Plan, other: Plan, context: CutContext): boolean {
  const { broadcastRows } = context.thresholds
  if (broadcastRows === 0) return false
  if (copied.rows <= broadcastRows) return true
  const bytes = sizeBytes(copied, context)
  return bytes <= BROADCAST_LIMIT_BYTES && bytes * BROADCAST_READERS <= bytes + sizeBytes(other, context)
}

export function sizeBytes(plan: Plan, { tableTypes }: CutContext): number {
  return plan.rows * columnTypes(plan, tableTypes).reduce((sum, type) => sum + widthBytes(type), 0)
}

/** Of one value in an exchange file, roughly. */
export function widthBytes(type: DuckType): number {
  switch (type.kind) {
    case 'scalar': return scalarBytes(type.name)
    case 'decimal': return type.width <= 9 ? 4 : type.width <= 18 ? 8 : 16
    case 'enum': return 8
    case 'list': return 4 * widthBytes(type.child)
    case 'array': return type.size * widthBytes(type.child)
    case 'map': return 4 * (widthBytes(type.key) + widthBytes(type.value))
    case 'struct': return type.fields.reduce((sum, field) => sum + widthBytes(field.type), 0)
    case 'union': return type.members.reduce((sum, member) => sum + widthBytes(member.type), 0)
  }
}

function scalarBytes(name: string): number {
  switch (name) {
    case 'BOOLEAN': case 'TINYINT': case 'UTINYINT': return 1
    case 'SMALLINT': case 'USMALLINT': return 2
    case 'INTEGER': case 'UINTEGER': case 'FLOAT': case 'DATE': return 4
    case 'HUGEINT': case 'UHUGEINT': case 'UUID': case 'INTERVAL': return 16
    case 'VARCHAR': case 'BLOB': case 'JSON': case 'BIT': case 'BIGNUM': return 24
    default: return 8
  }
}
