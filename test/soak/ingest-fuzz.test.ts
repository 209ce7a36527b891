/** 200,000 damaged streams: no crash, no wrong value, and memory that stays. FUZZ_STREAMS and SEED change it. */

import t from 'tap'
import { IngestFuzz } from '../executor/ingest-fuzz.ts'
import { openConnection } from '../executor/ingest-workbench.ts'

const DAMAGED = Number(process.env['FUZZ_STREAMS'] ?? 200_000)
const SEED = Number(process.env['SEED'] ?? 20_261_127)
/** Each tenth reports, so that a crash has a place. */
const PARTS = 10
const MAX_RSS_BYTES = 1024 * 1024 * 1024

t.test(`${DAMAGED} damaged streams`, async t => {
  const fuzz = await IngestFuzz.open(await openConnection(t), SEED)
  await fuzz.undamaged()
  for (let part = 1; part <= PARTS; part++) {
    await fuzz.run(Math.ceil(DAMAGED / PARTS))
    const { accepted, refused, unshown, wrong } = fuzz.totals
    t.strictSame(wrong.slice(0, 10), [], `part ${part}: nothing wrong`)
    const rss = process.memoryUsage().rss
    t.ok(rss < MAX_RSS_BYTES, `${accepted} taken, ${unshown} of them not shown, ${refused} refused`)
    t.comment(`part ${part}: ${JSON.stringify({ accepted, unshown, refused, rss })}`)
  }
})
