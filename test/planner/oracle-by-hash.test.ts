/** With every table split and every join by hash, on three executors. */

import t from 'tap'
import { compareStatements } from './oracle.ts'
import { FORCED } from './planning.ts'

await compareStatements(t, 3, FORCED)
