import t from 'tap'
import type { Expression } from '../../planner/expression.ts'
import { estimateGroups } from '../../planner/group-estimate.ts'
import type { Aggregate, Plan } from '../../planner/plan.ts'
import type { PlannerTable } from '../../planner/planned-query.ts'

const table: PlannerTable = {
  name: { catalog: 'c', schema: 'main', table: 't' }, version: '1', skeletonPath: '/s',
  rowCount: 1_000_000, sizeBytes: 1,
  columns: [{ name: 'flag', type: 'VARCHAR' }, { name: 'day', type: 'DATE' }, { name: 'id', type: 'BIGINT' }],
  distinctCounts: [3, 365, null],
}
const column = (index: number): Expression => ({ kind: 'ColumnRef', index, type: { kind: 'scalar', name: 'BIGINT' } })
const scan: Plan = { kind: 'Scan', table: 0, columns: [2, 1, 0], filters: [], rows: 1_000_000 }

function groupsBy(groups: readonly Expression[], input: Plan = scan): number {
  const aggregate: Aggregate = { kind: 'Aggregate', input, groups, calls: [], sets: null, groupings: [], rows: 500_000 }
  return estimateGroups(aggregate, [table]).rows
}

t.test('groups are at most the combinations of their columns, NULL included', async t => {
  t.equal(groupsBy([column(2)]), 4)
  t.equal(groupsBy([column(2), column(1)]), 4 * 366)
  const type = { kind: 'scalar', name: 'VARCHAR' } as const
  t.equal(groupsBy([{ kind: 'Cast', child: column(1), type, try: false, origin: null }]), 366)
})

t.test('a column of unknown count leaves the estimate as it was', async t => {
  t.equal(groupsBy([column(2), column(0)]), 500_000)
  t.equal(groupsBy([]), 1)
})

t.test('counts are followed through operators', async t => {
  const project: Plan = { kind: 'Project', input: scan, expressions: [column(2)], rows: 1_000_000 }
  t.equal(groupsBy([column(0)], project), 4)
  const filter: Plan = { kind: 'Filter', input: scan, predicates: [], output: [2], rows: 200_000 }
  t.equal(groupsBy([column(0)], filter), 4)
})

t.test('a plan that nothing is known of is the same value', async t => {
  const plan: Plan = { kind: 'Project', input: { kind: 'OneRow', rows: 1 }, expressions: [], rows: 1 }
  t.equal(estimateGroups(plan, [table]), plan)
})
