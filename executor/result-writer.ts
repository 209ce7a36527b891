/**
 * Runs the last fragment of a query and streams its rows, as Arrow, into the result spool. Few rows are had at once,
 * which either fails or is complete.
 *
 * A stream that fails after its first chunk ends exactly like a complete one. So the query runs in a transaction of its
 * own: after a failure DuckDB has aborted it, and a probe on the same connection is refused. Only after the probe has
 * answered may anybody call the spool complete. The message is lost with the stream; to get it the query is run again
 * by EXPLAIN ANALYZE, which makes every row and keeps none. (COPY to /dev/null does so too, but locks that file against
 * every other process of the machine.)
 */

import { columnForm, type EnumForm, type ResultColumn } from '../proto/arrow-schema.ts'
import { compressionAsked, type Compression } from '../proto/compression.ts'
import { QueryError } from '../proto/errors.ts'
import type { ResultOutput } from '../proto/gen/executor_pb.js'
import { resultLead } from '../proto/result-lead.ts'
import { typeText } from '../proto/types.ts'
import { ArrowEncoder, type EncodedBatch } from './arrow-encoder.ts'
import type { BodyPool } from '../proto/body-pool.ts'
import { collectYoung } from './young-collection.ts'
import { DuckError } from './duck-error.ts'
import type { Chunk, DuckConnection, Executed, LogicalType, PreparedQuery } from './instances.ts'
import type { ResultSpool } from './result-spool.ts'
import { castReturned, type Returned } from './returned-rows.ts'
import { statementText } from './statement-text.ts'
import { hasForm } from './vector-reader.ts'

/** What the client was told of the result before it ran. */
export interface ResultShape {
  readonly columns: readonly ResultColumn[]
  readonly enums: EnumForm
  readonly compression: Compression
}

/** As a coordinator asks for it. Throws for a compression that is not to be had here. */
export function resultShape(
  { columns, enumDictionaries, compression }: Pick<ResultOutput, 'columns' | 'enumDictionaries' | 'compression'>,
): ResultShape {
  return { columns, enums: enumDictionaries ? 'dictionary' : 'text', compression: compressionAsked(compression) }
}

export interface ResultTotals {
  readonly rowCount: number
  readonly byteCount: number
}

/** The text that is run, and where the query's own text starts in it. */
interface Text {
  readonly sql: string
  readonly start: number
}

/** Of a statement that reads, to DuckDB. */
const SELECT = 1
/** So many rows are had at once rather than streamed: no transaction, no probe, and half the calls. */
const FEW_ROWS = 1_000

/**
 * Resolves when every row is in the spool, which the caller completes then. Rejects with the failure. `maxRows`:
 * that there will be no more is certain; 0: nothing is.
 */
export async function writeResult(
  connection: DuckConnection, sql: string, shape: ResultShape, maxRows: number, spool: ResultSpool, pool: BodyPool,
  signal: AbortSignal,
): Promise<ResultTotals> {
  const isFew = maxRows > 0 && maxRows <= FEW_ROWS
  if (isFew) return writeAtOnce(connection, sql, shape, spool, pool)
  return writeMany(connection, sql, shape, spool, pool, signal)
}

/** The same, with all rows had at once: DuckDB itself keeps them, and may spill. For what runs once. */
export async function writeAtOnce(
  connection: DuckConnection, sql: string, shape: ResultShape, spool: ResultSpool, pool: BodyPool,
): Promise<ResultTotals & Pick<Executed, 'changedRows'>> {
  const { prepared, text } = await prepare(connection, sql, shape)
  try {
    const { chunks, changedRows } = await prepared.execute()
    await openResult(shape, spool)
    const rows = new Rows(shape, spool, pool)
    for (const chunk of chunks) await rows.add(chunk)
    return { ...await rows.end(), changedRows }
  } catch (error) {
    throw placed(error, text)
  } finally {
    prepared.close()
  }
}

async function writeMany(
  connection: DuckConnection, sql: string, shape: ResultShape, spool: ResultSpool, pool: BodyPool, signal: AbortSignal,
): Promise<ResultTotals> {
  await connection.run('BEGIN TRANSACTION READ ONLY')
  try {
    const { prepared, text } = await prepare(connection, sql, shape)
    try {
      await openResult(shape, spool)
      const totals = await drain(prepared, shape, spool, pool, signal)
      await probe(connection, text, signal)
      return totals
    } catch (error) {
      throw placed(error, text)
    } finally {
      prepared.close()
    }
  } finally {
    await connection.run('ROLLBACK').catch(() => undefined) // the connection is closed next; nothing was written
  }
}

/** The query with columns of the declared types: as it is if it has them, else with casts around it. */
async function prepare(
  connection: DuckConnection, sql: string, shape: ResultShape,
): Promise<{ prepared: PreparedQuery; text: Text }> {
  const prepared = await connection.prepare(sql)
  const types = prepared.types()
  const { columns } = shape
  if (hasForms(types, shape)) return { prepared, text: { sql, start: 0 } }
  const { statementType } = prepared
  prepared.close()
  if (types.length !== columns.length) throw new Error(`${types.length} columns, declared are ${columns.length}`)
  const text = statementType === SELECT ? wrap(sql, types, shape)
    : { sql: castReturned(sql, formsOf(types, shape)), start: 0 }
  const wrapped = await connection.prepare(text.sql).catch((error: unknown) => { throw placed(error, text) })
  if (hasForms(wrapped.types(), shape)) return { prepared: wrapped, text }
  const wrong = columns.filter((column, i) =>
    !hasForms(wrapped.types().slice(i, i + 1), { ...shape, columns: [column] }))
  wrapped.close()
  throw new Error(`not of the declared type: ${wrong.map(({ name, type }) => `${name} ${type}`).join(', ')}`)
}

function hasForms(types: readonly LogicalType[], { columns, enums }: ResultShape): boolean {
  return types.length === columns.length && columns.every(({ type: text }, i) => {
    const type = types[i]
    return type !== undefined && hasForm(type, columnForm(text, enums))
  })
}

/** Of each column: the type to cast to; null: it has it. */
function formsOf(types: readonly LogicalType[], { columns, enums }: ResultShape): readonly Returned[] {
  return columns.map(({ name, type: text }, i) => {
    const form = columnForm(text, enums)
    const type = types[i]
    return { name, form: type !== undefined && hasForm(type, form) ? null : typeText(form) }
  })
}

function wrap(sql: string, types: readonly LogicalType[], shape: ResultShape): Text {
  const list = formsOf(types, shape).map(({ form }, i) => form === null ? `c${i}` : `CAST(c${i} AS ${form}) AS c${i}`)
  const head = `SELECT ${list.join(', ')} FROM (\n`
  const names = list.map((_, i) => `c${i}`).join(', ')
  return { sql: `${head}${statementText(sql)}\n) AS result(${names})`, start: Buffer.byteLength(head) }
}

async function openResult({ columns, enums }: ResultShape, spool: ResultSpool): Promise<void> {
  for (const { dataHeader, dataBody } of resultLead(columns, enums)) {
    await spool.append(dataHeader, { bytes: dataBody, release: () => undefined })
  }
}

async function drain(
  prepared: PreparedQuery, shape: ResultShape, spool: ResultSpool, pool: BodyPool, signal: AbortSignal,
): Promise<ResultTotals> {
  const stream = await prepared.stream()
  if (!hasForms(stream.types(), shape)) throw new Error('the stream has other types than its statement')
  const rows = new Rows(shape, spool, pool)
  // of its own: no chunk is held while the next one is waited for, to outlive the collections that others make
  const step = async (): Promise<boolean> => {
    const next = await stream.next()
    if (next === null) return false
    if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled')
    await rows.add(next)
    return true
  }
  while (await step());
  return rows.end()
}

/** Chunks on their way to the spool. */
class Rows {
  readonly #encoder: ArrowEncoder
  readonly #spool: ResultSpool
  #rowCount = 0
  #byteCount = 0

  constructor({ columns, enums, compression }: ResultShape, spool: ResultSpool, pool: BodyPool) {
    this.#encoder = new ArrowEncoder(columns, pool, enums, compression)
    this.#spool = spool
  }

  add({ chunk, rowCount }: Chunk): Promise<void> {
    return this.#store(this.#encoder.append(chunk, rowCount))
  }

  async end(): Promise<ResultTotals> {
    await this.#store(this.#encoder.finish())
    return { rowCount: this.#rowCount, byteCount: this.#byteCount }
  }

  /** Collects behind the last one only: until then the chunk's own vectors would survive. */
  async #store(batches: Iterable<EncodedBatch>): Promise<void> {
    const before = this.#byteCount
    for (const batch of batches) {
      this.#rowCount += batch.rowCount
      this.#byteCount += batch.header.length + batch.body.bytes.length
      await this.#spool.append(batch.header, batch.body)
    }
    collectYoung(this.#byteCount - before)
  }
}

/** COMMIT is no probe: it answers ok after a failure. */
async function probe(connection: DuckConnection, text: Text, signal: AbortSignal): Promise<void> {
  try {
    await connection.run('SELECT 1')
  } catch (error) {
    if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled', { cause: error })
    await connection.run('ROLLBACK')
    throw await replay(connection, text, error)
  }
}

/** DuckDB's own error of a query that failed while it was streamed. */
async function replay(connection: DuckConnection, { sql }: Text, aborted: unknown): Promise<unknown> {
  const head = 'EXPLAIN ANALYZE '
  try {
    await connection.run(head + sql)
  } catch (error) {
    if (!(error instanceof DuckError)) return error
    return movedBack(error, head.length)
  }
  return new QueryError('EXECUTION_ERROR', 'the query failed while its result was streamed', { cause: aborted })
}

/** An error whose place counts from the query's own text. */
function placed(error: unknown, { start }: Text): unknown {
  return error instanceof DuckError ? movedBack(error, start) : error
}

function movedBack(error: DuckError, byBytes: number): DuckError {
  const { type, message, position, origin } = error
  if (position === undefined) return error
  return new DuckError(type, message, { position: position - byBytes, origin, cause: error.cause })
}
