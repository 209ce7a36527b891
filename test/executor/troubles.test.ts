/** An executor in trouble drains itself, and says why. */

import t from 'tap'
import { DutyKeeper } from '../../cluster/duty.ts'
import { DuckError, taskError } from '../../executor/duck-error.ts'
import { Troubles } from '../../executor/troubles.ts'
import { QueryError } from '../../proto/errors.ts'
import { HandClock } from './hand-clock.ts'

const cause = new QueryError('EXECUTOR_FULL', 'IO Error: No space left on device')

function open() {
  const [clock, duty, told, unfit] = [new HandClock(), new DutyKeeper('executor'), [] as string[], [] as string[]]
  const disk = { free: 0 }
  const troubles = new Troubles({
    clock, duty, freeShare: async () => disk.free,
    onChange: reason => { told.push(reason) }, onUnfit: ({ message }) => { unfit.push(message) },
  })
  return { clock, duty, told, unfit, disk, troubles }
}

t.test('with a full disk it takes no query until there is room, and its trouble is told once', async t => {
  const { clock, duty, told, disk, troubles } = open()
  duty.held(1)
  troubles.diskFull(cause)
  troubles.diskFull(cause)
  t.strictSame([duty.duty, told], ['draining', ['disk full: IO Error: No space left on device']])
  disk.free = 0.09
  await clock.pass(10_000)
  t.equal(duty.duty, 'draining')
  duty.held(0)
  t.equal(duty.duty, 'drained')
  disk.free = 0.11
  await clock.pass(2_000)
  t.strictSame([duty.duty, told.at(-1), troubles.reason], ['active', '', ''])
})

t.test('after a fatal error it ends once nobody needs it, whatever its disk', async t => {
  const { clock, duty, unfit, disk, troubles } = open()
  duty.held(1)
  troubles.diskFull(cause)
  troubles.duckdbFailed(new QueryError('EXECUTOR_LOST', 'FATAL Error: broken'))
  troubles.duckdbFailed(new QueryError('EXECUTOR_LOST', 'FATAL Error: again'))
  disk.free = 1
  await clock.pass(10_000)
  t.strictSame([duty.duty, unfit, troubles.reason], ['draining', [], 'DuckDB failed: FATAL Error: broken'])
  duty.held(0)
  await duty.whenDrained()
  t.strictSame(unfit, ['FATAL Error: broken'])
})

t.test('what is the executor\'s trouble may be tried elsewhere, what is the statement\'s may not', async t => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  const codes = [
    full, new QueryError('DISK_FULL', 'no room for the cache on its disk', { cause: full }),
    new DuckError('IO', 'IO Error: Could not write file "x": No space left on device', {}),
    new DuckError('FATAL', 'FATAL Error: database has been invalidated because of a previous fatal error', {}),
    new DuckError('Out of Memory', 'Out of Memory Error: max_temp_directory_size', {}),
    new QueryError('DISK_FULL', 'an exchange outgrew node.spill'), new DuckError('INTERNAL', 'INTERNAL Error: bug', {}),
  ].map(thrown => taskError(thrown, []).code)
  t.strictSame(codes, [
    'EXECUTOR_FULL', 'EXECUTOR_FULL', 'EXECUTOR_FULL', 'EXECUTOR_LOST', 'DISK_FULL', 'DISK_FULL', 'INTERNAL',
  ])
})
