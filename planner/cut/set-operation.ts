/**
 * Where the exchanges of set operations go.
 *
 *   UNION ALL, no input is apart    SetOperation > x, y
 *   UNION ALL                       SetOperation > x, Exchange hash > y     y is not apart: one task sends its rows
 *   EXCEPT, INTERSECT               SetOperation > Exchange hash(all columns) > x, Exchange hash(all columns) > y
 *
 * Parts of a UNION ALL stay where they are. Columns that cannot be hashed are gathered.
 */

import type { Expression } from '../expression.ts'
import type { SetOperation } from '../plan.ts'
import { Unsupported } from '../unsupported.ts'
import { allColumns } from './columns.ts'
import {
  apart, areHashable, gather, hash, isApart, isHashable, SINGLE, type CutContext, type Placed,
} from './spread.ts'
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
  if (types.size > 1 || !keys.every(areHashable)) {
    return place(inputs.map(input => gather(input, 'columns that cannot be hashed')))
  }
  return place(inputs.map((input, i) => hash(input, keys[i] ?? [], 'equal rows of both sides meet in one task')))
}

/** Rows to any one task each, by one column: a key that nobody else reads would cross the exchange for nothing. */
function scatter(input: Placed, context: CutContext): Placed {
  const [key] = allColumns(input.plan, context.tableTypes).filter(column => isHashable(typeOf(column)))
  return { ...hash(input, [key ?? ZERO], 'spread over the tasks of the other inputs'), spread: apart() }
}

const ZERO: Expression = {
  kind: 'Constant', value: { kind: 'integer', value: 0n }, type: { kind: 'scalar', name: 'INTEGER' },
}
