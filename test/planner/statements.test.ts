/** Every statement of statements.ts as emitted text gives DuckDB's answer, or is known to run whole. */

import t from 'tap'
import { Unsupported } from '../../planner/unsupported.ts'
import { RoundTrip } from './round-trip.ts'
import { decoded, whole } from './statements.ts'

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

t.test('the subjects hold as many statements as they should', async t => {
  t.ok(Object.values(decoded).flat().length >= 200)
})
