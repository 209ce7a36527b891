/** Every statement of statements.ts as emitted text gives DuckDB's answer, or is known to run whole. */

import t from 'tap'
import { Unsupported } from '../../planner/unsupported.ts'
import { RoundTrip } from './round-trip.ts'
import { decoded } from './statements.ts'
import { failing, whole } from './whole-statements.ts'

const roundTrip = await RoundTrip.open()
t.teardown(() => roundTrip.close())

for (const [subject, statements] of Object.entries(decoded)) {
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

t.test('the subjects hold as many statements as they should', async t => {
  t.ok(Object.values(decoded).flat().length >= 200)
})
