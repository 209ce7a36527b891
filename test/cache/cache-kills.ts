/** A process that fills a cache is killed at any moment, over and over: what it leaves is right, and of use. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { delay, systemClock } from '../../proto/clock.ts'
import { mulberry32 } from '../random.ts'
import { openCachedLake } from './cached-lake.ts'

/** A run that is not killed takes about so long. */
const RUN_MS = 350

export async function killedCaches(t: Test, kills: number): Promise<void> {
  const lake = await openCachedLake(t)
  const files = []
  for (let i = 0; i < 4; i++) {
    files.push(await lake.write(`f${i}`, `SELECT hash(i) AS a, hash(i + 1) AS b, hash(i + 2) AS c, hash(i + 3) AS d
      FROM range(${50_000 + i}) t(i)`, ', COMPRESSION uncompressed, ROW_GROUP_SIZE 8192'))
  }
  const sql = 'SELECT count(*), sum(a % 1000), sum(b % 1000), sum(c % 1000), sum(d % 1000) FROM $file'
  const right = await Promise.all(files.map(file => lake.oracle(file, sql)))
  const random = mulberry32(Number(process.env['SEED'] ?? 11))
  let reusedBytes = 0
  lake.server.bytesPerSecond = 20e6
  lake.cache.close()
  for (let kill = 0; kill < kills; kill++) {
    const main = fileURLToPath(new URL('./cache-filler.js', import.meta.url))
    const words = [main, lake.cacheFolder, lake.server.endpoint, `k${kill}`, JSON.stringify(files)]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    await delay(systemClock, random() * RUN_MS)
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    if (kill % 2 === 1) continue // the next process takes over what this one left
    await lake.restart()
    for (const [i, file] of files.entries()) {
      const asked = await lake.ask(file, null, sql)
      t.strictSame(asked.rows, right[i], `kill ${kill}, file ${i}`)
      reusedBytes += asked.bytesCached
    }
    await lake.cache.evict(({ key }) => key !== 'f0')
    t.equal(readdirSync(lake.cacheFolder).length, 3, 'no other files are left')
    lake.cache.close()
  }
  t.ok(reusedBytes > 0, `${reusedBytes} bytes were not fetched again`)
}
