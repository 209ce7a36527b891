/** Part 1 of the statements made by chance: four files, so that none runs into the time that a file has. */

import t from 'tap'
import { compareByChance } from './chance-cluster.ts'

t.test('statements made by chance have the answers of one DuckDB', async t => compareByChance(t, 0, 4))
