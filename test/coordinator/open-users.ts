/** Users in a store of their own, in a folder that goes with the test. */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { Users } from '../../coordinator/users.ts'
import { systemClock, type Clock } from '../../proto/clock.ts'

interface Teardown {
  teardown(callback: () => void | Promise<void>): void
}

export async function openUsers(t: Teardown, clock: Clock = systemClock): Promise<Users> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-users-'))
  const store = await EmbeddedStore.open(join(folder, 'journal'), systemClock)
  const users = new Users({ store, clock, chance: randomBytes })
  await users.start()
  t.teardown(async () => {
    users.close()
    await store.close()
    await rm(folder, { recursive: true })
  })
  return users
}
