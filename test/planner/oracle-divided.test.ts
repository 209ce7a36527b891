/** As by cost, on tables that are divided by the values of a column: what is equal in it stays in one task. */

import t from 'tap'
import { compareStatements } from './oracle.ts'
import { DEFAULTS } from './planning.ts'

t.test('odd statements cut where rows stay have the answers of one DuckDB',
  async t => compareStatements(t, 3, { ...DEFAULTS, replicateRows: 0 }, ['k']))
