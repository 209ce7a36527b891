/** Fragments are bound before they are sent: their types, and what happens when one does not bind. */

import t from 'tap'
import type { FragmentDraft } from '../../planner/assemble.ts'
import { bindFragments } from '../../planner/dry-bind.ts'
import { Unsupported } from '../../planner/unsupported.ts'
import { parseDuckType } from '../../proto/types.ts'

const draft: FragmentDraft = {
  id: 0, sql: 'SELECT 1 AS c0', types: [parseDuckType('HUGEINT')], scans: [], inputs: [],
  restrictions: [], output: { kind: 'gather' }, tasks: 'one', orderSensitive: false, maxRows: null, rows: 1, bytes: 8,
}
const root: FragmentDraft = {
  ...draft, id: 1, sql: 'SELECT c0 FROM ex0', inputs: [{ fragment: 0, kind: 'gather' }], output: { kind: 'result' },
}
const result = [{ name: 'n', type: 'BIGINT' }]

t.test('an exchange has the types of the plan, the result those of the statement', async t => {
  const texts: string[] = []
  const fragments = await bindFragments([draft, root], [], result, async sql => {
    texts.push(sql)
    return [{ name: 'c0', type: texts.length === 1 ? 'HUGEINT' : 'BIGINT' }]
  })
  t.strictSame(fragments.map(fragment => fragment.columns), [
    [{ type: 'HUGEINT', wireType: 'VARCHAR' }], [{ type: 'BIGINT', wireType: 'BIGINT' }],
  ])
  t.equal(fragments[1]?.sql, 'SELECT CAST(c0 AS BIGINT) AS c0 FROM (SELECT c0 FROM ex0)')
  t.equal(texts[0], 'WITH ex0 AS MATERIALIZED (SELECT CAST(c0 AS HUGEINT) AS c0 FROM (SELECT 1 AS c0)) '
    + 'SELECT * FROM (SELECT c0 FROM ex0)')
})

t.test('hash keys are bound with their fragment', async t => {
  const hashed: FragmentDraft = { ...draft, output: { kind: 'hash', keys: ['c7'] } }
  let text = ''
  await bindFragments([hashed, root], [], result, async sql => {
    text = sql
    return result
  })
  t.match(text, /WHERE hash\(c7\) IS NOT NULL/)
})

t.test('what does not bind, or cannot cross an exchange, is unsupported', async t => {
  const refused = (drafts: readonly FragmentDraft[], bind: () => Promise<typeof result>): Promise<unknown> =>
    bindFragments(drafts, [], result, bind).then(() => 'bound', (thrown: unknown) => thrown)
  const unbound = await refused([draft, root], () => Promise.reject(new Error('Binder Error: no such column')))
  t.ok(unbound instanceof Unsupported)
  t.match(unbound, { message: 'a fragment does not bind: Binder Error: no such column' })
  const union: FragmentDraft = { ...draft, types: [parseDuckType('UNION(a INTEGER)')] }
  t.match(await refused([union, root], async () => result), { message: 'type UNION("a" INTEGER) over an exchange' })
  t.match(await refused([draft, root], async () => []), { message: '0 columns of 1 in the result' })
})
