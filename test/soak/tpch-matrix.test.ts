/** The whole matrix of TPC-H: scales 0.1 and 1, one to four executors, every mode of the planner. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeTpch, tpchFaults, tpchModes, type TpchMode } from '../cluster/tpch-runs.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-tpch-matrix-'))
t.teardown(() => rm(folder, { recursive: true }))

const scales = [0.1, 1]
/** Made before the first test: between two of them nothing holds the run open. */
const made = new Map<number, Awaited<ReturnType<typeof makeTpch>>>()
for (const scale of scales) made.set(scale, await makeTpch(scale, folder))

for (const [scale, data] of made) {
  for (const executors of [1, 2, 3, 4]) {
    for (const mode of Object.keys(tpchModes) as TpchMode[]) {
      const own = join(folder, `${scale}-${executors}-${mode}`)
      await t.test(`scale ${scale}, ${executors} executors, ${mode}`, async t => {
        t.strictSame(await tpchFaults(data, executors, mode, own), [])
        await rm(own, { recursive: true })
      })
    }
  }
}
