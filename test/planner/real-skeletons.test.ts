/** TPC-H from the catalog's skeletons through the planner's process, against one plain DuckDB over the same files. */

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { generate, globOf } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import { LocalStore } from '../../cache/local-store.ts'
import { openCatalog } from '../../catalog/catalog.ts'
import { SkeletonFiles } from '../../catalog/skeleton-files.ts'
import type { Table } from '../../catalog/table.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import { Planner } from '../../planner/planner.ts'
import { systemClock } from '../../proto/clock.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { difference } from './compare.ts'
import { answer, InProcessCluster } from './in-process-cluster.ts'
import { pruneNothing, requestOf } from './planner-tables.ts'

const SCALE = 0.01
const EXECUTORS = 3
/** Questions that are run besides: aggregates, joins of several types, subqueries. */
const RUN = [1, 4, 13, 15, 18, 22]
const folder = await mkdtemp(join(tmpdir(), 'skein-tpch-plans-'))
const data = join(folder, 'data')
await generate({ scale: SCALE, folder: data, filesPerTable: { nation: 2 } })

const planner = new Planner({ skeletonDirectory: join(folder, 'skeletons'), clock: systemClock })
const catalog = openCatalog({
  config: { buckets: {}, catalogs: { tpch: {
    type: 'bucket_tables', bucket: 'lake', assumeImmutable: true, listingTtlMs: 0,
    tables: Object.fromEntries(tableNames.map(name => [name, {
      path: globOf(name), fileFormat: 'parquet', unionByName: null, hivePartitioning: true, read: {},
    }])),
  } } },
  stores: new Map([['lake', new LocalStore('lake', data)]]),
  skeletons: new SkeletonFiles(join(folder, 'skeletons')), footerFolder: join(folder, 'footers'), clock: systemClock,
  describe: files => planner.describeFiles(files),
})
const plain = await DuckDBInstance.create(':memory:')
const oracle = await plain.connect()
for (const name of tableNames) {
  await oracle.run(`CREATE VIEW ${name} AS FROM read_parquet('${join(data, globOf(name))}')`)
}
t.teardown(async () => {
  planner.close()
  plain.closeSync()
  await rm(folder, { recursive: true })
})

interface Planned {
  readonly plan: PlannedQuery
  readonly tables: readonly Table[]
}

async function planned(sql: string, broadcastRows: number): Promise<Planned> {
  const names = (await planner.names(sql)).map(({ table }) => [table])
  const tables = await catalog.resolve(names, { catalog: 'tpch', schema: 'main' })
  const thresholds = { wholeBytes: 0, broadcastRows, replicateRows: 0, sortRows: 0 }
  const request = requestOf(sql, tables, { defaultCatalog: 'tpch', thresholds })
  return { plan: await planner.plan(request, pruneNothing(tables)), tables }
}

t.test('all 22 questions are cut, with shuffles and with broadcasts', async t => {
  const whole: (string | null)[] = []
  for (const { sql } of tpchQueries(SCALE)) {
    for (const broadcastRows of [0, 200_000]) whole.push((await planned(sql, broadcastRows)).plan.wholeReason)
  }
  t.strictSame(whole.filter(reason => reason !== null), [])
  t.equal(whole.length, 44)
})

t.test('what is cut has the right answer', async t => {
  const wrong: (string | null)[] = []
  for (const { number, sql } of tpchQueries(SCALE)) {
    if (!RUN.includes(number)) continue
    const { plan, tables } = await planned(sql, 0)
    const files = await Promise.all(tables.map(async ({ name, columns }) => ({
      columns, files: (await readdir(join(data, name.table))).sort().map(file => join(data, name.table, file)),
    })))
    const cluster = await InProcessCluster.open(EXECUTORS, files, join(folder, 'exchange'))
    wrong.push(difference(await answer(oracle, sql), await cluster.run(plan.fragments), false))
    await cluster.close()
  }
  t.strictSame(wrong, RUN.map(() => null))
})
