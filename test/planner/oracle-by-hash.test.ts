/** With every table split and every join by hash, on three executors. */

import t from 'tap'
import { compareStatements } from './oracle.ts'
import { FORCED } from './planning.ts'

t.test('odd statements cut by hash have the answers of one DuckDB',
  async t => compareStatements(t, 3, FORCED))
