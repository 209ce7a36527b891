/** All 22 TPC-H questions on one cluster, each held to plain DuckDB's values and column types over the same files. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { tpchConfig, tpchOracle } from '../../bench/tpch/cluster.ts'
import { generate } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { difference, type Answer } from '../sql/answer.ts'
import { Skein } from './skein.ts'

export interface TpchData {
  readonly scale: number
  readonly folder: string
  /** In the order of the questions. */
  readonly answers: readonly Answer[]
}

/** How the planner is driven; where distribution is forced, none may run whole. */
export const tpchModes = {
  'as planned': {},
  'distribution forced': { SKEIN_WHOLE_BYTES: '0' },
  'hash exchanges forced': { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
} as const satisfies Record<string, Record<string, string>>

export type TpchMode = keyof typeof tpchModes

export async function makeTpch(scale: number, parent: string): Promise<TpchData> {
  const folder = join(parent, `tpch-${scale}`)
  await mkdir(folder, { recursive: true })
  await generate({ scale, folder })
  const oracle = await tpchOracle(folder)
  const answers: Answer[] = []
  for (const { sql } of tpchQueries(scale)) answers.push(await oracle.run(sql))
  oracle.close()
  return { scale, folder, answers }
}

/** What is wrong, one line a question; empty if all is well. Rejects if the cluster does not start or stop. */
export async function tpchFaults(
  { scale, folder, answers }: TpchData, executors: number, mode: TpchMode, own: string,
): Promise<string[]> {
  const environment: Record<string, string> = tpchModes[mode]
  const skein = await Skein.start({ folder: own, executors, config: tpchConfig(folder), environment })
  const faults: string[] = []
  try {
    for (const [i, { number, sql }] of tpchQueries(scale).entries()) {
      const outcome = await skein.query(sql)
      const expected = answers[i]
      if (expected === undefined) throw new Error(`no answer to Q${number}`)
      const fault = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
        : mode !== 'as planned' && outcome.wholeReason !== null ? `ran whole: ${outcome.wholeReason}`
          : difference(expected, outcome.answer, true)
      if (fault !== undefined) faults.push(`Q${number} ${fault}`)
    }
  } finally {
    await skein.stop()
  }
  return faults
}
