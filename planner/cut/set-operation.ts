/**
 * Where the exchanges of set operations go.
 *
 *   UNION ALL, no input is apart    SetOperation > x, y
 *   UNION ALL                       SetOperation > x, Exchange hash > y     y is not apart: one task sends its rows
 *   EXCEPT, INTERSECT               SetOperation > Exchange hash(all columns) > x, Exchange hash(all columns) > y
 *
 * Parts of a UNION ALL stay where they are. Columns that cannot be hashed are gathered.
 */

import type { SetOperation } from '../plan.ts'
import { Unsupported } from '../unsupported.ts'
import { allColumns } from './columns.ts'
import { apart, areHashable, gather, hash, isApart, isHashable, SINGLE, type CutContext, type Placed } from './spread.ts'
import { typeOf } from './expressions.ts'

export function cutSetOperation(operation: SetOperation, inputs: readonly Placed[], context: CutContext): Placed {
  const place = (moved: readonly Placed[]): Placed => {
    const first = moved.find(input => input.spread.kind !== 'copied') ?? moved[0]
    return {
      plan: { ...operation, inputs: moved.map(input => input.plan) },
      spread: operation.op === 'UNION' && first !== undefined && isApart(first) ? apart() : first?.spread ?? SINGLE,
    }
  }
  if (!inputs.some(isApart)) return place(inputs)
  if (operation.op === 'UNION') {
    if (!operation.all) throw new Unsupported('UNION without ALL') // DuckDB plans it as DISTINCT over UNION ALL
    return place(inputs.map(input => isApart(input) ? input : scatter(input, context)))
  }
  const keys = inputs.map(input => allColumns(input.plan, context.tableTypes))
  const types = new Set(keys.map(columns => JSON.stringify(columns.map(typeOf))))
  if (types.size > 1 || !keys.every(areHashable)) return place(inputs.map(gather))
  return place(inputs.map((input, i) => hash(input, keys[i] ?? [])))
}

/** Each row to any one task. */
function scatter(input: Placed, context: CutContext): Placed {
  const keys = allColumns(input.plan, context.tableTypes).filter(key => isHashable(typeOf(key)))
  const one = { kind: 'Constant', value: { kind: 'integer', value: 0n }, type: { kind: 'scalar', name: 'INTEGER' } } as const
  return hash(input, keys.length > 0 ? keys : [one])
}
