/**
 * The executor's encoder on a stream of DuckDB, as its result writer drives it, and the bare stream to compare with.
 * Both read to the end and keep nothing.
 */

import { ArrowEncoder, type EncodedBatch } from '../../executor/arrow-encoder.ts'
import type { BodyPool } from '../../proto/body-pool.ts'
import { collectYoung } from '../../executor/young-collection.ts'
import type { DuckConnection } from '../../executor/instances.ts'
import type { ResultColumn } from '../../proto/arrow-schema.ts'

export interface Drained {
  readonly rowCount: number
  readonly byteCount: number
}

/** Chunks after which a reader that keeps nothing has to collect, or its memory grows without bound. */
const COLLECT_EVERY = 32
/** Above the bytes from which `collectYoung` collects. */
const ALWAYS = Number.MAX_SAFE_INTEGER

export async function discard(connection: DuckConnection, sql: string): Promise<Drained> {
  const prepared = await connection.prepare(sql)
  try {
    const stream = await prepared.stream()
    let [rowCount, chunks] = [0, 0]
    for (let next = await stream.next(); next !== null; next = await stream.next()) {
      rowCount += next.rowCount
      if (++chunks % COLLECT_EVERY === 0) collectYoung(ALWAYS)
    }
    return { rowCount, byteCount: 0 }
  } finally {
    prepared.close()
  }
}

export async function encode(
  connection: DuckConnection, sql: string, columns: readonly ResultColumn[], pool: BodyPool,
): Promise<Drained> {
  const prepared = await connection.prepare(sql)
  try {
    const stream = await prepared.stream()
    const encoder = new ArrowEncoder(columns, pool)
    let [rowCount, byteCount] = [0, 0]
    const drop = (batches: Iterable<EncodedBatch>): void => {
      for (const batch of batches) {
        rowCount += batch.rowCount
        byteCount += batch.header.length + batch.body.bytes.length
        batch.body.release()
        collectYoung(batch.body.bytes.length)
      }
    }
    for (let next = await stream.next(); next !== null; next = await stream.next()) {
      drop(encoder.append(next.chunk, next.rowCount))
    }
    drop(encoder.finish())
    return { rowCount, byteCount }
  } finally {
    prepared.close()
  }
}
