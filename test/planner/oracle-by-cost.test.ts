/** With every table split and joins as cost decides, on two executors. */

import t from 'tap'
import { compareStatements } from './oracle.ts'
import { DEFAULTS } from './planning.ts'

t.test('odd statements cut by cost have the answers of one DuckDB',
  async t => compareStatements(t, 2, { ...DEFAULTS, replicateRows: 0 }))
