/** What makes two results the same, and what makes them two. */

import t from 'tap'
import type { Table } from '../../catalog/table.ts'
import { resultKey } from '../../coordinator/result-key.ts'
import type { QueryRequest } from '../../coordinator/running-query.ts'
import { settledTables } from '../../coordinator/settled-tables.ts'
import type { Fragment } from '../../planner/fragment.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import type { SessionId } from '../../proto/ids.ts'

const request: QueryRequest = {
  sql: 'SELECT 1', defaultCatalog: 'lake', defaultSchema: 'main', settings: { TimeZone: 'UTC' }, principal: 'ann',
  sessionId: 's' as SessionId, clientInterface: 'HttpQuery',
}
const fragment: Fragment = {
  id: 0, sql: 'SELECT c0 FROM scan0', columns: [{ type: 'BIGINT', wireType: 'BIGINT' }], inputs: [],
  restrictions: [],
  scans: [{ id: 0, table: 0, columns: [0], filters: [], reads: 'all' }], output: { kind: 'result' }, tasks: 'one',
  orderSensitive: false, maxRows: null, rows: 1, bytes: 8,
}
const planned: PlannedQuery = {
  columns: [{ name: 'a', type: 'BIGINT' }], fragments: [fragment], wholeReason: null, sqlKind: 'emitted',
  tablesRead: [0], volatile: false,
}
const table: Table = {
  name: { catalog: 'lake', schema: 'main', table: 't' }, version: 'v1', format: 'csv', hiveKeys: [],
  columns: [{ name: 'a', type: 'BIGINT' }], readOptions: { delim: `','` }, rowCount: 20, sizeBytes: 9, skeletonPath: '',
  distinctCounts: [], files: [], shapes: [], filename: null,
}

interface Change {
  readonly request?: Partial<QueryRequest>
  readonly planned?: Partial<PlannedQuery>
  readonly table?: Partial<Table>
}

const keyOf = (change: Change = {}): string | null => resultKey(
  { ...request, ...change.request },
  { planned: { ...planned, ...change.planned }, tables: [{ ...table, ...change.table }] },
)

t.test('the same SQL over the same versions under the same settings is the same result', async t => {
  const same: Change[] = [
    {}, { request: { sql: 'select   1 -- again' } }, { request: { principal: 'bob', sessionId: 'x' as SessionId } },
    { request: { clientInterface: 'ArrowFlightSQL', enums: 'text', cache: true } },
    { table: { skeletonPath: 'other' } },
  ]
  t.same(new Set(same.map(keyOf)).size, 1)
  t.match(keyOf(), /^.{40,}$/)
})

t.test('whatever tasks are told makes another', async t => {
  const original = { sqlKind: 'original' } as const
  const changes: Change[] = [
    {}, { request: { settings: { TimeZone: 'Europe/Berlin' } } }, { request: { settings: {} } },
    { request: { settings: { TimeZone: 'UTC', default_null_order: 'nulls_first' } } },
    { request: { enums: 'dictionary' } }, { table: { version: 'v2' } }, { table: { readOptions: { delim: `';'` } } },
    { table: { columns: [{ name: 'a', type: 'VARCHAR' }] } }, { planned: { columns: [{ name: 'b', type: 'BIGINT' }] } },
    { planned: { fragments: [{ ...fragment, sql: 'SELECT c0 + 1 FROM scan0' }] } },
    { table: { name: { ...table.name, table: 'u' } } },
    { planned: original }, { planned: original, request: { principal: 'bob' } },
    { planned: original, request: { sessionId: 'x' as SessionId } },
    { planned: original, request: { defaultSchema: 'other' } },
  ]
  const keys = changes.map(keyOf)
  t.equal(new Set(keys).size, changes.length)
  t.notOk(keys.includes(null))
})

t.test('what is volatile, or must not be shared, has none', async t => {
  t.strictSame([keyOf({ planned: { volatile: true } }), keyOf({ request: { cache: false } })], [null, null])
})

t.test('a version of local files has settled two seconds after it was first seen, whatever clocks say', async t => {
  let [nowMs, wallMs] = [10_000, 0]
  const isSettled = settledTables(bucket => bucket === 'lake',
    { nowMs: () => nowMs, wallMs: () => wallMs, after: () => () => undefined })
  const file = (bucket: string, changedMs: number) => ({
    file: { bucket, key: 'k', etag: `9-0-${(BigInt(changedMs) * 1_000_000n).toString(16)}-1`, sizeBytes: 9 },
    hiveValues: [], rowGroups: [], rowCount: 1, shape: 0,
  })
  // the clock of the machine that has the files is right, an hour behind, or an hour ahead
  for (const skewMs of [0, -3_600_000, 3_600_000]) {
    wallMs = 7_200_000
    const own = { ...table, version: `written ${skewMs}`, files: [file('lake', wallMs + skewMs)] }
    t.equal(isSettled(own), false, 'it was written a moment ago')
    wallMs += 60_000 // ours is set right
    nowMs += 1_999
    t.equal(isSettled({ ...own }), false)
    nowMs += 1
    t.equal(isSettled({ ...own }), true)
    t.equal(isSettled({ ...own, version: `again ${skewMs}` }), false)
  }
  t.equal(isSettled({ ...table, version: 'remote', files: [{ ...file('s3', 50_000) }] }), true)
})
