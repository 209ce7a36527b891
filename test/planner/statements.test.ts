/** Every statement of statements.ts and odd-statements.ts gives DuckDB's answer as emitted text, or runs whole. */

import t from 'tap'
import { Unsupported } from '../../planner/unsupported.ts'
import { RoundTrip } from './round-trip.ts'
import { odd } from './odd-statements.ts'
import { decoded } from './statements.ts'
import { failing, whole } from './whole-statements.ts'

const roundTrip = await RoundTrip.open()
t.teardown(() => roundTrip.close())

for (const [subject, statements] of [...Object.entries(decoded), ...Object.entries(odd)]) {
  t.test(`${subject}: the emitted text gives the same rows and types`, async t => {
    const wrong: string[] = []
    for (const sql of statements) {
      const found = await roundTrip.difference(sql).catch((thrown: unknown) => `${sql}\n${String(thrown)}`)
      if (found !== null) wrong.push(found)
    }
    t.strictSame(wrong, [])
  })
}

for (const [subject, statements] of Object.entries(whole)) {
  t.test(`${subject}: runs whole`, async t => {
    const outcomes = []
    for (const sql of statements) {
      outcomes.push(await roundTrip.plan(sql).then(() => 'decoded', (thrown: unknown) => thrown instanceof Unsupported))
    }
    t.strictSame(outcomes, statements.map(() => true))
  })
}

t.test('a statement that fails while it runs fails with the same message as emitted text', async t => {
  const message = (sql: string) => roundTrip.plain.runAndReadAll(sql).then(() => 'no error', (thrown: unknown) => {
    const [first = ''] = String(thrown).split('\n')
    return first.replace(/ when casting from source column \w+$/, '') // a column of emitted text has no name
  })
  for (const sql of failing) {
    const expected = await message(sql)
    t.not(expected, 'no error', sql)
    t.equal(await message(roundTrip.text(await roundTrip.plan(sql))), expected, sql)
  }
})
