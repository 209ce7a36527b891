/**
 * Row estimates. The serialised plan has none, so they are taken from EXPLAIN (FORMAT json) of the same text, which
 * prints the same tree; the decoder walks both together.
 */

import { type JsonNode, parseJson } from './json-node.ts'
import { Unsupported } from './unsupported.ts'

export interface Estimate {
  readonly rows: number
  readonly inputs: readonly Estimate[]
}

/** Where DuckDB prints no estimate: constants, and nodes that pass their input on. */
const ROWS_WHEN_UNKNOWN = 1

/** `explainJson`: the one root of EXPLAIN (FORMAT json) with `explain_output = 'optimized_only'`. */
export function parseEstimates(explainJson: string): Estimate {
  const [root, ...more] = parseJson(explainJson).items()
  if (root === undefined || more.length > 0) throw new Unsupported('EXPLAIN has not one root')
  return estimate(root)
}

function estimate(node: JsonNode): Estimate {
  const inputs = node.list('children').map(estimate)
  const info = node.node('extra_info')
  const text = info.has('Estimated Cardinality') ? info.text('Estimated Cardinality') : null
  if (text === null) return { rows: Math.max(ROWS_WHEN_UNKNOWN, ...inputs.map(({ rows }) => rows)), inputs }
  const digits = /^~?(\d+)( Rows?)?$/.exec(text)?.[1]
  return digits === undefined ? node.refuse(`estimate ${text}`) : { rows: Number(digits), inputs }
}

/** The estimate of the input at `position`. The plan's node has `count` inputs: EXPLAIN must have as many. */
export function inputEstimate(estimate: Estimate, position: number, count: number): Estimate {
  const input = estimate.inputs[position]
  if (input === undefined || estimate.inputs.length !== count) throw new Unsupported('EXPLAIN has another shape')
  return input
}
