/**
 * Some keys of a task's rows, in order: from those of all tasks the coordinator tells where the ranges of a sort begin.
 * Few come back however many rows are looked at, each for as many of them as lie between it and the one before.
 */

import type { SampleOutput } from '../proto/gen/executor_pb.js'
import type { DuckConnection } from './instances.ts'

export interface SampledKey {
  readonly key: Uint8Array
  /** That were looked at, up to this one and from the one before. */
  readonly rows: number
}

/** Of one task: of a range that gets one row in 8, a tenth of them may be another's. */
const MAX_KEYS = 128
/** A key is cut there: what only differs behind it stays together. */
const MAX_KEY_BYTES = 256

export async function sampleKeys(connection: DuckConnection, sql: string, output: SampleOutput): Promise<SampledKey[]> {
  const rows = await connection.texts(sampleSql(sql, output), [0, 1])
  return rows.map(([key, count]) => ({ key: Buffer.from(key ?? '', 'hex'), rows: Number(count) }))
}

/** SELECT of keys as hexadecimal text, and of how many rows each stands for. */
export function sampleSql(sql: string, { key, percent }: Pick<SampleOutput, 'key' | 'percent'>): string {
  const some = percent >= 100 ? '' : ` USING SAMPLE ${percent.toFixed(9)} PERCENT (bernoulli)`
  const keys = `SELECT ${key} AS key FROM (\n${sql}\n) AS fragment${some}`
  const placed = `SELECT key, row_number() OVER (ORDER BY key) AS place, ` +
    `greatest(1, ceil(count(*) OVER () / ${MAX_KEYS}))::BIGINT AS step FROM (${keys})`
  return `SELECT left(hex(key), ${2 * MAX_KEY_BYTES}), step FROM (${placed}) WHERE place % step = 0 ORDER BY place`
}
