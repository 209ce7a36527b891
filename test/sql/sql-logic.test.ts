/**
 * The SQL cases on plain DuckDB alone: they are well formed, they answer or fail as they say, and they do not depend on
 * the order in which rows are read, so that a cluster can be held to the same answer.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkout } from '../checkout.ts'
import { type Answer } from './answer.ts'
import { Oracle } from './oracle.ts'
import { judge, readCases, type Outcome } from './sql-logic.ts'
import { tables, writeTables } from './tables.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-sql-'))
await writeTables(folder)
const oracle = await Oracle.open(folder, tables, 'lake')
const shuffled = await Oracle.open(folder, tables, 'lake', { shuffled: true })
const cases = readCases(new URL('test/sql/', checkout))
t.teardown(async () => {
  oracle.close()
  shuffled.close()
  await rm(folder, { recursive: true })
})

t.test('there are at least 170 cases with names of their own', async t => {
  t.ok(cases.length >= 170, `${cases.length} cases`)
  t.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
})

t.test('each case answers or fails as it says, in whatever order rows are read', async t => {
  for (const test of cases) {
    const [first, second] = [await answerOf(oracle, test.sql), await answerOf(shuffled, test.sql)]
    t.equal(judge(test, first, outcomeOf(test, second), false), undefined, `${test.place} ${test.name}`)
  }
})

async function answerOf(oracle: Oracle, sql: string): Promise<Answer | Error> {
  try {
    return await oracle.run(sql)
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

/** As a cluster would tell it; DuckDB has no codes, so the one that is expected is taken for given. */
function outcomeOf(test: (typeof cases)[number], answer: Answer | Error): Outcome {
  if (!(answer instanceof Error)) return { kind: 'rows', answer, wholeReason: 'one process' }
  return { kind: 'error', code: test.errors.find(text => /^[A-Z_]+$/.test(text)) ?? '', message: answer.message }
}
