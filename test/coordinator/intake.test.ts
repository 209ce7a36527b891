/** Who may come in. */

import t from 'tap'
import { Intake } from '../../coordinator/intake.ts'
import type { QueryError } from '../../proto/errors.ts'
import type { QueryId } from '../../proto/ids.ts'
import { DEFAULT_GROUP } from '../../proto/resource-group.ts'

const group = { ...DEFAULT_GROUP, maxQueued: 3, maxQueuedPerUser: 2 }

function refusal(run: () => void): QueryError | null {
  try {
    run()
    return null
  } catch (error) {
    return error as QueryError
  }
}

t.test('a full house refuses at once, for a group and for a user, and says when to come again', async t => {
  const intake = new Intake()
  intake.enter('a1' as QueryId, 'ann', group)
  intake.enter('a2' as QueryId, 'ann', group)
  const own = refusal(() => intake.enter('a3' as QueryId, 'ann', group))
  t.match(own, { code: 'QUERY_QUEUE_FULL', message: /2 queries of ann wait already/ })
  t.ok((own?.retryAfterMs ?? 0) >= 1_000 && (own?.retryAfterMs ?? 0) <= 60_000)
  intake.enter('b1' as QueryId, 'bob', group)
  t.match(refusal(() => intake.enter('c1' as QueryId, 'cyd', group)), { message: /3 queries of group default wait/ })
  t.equal(refusal(() => intake.enter('o1' as QueryId, 'ann', { ...group, name: 'other' })), null)
})

t.test('who is admitted or has ended makes room, once', async t => {
  const intake = new Intake()
  intake.enter('a1' as QueryId, 'ann', group)
  intake.enter('a2' as QueryId, 'ann', group)
  intake.admitted('a1' as QueryId, 10)
  intake.left('a1' as QueryId)
  intake.enter('a3' as QueryId, 'ann', group)
  t.ok(refusal(() => intake.enter('a4' as QueryId, 'ann', group)))
  intake.left('a2' as QueryId)
  intake.left('a2' as QueryId)
  intake.left('a3' as QueryId)
  t.equal(intake.size, 0)
})

t.test('the slower queries are admitted, the later a client is told to come again', async t => {
  const after = (gapMs: number): number => {
    const intake = new Intake()
    for (let i = 0; i < 50; i++) {
      intake.enter(`q${i}` as QueryId, 'ann', group)
      intake.admitted(`q${i}` as QueryId, i * gapMs)
    }
    intake.enter('x1' as QueryId, 'ann', group)
    intake.enter('x2' as QueryId, 'ann', group)
    return refusal(() => intake.enter('x3' as QueryId, 'ann', group))?.retryAfterMs ?? 0
  }
  t.ok(after(20_000) > after(3_000), `${after(20_000)} ms, ${after(3_000)} ms`)
  t.equal(after(5), 1_000)
})
