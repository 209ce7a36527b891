/**
 * Queries for the simulation: fragments that move multisets of numbers, so that the one right answer is known. A
 * fragment's SQL is its name, `s<id>`, or `fail` for one that ends with an error of SQL.
 *
 * What a task computes: the rows of its scans, of its hash and keep inputs, and, where a stage is one task, of its
 * other inputs. Where a stage has several tasks, each row instead grows by the number of rows that its copied inputs
 * hold: a copied input that was read in part gives a wrong answer. An order-sensitive fragment hashes its rows by its
 * attempt, and marks them with it: two attempts that are mixed lose or double rows, and show two marks. A result of
 * ranges is in the order of its values: ranges that were made by two samples lose that order, or rows. Under a LIMIT a
 * task writes its first rows, and what reads so many of them, whichever they are, makes them ones.
 */

import { isInOrder, type Fragment, type FragmentInput, type FragmentOutput } from '../../planner/fragment.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import type { TaskDefinitionInit } from '../../proto/task.ts'
import type { Simulation } from './simulation.ts'

type OutputOf<Case> = Extract<NonNullable<TaskDefinitionInit['output']>, { case: Case }>['value']

export interface Row {
  readonly value: number
  /** `<stage>.<partition>@<attempt>` of each order-sensitive task that it came through, or that it was counted with. */
  readonly marks: readonly string[]
}

/** The name of the result's column where its rows are in order. */
const SORTED = 'sorted'
const GROWTH = 7919
const MODULUS = 1_000_000_007

export function compute(own: readonly Row[], copied: readonly Row[], single: boolean): Row[] {
  if (single) return [...own, ...copied]
  const marks = copied.flatMap(row => row.marks)
  return own.map(
    row => ({ value: (row.value + GROWTH * copied.length) % MODULUS, marks: [...new Set([...row.marks, ...marks])] }),
  )
}

export function ones(rows: readonly Row[], count: number): Row[] {
  return rows.slice(0, count).map(({ marks }) => ({ value: 1, marks }))
}

/** Whether a fragment reads the first rows of another. */
export function isLimit({ maxRows, stageRows }: Fragment): boolean {
  return maxRows !== null && stageRows === undefined
}

/** The values of the answer, sorted. `files`: the numbers of each table. */
export function answer(planned: PlannedQuery, tables: readonly (readonly number[])[]): number[] {
  const outputs: Row[][] = []
  for (const fragment of planned.fragments) {
    const scanned = fragment.scans.flatMap(scan => tables[scan.table] ?? []).map(value => ({ value, marks: [] }))
    const of = (moved: boolean): Row[] => fragment.inputs
      .filter(input => input.kind !== 'bounds' && isMoved(input) === moved)
      .flatMap(({ fragment: from }) => outputs[from] ?? [])
    const rows = compute([...scanned, ...of(true)], of(false), fragment.tasks === 'one')
    outputs.push(isLimit(fragment) ? ones(rows, fragment.maxRows ?? 0) : rows)
  }
  const values = (outputs.at(-1) ?? []).map(({ value }) => value).sort((a, b) => a - b)
  const output = planned.fragments.at(-1)?.output
  if (output?.kind !== 'result' || output.slice === undefined) return values
  const { offset, limit } = output.slice
  return values.slice(offset, limit === null ? undefined : offset + limit)
}

export function isSorted({ fragments }: PlannedQuery): boolean {
  return fragments.slice(-1).some(isInOrder)
}

/** A number as a key that sorts like it. */
export function keyOf(value: number): Uint8Array {
  const key = Buffer.alloc(8)
  key.writeDoubleBE(value) // none is below 0
  return key
}

export function isMoved({ kind }: FragmentInput): boolean {
  return kind === 'hash' || kind === 'range' || kind === 'keep'
}

/** In the order of the values where there are ranges of them. */
export function sliced(rows: readonly Row[], { slice, columns = [] }: OutputOf<'result'>): readonly Row[] {
  const isSorted = columns.some(({ name }) => name === SORTED)
  const sorted = isSorted ? [...rows].sort((a, b) => a.value - b.value) : rows
  const from = Number(slice?.offset ?? 0n)
  return slice === undefined ? sorted : sorted.slice(from, from + Number(slice?.limit ?? 0n))
}

/** `turn`: of an attempt at a task whose rows may go elsewhere each time. */
export function partOf(
  { value }: Row, { range, hashKeys = [], partitionCount = 1 }: OutputOf<'exchange'>, turn: number,
): number {
  if (range === undefined) return hashKeys.length > 0 ? (value + turn) % partitionCount : 0
  return (range.bounds ?? []).filter(bound => Buffer.compare(bound, keyOf(value)) <= 0).length
}

/** A random query over `tableCount` tables. */
export function randomQuery(simulation: Simulation, tableCount: number): PlannedQuery {
  const fragments = simulation.chance(0.15) ? [whole(simulation, tableCount)]
    : simulation.chance(0.1) ? limited(simulation, tableCount) : distributed(simulation, tableCount)
  return {
    columns: [{ name: fragments.slice(-1).some(isInOrder) ? SORTED : 'value', type: 'BIGINT' }], fragments,
    sqlKind: 'emitted', tablesRead: [], volatile: false,
    wholeReason: fragments.length === 1 && fragments[0]?.tasks === 'one' ? 'it is small' : null,
  }
}

function fragmentOf(simulation: Simulation, id: number, parts: Partial<Fragment>): Fragment {
  return {
    id, sql: `s${id}`, columns: [{ type: 'BIGINT', wireType: 'BIGINT' }], scans: [], inputs: [],
    restrictions: [], output: { kind: 'gather' },
    tasks: 'one', orderSensitive: simulation.chance(0.3), maxRows: null, rows: 10, bytes: 100, ...parts,
  }
}

function scanOf(simulation: Simulation, id: number, tableCount: number, reads: 'all' | 'split') {
  return { id, table: simulation.draw(0, tableCount), columns: [0], filters: [], reads }
}

function whole(simulation: Simulation, tableCount: number): Fragment {
  const tasks = simulation.chance(0.5) ? 'one' : 'splits'
  const scans = [scanOf(simulation, 0, tableCount, 'split')]
  return fragmentOf(simulation, 0, { scans, tasks, output: { kind: 'result' } })
}

/** Beside what is scanned, its tasks may read what others have broadcast. */
function limited(simulation: Simulation, tableCount: number): Fragment[] {
  const scanned = (id: number, parts: Partial<Fragment>): Fragment => fragmentOf(simulation, id, {
    tasks: 'splits', scans: [scanOf(simulation, id, tableCount, 'split')], ...parts,
  })
  const copied = simulation.chance(0.5) ? [scanned(0, { output: { kind: 'broadcast' } })] : []
  const inputs: FragmentInput[] = copied.map(({ id }) => ({ fragment: id, kind: 'broadcast' }))
  const id = copied.length
  const maxRows = simulation.draw(0, 12)
  return [
    ...copied, scanned(id, { inputs, orderSensitive: true, maxRows, stageRows: maxRows }),
    fragmentOf(simulation, id + 1, {
      inputs: [{ fragment: id, kind: 'gather' }], output: { kind: 'result' }, orderSensitive: true, maxRows,
    }),
  ]
}

function distributed(simulation: Simulation, tableCount: number): Fragment[] {
  const fragments: Fragment[] = []
  let unread: Fragment[] = []
  let scans = 0
  const add = (parts: Partial<Fragment>): void => {
    const fragment = fragmentOf(simulation, fragments.length, parts)
    fragments.push(fragment)
    unread.push(fragment)
  }
  const read = (from: readonly Fragment[]): FragmentInput[] => {
    unread = unread.filter(fragment => !from.includes(fragment))
    return from.map(({ id, output }) => ({ fragment: id, kind: readAs(output) }))
  }
  for (let i = simulation.draw(1, 4); i > 0; i--) {
    // a second scan may be joined to what is broadcast already
    const copied = unread.filter(({ output }) => output.kind === 'broadcast')
    const inputs = simulation.chance(0.5) ? read(copied.slice(0, 1)) : []
    const kinds = ['hash', 'hash', 'gather', 'broadcast'] as const
    const output = outputOf(kinds[simulation.draw(0, 4)] ?? 'hash')
    add({ tasks: 'splits', scans: [scanOf(simulation, scans++, tableCount, 'split')], inputs, output })
  }
  for (let i = simulation.draw(0, 4); i > 0; i--) addMiddle(simulation, fragments, unread, read, add)
  const moved = (): Fragment[] => unread.filter(({ output }) => output.kind === 'hash' || output.kind === 'keep')
  const tasksOf = (inputs: readonly FragmentInput[]) => inputs.some(isMoved) ? 'partitions' : 'one'
  const result = { output: { kind: 'result' } } as const
  if (simulation.chance(0.35)) {
    const inputs = read([...unread])
    const bounds = fragments.length
    // its own sample differs each time, so it counts as order-sensitive
    add({ tasks: tasksOf(inputs), inputs, output: { kind: 'sample', key: '', percent: 50 }, orderSensitive: true })
    add({
      tasks: tasksOf(inputs), inputs: [...inputs, { fragment: bounds, kind: 'bounds' }],
      output: { kind: 'range', key: '', ties: [] },
    })
    const limit = simulation.chance(0.5) ? simulation.draw(0, 12) : null
    const slice = simulation.chance(0.5) ? { slice: { offset: simulation.draw(0, 6), limit } } : {}
    add({
      tasks: 'partitions', inputs: [{ fragment: bounds + 1, kind: 'range' }], output: { kind: 'result', ...slice },
    })
    return fragments
  }
  if (simulation.chance(0.5)) {
    // several tasks make the result
    const isApart = moved().length > 0
    const scan = isApart ? [] : [scanOf(simulation, scans++, tableCount, 'split')]
    add({ ...result, tasks: isApart ? 'partitions' : 'splits', scans: scan, inputs: read([...unread]) })
    return fragments
  }
  while (moved().length > 0) {
    // one task may read what was written for several
    if (simulation.chance(0.3)) add({ inputs: read(moved()).map(input => ({ ...input, kind: 'all' })) })
    else add({ tasks: 'partitions', inputs: read(moved()) })
  }
  add({ ...result, tasks: 'one', inputs: read([...unread]) })
  return fragments
}

function addMiddle(
  simulation: Simulation, fragments: readonly Fragment[], unread: readonly Fragment[],
  read: (from: readonly Fragment[]) => FragmentInput[], add: (parts: Partial<Fragment>) => void,
): void {
  const moved = fragments.filter(({ output }) => output.kind === 'hash' || output.kind === 'keep')
  const open = moved.filter(fragment => unread.includes(fragment))
  const first = open[0] ?? moved[0]
  if (first === undefined) return
  // one that another stage reads too: a shared exchange
  const from = [first, ...fragments.filter(other => other !== first && simulation.chance(0.3))]
  const kinds = ['hash', 'keep', 'gather', 'broadcast'] as const
  add({ tasks: 'partitions', inputs: read(from), output: outputOf(kinds[simulation.draw(0, 4)] ?? 'keep') })
}

function readAs({ kind }: FragmentOutput): FragmentInput['kind'] {
  switch (kind) {
    case 'result': case 'sample': return 'gather'
    default: return kind
  }
}

function outputOf(kind: 'hash' | 'keep' | 'gather' | 'broadcast'): FragmentOutput {
  return kind === 'hash' ? { kind, keys: ['c0'] } : { kind }
}
