/**
 * The shape of DuckDB's plan JSON: every operator, expression, filter and type that the statements of the tests bring
 * about, with its fields. A version of DuckDB that changed it fails here, by name, and not at a user.
 */

import t from 'tap'
import { matchGolden } from '../golden.ts'
import { odd } from './odd-statements.ts'
import { RoundTrip } from './round-trip.ts'
import { decoded } from './statements.ts'

const roundTrip = await RoundTrip.open()
t.teardown(() => roundTrip.close())

/** What names the kind of a node, the first that it has. */
const KINDS = ['expression_class', 'filter_type'] as const

/** Adds the kinds of nodes below `value`, each with the fields that any such node has. */
function collect(value: unknown, shapes: Map<string, Set<string>>): void {
  if (Array.isArray(value)) for (const item of value) collect(item, shapes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  const node = value as Readonly<Record<string, unknown>>
  const kind = kindOf(node)
  if (kind !== null) {
    const fields = shapes.get(kind) ?? new Set()
    for (const name of Object.keys(node)) fields.add(name)
    shapes.set(kind, fields)
  }
  for (const child of Object.values(node)) collect(child, shapes)
}

function kindOf(node: Readonly<Record<string, unknown>>): string | null {
  const { type } = node
  const named = KINDS.map(field => node[field]).find(kind => typeof kind === 'string')
  if (typeof named === 'string') return typeof type === 'string' ? `${named} ${type}` : named
  return typeof type === 'string' && /^LOGICAL_|_INFO$/.test(type) ? type : null
}

t.test('the plan JSON has the shape that the decoder was written for', async t => {
  const shapes = new Map<string, Set<string>>()
  let count = 0
  for (const sql of [...Object.values(decoded), ...Object.values(odd)].flat()) {
    const json = (await roundTrip.planJson(sql)).replaceAll(/\bNaN\b|-?\bInfinity\b/g, '0')
    collect(JSON.parse(json), shapes)
    count++
  }
  t.ok(count > 300, `${count} statements`)
  const lines = [...shapes].map(([kind, fields]) => `${kind}\n  ${[...fields].sort().join(' ')}\n`).sort()
  matchGolden(t, 'test/planner/golden/plan-shape.plan', lines.join(''))
})
