/**
 * Where the exchanges of an aggregate go.
 *
 *   rows are not apart                            Aggregate > x
 *   rows of a group are together already          Aggregate > x
 *   every call can be combined from parts         Project > Aggregate > Exchange > Aggregate > x
 *   DISTINCT calls without groups                 the same, with their arguments among the groups of the parts
 *   otherwise the rows move; always right         Aggregate > Exchange > x
 *
 * The exchange hashes on the groups; it gathers if there are none, for GROUPING SETS, or if the parts are few. Groups
 * of the parts are the finest, without sets. The Project is there for calls whose value is made from several parts.
 */

import type { DuckType } from '../../proto/types.ts'
import type { AggregateCall, Cast, Expression } from '../expression.ts'
import type { Aggregate, Plan } from '../plan.ts'
import { partsOf, type Parts } from './aggregate-parts.ts'
import { about } from './about.ts'
import { ASSUMED_TASKS, isFewToGather, isFewToMove } from './cost.ts'
import { column, columnOf, typeOf } from './expressions.ts'
import {
  apart, areHashable, gather, hash, inPlace, isApart, renamed, together, type CutContext, type Placed,
} from './spread.ts'


const BIGINT: DuckType = { kind: 'scalar', name: 'BIGINT' }

export function cutAggregate(aggregate: Aggregate, input: Placed, context: CutContext): Placed {
  const here: Plan = { ...aggregate, input: input.plan }
  if (!isApart(input)) return { plan: here, spread: input.spread }
  const columns = aggregate.groups.map(columnOf)
  if (aggregate.sets === null && together(input.spread, columns)) {
    return { plan: { ...aggregate, input: inPlace(input) }, spread: renamed(input.spread, columns) }
  }
  return inParts(aggregate, input, context) ?? afterMove(aggregate, input, context)
}

/** The rows move to the task of their group; exact for every aggregate. */
function afterMove(aggregate: Aggregate, input: Placed, context: CutContext): Placed {
  const isFew = isFewToMove(input.plan.rows, context)
  const canHash = aggregate.sets === null && areHashable(aggregate.groups) && !isFew
  const moved = canHash ? hash(input, aggregate.groups, 'not to be made from parts: the rows of a group meet')
    : gather(input, isFew ? `${about(input.plan.rows)} are few enough for one task`
      : 'not to be made from parts, and no groups to hash on')
  const plan: Plan = { ...aggregate, input: moved.plan }
  return { plan, spread: canHash ? apart(aggregate.groups.map((_, i) => [i])) : moved.spread }
}

function inParts(aggregate: Aggregate, input: Placed, context: CutContext): Placed | null {
  const { groups, rows } = aggregate
  const calls = aggregate.calls.filter(call => call.kind === 'AggregateCall')
  if (calls.length < aggregate.calls.length) return null
  const keys = [...groups, ...distinctArguments(aggregate, calls)]
  const partial = new Map<string, AggregateCall>()
  const add = (call: AggregateCall): number => {
    const text = textOf(call)
    partial.set(text, partial.get(text) ?? call)
    return keys.length + [...partial.keys()].indexOf(text)
  }
  const parts: Parts[] = []
  for (const call of calls) {
    const next = partsOf(call, add, groups.length > 0 ? [] : keys)
    if (next === null) return null
    parts.push(next)
  }
  const partRows = keys.length === 0 ? ASSUMED_TASKS
    : keys.length > groups.length ? input.plan.rows : Math.min(input.plan.rows, rows * ASSUMED_TASKS)
  const below: Placed = {
    plan: {
      kind: 'Aggregate', input: input.plan, groups: keys, calls: [...partial.values()], sets: null, groupings: [],
      rows: partRows, isOfParts: true,
    },
    spread: input.spread,
  }
  const first = groups.map((group, i) => column(i, typeOf(group)))
  const isFew = isFewToGather(partRows, context)
  const isGathered = aggregate.sets !== null || isFew || !areHashable(first)
  const moved = isGathered ? gather(below, whyGathered(partRows, groups.length))
    : hash(below, first, `the parts of a group meet in one task: ${about(partRows)}`)
  return { plan: combined(aggregate, moved.plan, first, parts), spread: moved.spread }
}

function whyGathered(partRows: number, groups: number): string {
  return groups === 0 ? 'one task combines the parts' : `one task combines the parts of groups: ${about(partRows)}`
}

/** The same for the same call, wherever its casts were written: sum(x) is made once for sum(x) and avg(x). */
function textOf(call: AggregateCall): string {
  return JSON.stringify(call, (key, value: unknown) =>
    key === ('origin' satisfies keyof Cast) ? undefined : typeof value === 'bigint' ? `${value}n` : value)
}

/** Arguments of DISTINCT calls that parts can be made for: only without groups, else the rows of a group move. */
function distinctArguments(aggregate: Aggregate, calls: readonly AggregateCall[]): readonly Expression[] {
  if (aggregate.groups.length > 0 || aggregate.sets !== null) return []
  return calls.filter(call => call.distinct && call.filter === null).flatMap(call => call.children)
}

function combined(aggregate: Aggregate, input: Plan, groups: readonly Expression[], parts: readonly Parts[]): Plan {
  const calls = parts.flatMap(part => part.calls)
  const { rows, sets, groupings } = aggregate
  const final: Plan = { kind: 'Aggregate', input, groups, calls, sets, groupings, rows }
  if (parts.every(part => part.calls.length === 1 && part.value === null)) return final
  const values: Expression[] = []
  let position = groups.length
  for (const part of parts) {
    const at = position
    const made = part.calls.map((call, i) => column(at + i, call.type))
    values.push(...(part.value === null ? made : [part.value(made)]))
    position += part.calls.length
  }
  const marks = groupings.map((_, i) => column(position + i, BIGINT))
  return { kind: 'Project', input: final, expressions: [...groups, ...values, ...marks], rows }
}
