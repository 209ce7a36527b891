/** The 22 questions of TPC-H in each dialect's own words give what their DuckDB text gives. */

import t from 'tap'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tpchOracle } from '../../../bench/tpch/cluster.ts'
import { generate } from '../../../bench/tpch/generate.ts'
import { tpchQueries } from '../../../bench/tpch/queries.ts'
import { dialectNames } from '../../../planner/dialect/dialect-name.ts'
import type { DialectName } from '../../../planner/dialect/dialect.ts'
import { translate } from '../../../planner/dialect/translate.ts'
import { difference } from '../../sql/answer.ts'

/** A part of DuckDB's text and what stands in its place; `$1` is a group of it. */
type Rewriting = readonly (readonly [RegExp, string])[]

const DATE_MATH = /DATE '([\d-]+)' ([+-]) INTERVAL (\d+) (\w+)/g

const rewritings: Readonly<Record<DialectName, Rewriting>> = {
  mysql: [
    [DATE_MATH, "DATE_ADD('$1', INTERVAL $2$3 $4)"], [/\bextract\(year FROM (\w+)\)/g, 'YEAR($1)'],
    [/\bsubstring\((\w+) FROM 1 FOR 2\)/g, 'LEFT($1, 2)'], [/\bo_year\b/g, '`o_year`'], [/'BRAZIL'/g, '"BRAZIL"'],
  ],
  snowflake: [
    [DATE_MATH, "DATEADD($4, $2$3, '$1'::DATE)"], [/DATE '([\d-]+)'/g, "TO_DATE('$1')"],
    [/\bsubstring\((\w+) FROM 1 FOR 2\)/g, 'SUBSTR($1, 1, 2)'],
    [/CASE WHEN (.+?) THEN (.+?) ELSE 0 END/g, 'IFF($1, $2, 0)'],
    [/\bextract\(year FROM (\w+)\)/g, 'YEAR($1)'],
  ],
  bigquery: [
    [/DATE '([\d-]+)' \+ INTERVAL (\d+) (\w+)/g, "DATE_ADD(DATE '$1', INTERVAL $2 $3)"],
    [/DATE '([\d-]+)' - INTERVAL (\d+) (\w+)/g, "DATE_SUB(DATE '$1', INTERVAL $2 $3)"],
    [/\bsubstring\((\w+) FROM 1 FOR 2\)/g, 'SUBSTR($1, 1, 2)'], [/FROM lineitem\b/g, 'FROM `lineitem`'],
  ],
  tsql: [
    [DATE_MATH, "DATEADD($4, $2$3, CAST('$1' AS DATE))"], [/DATE '([\d-]+)'/g, "CAST('$1' AS DATE)"],
    [/\bextract\(year FROM (\w+)\)/g, 'YEAR($1)'], [/\bsubstring\((\w+) FROM 1 FOR 2\)/g, 'LEFT($1, 2)'],
    [/\blineitem\b/g, '[lineitem]'], [/^\s*SELECT([\s\S]*)\bLIMIT (\d+)\s*$/g, 'SELECT TOP $2 $1'],
  ],
  trino: [
    [DATE_MATH, "date_add('$4', $2$3, DATE '$1')"], [/\bLIMIT (\d+)/g, 'FETCH FIRST $1 ROWS ONLY'],
    [/\bsubstring\((\w+) FROM 1 FOR 2\)/g, 'substr($1, 1, 2)'],
  ],
}

const folder = await mkdtemp(join(tmpdir(), 'skein-dialects-'))
t.teardown(() => rm(folder, { recursive: true }))
const SCALE = 0.01
await generate({ scale: SCALE, folder })
const oracle = await tpchOracle(folder)
t.teardown(() => oracle.close())
const queries = tpchQueries(SCALE)
/** By text: much of what the dialects say comes to the same. */
const ran = new Map<string, ReturnType<typeof oracle.run>>()
const answerTo = (sql: string): ReturnType<typeof oracle.run> => {
  const answer = ran.get(sql) ?? oracle.run(sql)
  ran.set(sql, answer)
  return answer
}
const answers = new Map<number, Awaited<ReturnType<typeof oracle.run>>>()
for (const { number, sql } of queries) answers.set(number, await oracle.run(sql))

for (const dialect of dialectNames) {
  t.test(`22 questions in ${dialect}`, async t => {
    const faults: string[] = []
    for (const { number, sql } of queries) {
      const foreign = rewritings[dialect].reduce((text, [from, to]) => text.replace(from, to), sql)
      const expected = answers.get(number)
      if (expected === undefined) throw new Error(`no answer to Q${number}`)
      try {
        const answer = await answerTo(await translate(dialect, foreign))
        // types differ where the dialect's own words make other ones; names of columns do where none is given
        const fault = difference({ ...expected, columns: answer.columns }, answer, true)
        if (fault !== undefined) faults.push(`Q${number} ${fault}`)
      } catch (thrown) {
        faults.push(`Q${number} ${String(thrown)}`)
      }
    }
    t.same(faults, [])
  })
}
