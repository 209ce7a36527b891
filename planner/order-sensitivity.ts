/**
 * Whether an operator may give other rows when it runs again over the same rows, perhaps in another order. Tasks of
 * such fragments are never half repeated: when the output of one is lost, every task that read any of it runs again.
 * Volatile functions are such a reason too.
 *
 * What is not known to be settled by the set of rows counts as sensitive. Sums of floats count as settled: their last
 * bits may differ, as between two runs of DuckDB.
 */

import type { AggregateCall, Expression, Order, WindowCall } from './expression.ts'
import type { Plan } from './plan.ts'
import type { Cut } from './fragment.ts'
import { columnOf, some } from './cut/expressions.ts'
import { expressionsOf } from './cut/operator.ts'
import { inputs } from './plan.ts'

/** Of the operators of the fragment; what its inputs were is the business of their fragments. */
export function isOrderSensitive({ root, output }: Cut, volatileFunctions: ReadonlySet<string>): boolean {
  if (output.kind === 'sample') return true
  const reaches = (plan: Plan): boolean => dependsOnOrder(plan) || isVolatile(plan, volatileFunctions)
    || (plan.kind !== 'Exchange' && inputs(plan).some(reaches))
  return reaches(root)
}

/** Of one operator. `volatileFunctions`: names of the functions that may give another value at each call. */
export function isVolatile(plan: Plan, volatileFunctions: ReadonlySet<string>): boolean {
  const isCall = (part: Expression): boolean => part.kind === 'Call' && volatileFunctions.has(part.name)
  return expressionsOf(plan).some(expression => some(expression, isCall))
}

/**
 * True if it takes sorted rows in their order, as list(x) does over a subquery with ORDER BY. Fragments do not keep the
 * order of rows between operators; a query that runs whole does.
 */
export function needsSortedInput(plan: Plan): boolean {
  if (plan.kind === 'Aggregate') return plan.calls.some(isUnordered) && isSorted(plan.input)
  if (plan.kind === 'Window') return plan.calls.some(call => call.orders.length === 0) && isSorted(plan.input)
  return false
}

function isUnordered(call: Expression): boolean {
  return call.kind === 'AggregateCall' && call.orders.length === 0 && isSensitiveCall(call)
}

function isSorted(plan: Plan): boolean {
  switch (plan.kind) {
    case 'Sort': case 'TopN': return true
    case 'Project': case 'Filter': case 'Limit': case 'Unnest': case 'Window': return isSorted(plan.input)
    default: return false
  }
}

/** Of one operator. A Sort only orders; who takes some of its rows is asked. */
export function dependsOnOrder(plan: Plan): boolean {
  switch (plan.kind) {
    case 'Limit': return true
    case 'TopN': return !ordersAll(plan.orders, plan.input)
    case 'Distinct': return plan.on || plan.orders.length > 0
    case 'Aggregate': return plan.calls.some(isSensitiveCall)
    case 'Window': return plan.calls.some(isSensitiveWindow)
    case 'Join': return plan.asof
    default: return false
  }
}

/** True if the orders name every column, so that rows which tie are the same. Only where the columns can be counted. */
function ordersAll(orders: readonly Order[], input: Plan): boolean {
  const width = input.kind === 'Project' ? input.expressions.length
    : input.kind === 'Aggregate' ? input.groups.length + input.calls.length + input.groupings.length : null
  return width !== null && new Set(orders.map(by => columnOf(by.expression)).filter(i => i !== null)).size === width
}

/** Aggregates whose value the set of rows settles. */
const SETTLED: ReadonlySet<string> = new Set([
  'count', 'count_star', 'count_if', 'countif', 'sum', 'sum_no_overflow', 'avg', 'mean', 'min', 'max', 'product',
  'bool_and', 'bool_or', 'bit_and', 'bit_or', 'bit_xor', 'bitstring_agg', 'histogram', 'histogram_exact',
  'approx_count_distinct', 'entropy', 'median', 'mad', 'quantile', 'quantile_cont', 'quantile_disc', 'fsum', 'favg',
  'kahan_sum', 'sumkahan', 'stddev', 'stddev_pop', 'stddev_samp', 'variance', 'var_pop', 'var_samp', 'sem', 'skewness',
  'kurtosis', 'kurtosis_pop', 'corr', 'covar_pop', 'covar_samp', 'regr_avgx', 'regr_avgy', 'regr_count',
  'regr_intercept', 'regr_r2', 'regr_slope', 'regr_sxx', 'regr_sxy', 'regr_syy',
])
/** Window functions that give rows which tie the same value. */
const PEERS: ReadonlySet<string> = new Set(['rank', 'dense_rank', 'percent_rank', 'cume_dist'])

function isSensitiveCall(call: Expression): boolean {
  return call.kind !== 'AggregateCall' || !SETTLED.has(call.name)
}

function isSensitiveWindow({ call, frame }: WindowCall): boolean {
  if (call.kind === 'WindowFunction') return !PEERS.has(call.name)
  return isSensitiveCall(call satisfies AggregateCall) || (frame !== null && frame.unit === 'ROWS' && !(
    frame.start.kind === 'unbounded-preceding' && frame.end.kind === 'unbounded-following'))
}
