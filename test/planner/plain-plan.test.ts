/** What runs whole for its size is planned without DuckDB's estimates and without pruning, to the same text. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { estimateGroups } from '../../planner/group-estimate.ts'
import { plainRows } from '../../planner/plain-rows.ts'
import { planQuery } from '../../planner/plan-query.ts'
import type { PlannedQuery, PlanThresholds } from '../../planner/planned-query.ts'
import { odd } from './odd-statements.ts'
import { requestOf } from './planner-tables.ts'
import { FORCED, Planning, writeTables } from './planning.ts'
import { tables } from './tables.ts'

const NOTHING_SPLIT: PlanThresholds = { ...FORCED, replicateRows: 100 }

const folder = await mkdtemp(join(tmpdir(), 'skein-plain-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, tables, 1)
const planning = await Planning.open(folder, Object.keys(tables))
t.teardown(() => planning.close())

interface Asked {
  readonly planned: PlannedQuery
  /** How often DuckDB was asked for its estimates, and the index of files for what is left. */
  readonly estimates: number
  readonly prunings: number
}

async function plan(sql: string, thresholds: PlanThresholds, explain = false): Promise<Asked> {
  let [estimates, prunings] = [0, 0]
  const { database } = planning
  const counting = Object.assign(Object.create(database) as typeof database, {
    enter: async (request: Parameters<typeof database.enter>[0]) => {
      const session = await database.enter(request)
      return { ...session, explain: (text: string) => { estimates++; return session.explain(text) } }
    },
    syntax: (text: string) => database.syntax(text),
    seesOthers: (own: typeof planning.tables) => database.seesOthers(own),
    note: (thrown: unknown) => database.note(thrown),
  })
  const planned = await planQuery(counting, requestOf(sql, planning.tables, { thresholds, explain }), async scans => {
    prunings++
    return scans.map(({ table }) => ({ rows: 1, bytes: planning.tables[table]?.sizeBytes ?? 0 }))
  })
  return { planned, estimates, prunings }
}

t.test('where no table is split, nobody is asked', async t => {
  t.match(await plan('SELECT k, count(*) FROM t GROUP BY k', NOTHING_SPLIT), {
    planned: { wholeReason: 'nothing to split: t has 60 rows', fragments: { length: 1 } }, estimates: 0, prunings: 0,
  })
  t.match(await plan('SELECT k, count(*) FROM t GROUP BY k', NOTHING_SPLIT, true), { estimates: 1, prunings: 1 })
})

t.test('where all that the tables hold is little, the files are not asked for', async t => {
  const thresholds = { ...FORCED, wholeBytes: 32 * 1024 * 1024 }
  const small = await plan('SELECT count(*) FROM t WHERE k = 1', thresholds)
  t.match(small, { planned: { wholeReason: /^small: at most 0 MB to read, under 32 MB$/ }, estimates: 1, prunings: 0 })
  const [table] = planning.tables
  const bytes = table?.sizeBytes ?? 0
  const twice = 'SELECT count(*) FROM t a JOIN t b USING (id)'
  t.match(await plan(twice, { ...FORCED, wholeBytes: 2 * bytes + 1 }), { prunings: 0 })
  t.match(await plan(twice, { ...FORCED, wholeBytes: 2 * bytes }), { planned: { wholeReason: null }, prunings: 1 })
})

t.test('estimates change no text of a query that runs whole', async t => {
  const different: string[] = []
  for (const sql of Object.values(odd).flat()) {
    const [plain, estimated] = [await plan(sql, NOTHING_SPLIT), await plan(sql, NOTHING_SPLIT, true)]
    const texts = [plain, estimated].map(({ planned }) => planned.fragments.map(fragment => fragment.sql).join('; '))
    if (texts[0] !== texts[1] || plain.planned.sqlKind !== estimated.planned.sqlKind) different.push(sql)
  }
  t.strictSame(different, [])
})

t.test('rows follow from the rows of the tables', async t => {
  const rowsOf = async (sql: string): Promise<number> =>
    estimateGroups(plainRows(await planning.decoded(sql), planning.tables), planning.tables).rows
  t.equal(await rowsOf('SELECT id FROM t WHERE k = 1'), 60)
  t.equal(await rowsOf('SELECT count(*) FROM t'), 1)
  t.equal(await rowsOf('SELECT t.id FROM t JOIN u ON t.k = u.k'), 60)
  t.equal(await rowsOf('SELECT t.id FROM t, u'), 1200)
  t.equal(await rowsOf('SELECT t.id FROM t JOIN u ON t.k < u.k'), 1200)
  t.equal(await rowsOf('SELECT id FROM t UNION ALL SELECT k FROM u'), 80)
  t.equal(await rowsOf('SELECT id FROM t ORDER BY id LIMIT 5'), 5)
  t.equal(await rowsOf('WITH w AS MATERIALIZED (FROM t) SELECT a.id FROM w a, w b'), 3600)
})
