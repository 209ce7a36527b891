/** Where the exchanges of TPC-H's questions go, as golden plans: by cost, and with every join by hash. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { generate } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import { matchGolden } from '../golden.ts'
import { FORCED, Planning } from './planning.ts'

const SCALE = 0.01
/** The defaults over a hundred, so that tables relate to them as at scale 1. */
const SCALED = { wholeBytes: 0, broadcastRows: 2_000, replicateRows: 100 }

const folder = await mkdtemp(join(tmpdir(), 'skein-cut-'))
t.teardown(() => rm(folder, { recursive: true }))
await generate({ scale: SCALE, folder })
const planning = await Planning.open(folder, tableNames)
t.teardown(() => planning.close())

for (const { number, title, sql } of tpchQueries(SCALE)) {
  t.test(`Q${number}, ${title}, is cut as its golden plan says`, async t => {
    const text = [
      `-- by cost\n${await planning.explained(sql, SCALED)}`,
      `-- every join by hash\n${await planning.explained(sql, FORCED)}`,
    ].join('\n')
    matchGolden(t, `test/planner/golden/tpch-${String(number).padStart(2, '0')}.plan`, text)
  })
}
