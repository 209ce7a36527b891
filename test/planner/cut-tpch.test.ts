/** Where the exchanges of TPC-H's questions go, as golden plans: by cost, and with every join by hash. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { generate } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import { matchGolden } from '../golden.ts'
import { DEFAULTS, FORCED, Planning } from './planning.ts'

const SCALE = 0.01
/** Rows as at scale 1. Small tables grow too, past what every task reads. */
const TIMES = 100

const folder = await mkdtemp(join(tmpdir(), 'skein-cut-'))
t.teardown(() => rm(folder, { recursive: true }))
await generate({ scale: SCALE, folder })
const planning = await Planning.open(folder, tableNames)
t.teardown(() => planning.close())

for (const { number, title, sql } of tpchQueries(SCALE)) {
  t.test(`Q${number}, ${title}, is cut as its golden plan says`, async t => {
    const text = [
      `-- by cost\n${await planning.explained(sql, DEFAULTS, { times: TIMES })}`,
      `-- every join by hash\n${await planning.explained(sql, FORCED)}`,
    ].join('\n')
    matchGolden(t, `test/planner/golden/tpch-${String(number).padStart(2, '0')}.plan`, text)
  })
}
