/** A short run over damaged streams; test/soak/ingest-fuzz.test.ts is the long one. */

import t from 'tap'
import { IngestFuzz } from './ingest-fuzz.ts'
import { openConnection } from './ingest-workbench.ts'

const DAMAGED = 2_000

t.test('damaged streams are refused, or taken as apache-arrow reads them', async t => {
  const fuzz = await IngestFuzz.open(await openConnection(t), Number(process.env['SEED'] ?? 1))
  await fuzz.undamaged()
  await fuzz.run(DAMAGED)
  const { accepted, refused, unshown, wrong } = fuzz.totals
  t.strictSame(wrong, [])
  t.ok(accepted > DAMAGED / 20 && refused > DAMAGED / 20,
    `${accepted} taken, ${unshown} of them not shown, ${refused} refused`)
})
