/**
 * The storage suite against moto, an S3 server that others wrote. SKEIN_PYTHON names a Python that has
 * .ci/interop-requirements.txt.
 */

import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import t from 'tap'
import { delay, systemClock } from '../../proto/clock.ts'
import { storageSuite } from '../cache/storage-suite.ts'
import { python, runPython } from './python.ts'

const START_MS = 60_000

const { status, output } = await runPython(['-c', 'import moto.server'])
const skip = status === 0 ? false : `${python} cannot import moto.server: ${output.trim().split('\n').at(-1)}`

t.test('moto does what the column cache needs of a store', { skip }, async t => {
  const port = await freePort()
  const server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  t.teardown(() => server.kill())
  const endpoint = `http://127.0.0.1:${port}`
  const endMs = systemClock.nowMs() + START_MS
  while (!await answers(endpoint)) {
    if (systemClock.nowMs() > endMs) throw new Error(`moto does not answer at ${endpoint} within ${START_MS} ms`)
    await delay(systemClock, 100)
  }
  await storageSuite(t, endpoint)
})

function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(({ ok }) => ok, () => false)
}

/** One that nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
