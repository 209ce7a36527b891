/**
 * The door to DuckDB's binding: instances in memory, connections, streamed results, and the raw memory of vectors.
 * Nothing else in this folder imports the binding. DuckDB's failures come out as DuckError.
 *
 * A connection serves one query at a time: any other statement on it ends an open stream without an error. A stream
 * that fails after its first chunk ends like a complete one: its reader must probe (see result-writer.ts).
 */

import type * as DuckDBApi from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { QueryError } from '../proto/errors.ts'
import { required } from '../proto/required.ts'
import { duckError } from './duck-error.ts'
import type { VectorWriter } from '../proto/ingest/vector-writer.ts'

const { DuckDBDataChunk, DuckDBLogicalType } = required<typeof DuckDBApi>('@duckdb/node-api')

export type DataChunk = duckdb.DataChunk
export type Vector = duckdb.Vector
export type LogicalType = duckdb.LogicalType

/** DuckDB's exact version: executors of another one are not mixed in one query. */
export const duckdbVersion: string = duckdb.library_version()

export class DuckInstance {
  readonly #database: duckdb.Database

  private constructor(database: duckdb.Database) {
    this.#database = database
  }

  /** An instance in memory; `options` are start-up settings by DuckDB's names. Costs about 9 ms of CPU. */
  static async open(options: Readonly<Record<string, string>>): Promise<DuckInstance> {
    const config = duckdb.create_config()
    for (const [name, value] of Object.entries(options)) duckdb.set_config(config, name, value)
    return new DuckInstance(await duckdb.open(':memory:', config))
  }

  async connect(): Promise<DuckConnection> {
    return new DuckConnection(await duckdb.connect(this.#database))
  }

  /** Connections must be closed before: they keep the instance alive. */
  close(): void {
    duckdb.close_sync(this.#database)
  }
}

export class DuckConnection {
  readonly #connection: duckdb.Connection

  constructor(connection: duckdb.Connection) {
    this.#connection = connection
  }

  /** Runs all statements of `sql`. */
  async run(sql: string): Promise<void> {
    await this.#query(sql)
  }

  /** Rows of the last statement, of the columns at `positions`: text, numbers and bigints only; small results. */
  async texts(sql: string, positions: readonly number[]): Promise<(readonly (string | null)[])[]> {
    return textsIn(chunksIn(await this.#query(sql)), positions)
  }

  /** Prepares the last statement of `sql`, after running those before it (a PIVOT is made of several). */
  async prepare(sql: string): Promise<PreparedQuery> {
    const { extracted_statements: statements, statement_count: count } =
      await told(duckdb.extract_statements(this.#connection, sql), sql)
    if (count === 0) throw duckError(new Error(duckdb.extract_statements_error(statements)))
    for (let i = 0; i < count - 1; i++) {
      const statement = await told(duckdb.prepare_extracted_statement(this.#connection, statements, i), sql)
      try {
        await told(duckdb.execute_prepared(statement), sql)
      } finally {
        duckdb.destroy_prepare_sync(statement)
      }
    }
    const last = await told(duckdb.prepare_extracted_statement(this.#connection, statements, count - 1), sql)
    return new PreparedQuery(last, sql)
  }

  /** Binds the one statement of `sql`. */
  async prepareOne(sql: string): Promise<PreparedQuery> {
    const { extracted_statements: statements, statement_count: count } =
      await told(duckdb.extract_statements(this.#connection, sql), sql)
    if (count === 0) throw duckError(new Error(duckdb.extract_statements_error(statements)))
    if (count !== 1) throw new QueryError('UNSUPPORTED_STATEMENT', `DuckDB reads ${count} statements, not one`)
    return new PreparedQuery(await told(duckdb.prepare_extracted_statement(this.#connection, statements, 0), sql), sql)
  }

  /** For rows of a temporary table of this connection; the types are its columns' in their order. */
  appender(table: string): ChunkAppender {
    return new ChunkAppender(direct(() => duckdb.appender_create_ext(this.#connection, 'temp', 'main', table)))
  }

  /** Makes a running statement reject, and an open stream end. Does nothing to a statement that has not begun. */
  interrupt(): void {
    duckdb.interrupt(this.#connection)
  }

  /** Of the running statement, 0 to 1; 0 where DuckDB cannot tell, or is not asked to (see task-setup.ts). */
  progress(): number {
    const { percentage } = duckdb.query_progress(this.#connection)
    return Math.min(1, Math.max(0, percentage / 100))
  }

  close(): void {
    duckdb.disconnect_sync(this.#connection)
  }

  #query(sql: string): Promise<duckdb.Result> {
    return told(duckdb.query(this.#connection, sql), sql)
  }
}

/** Lives as long as it is referenced. */
export interface Chunk {
  readonly chunk: DataChunk
  readonly rowCount: number
}

export interface Executed {
  readonly chunks: readonly Chunk[]
  /** null: it gives rows instead. */
  readonly changedRows: bigint | null
}

export interface TypedColumn {
  readonly name: string
  /** DuckDB's text of the type. */
  readonly type: string
}

export class PreparedQuery {
  readonly #statement: duckdb.PreparedStatement
  readonly #sql: string

  constructor(statement: duckdb.PreparedStatement, sql: string) {
    this.#statement = statement
    this.#sql = sql
  }

  types(): LogicalType[] {
    const count = duckdb.prepared_statement_column_count(this.#statement)
    return Array.from({ length: count }, (_, i) => duckdb.prepared_statement_column_logical_type(this.#statement, i))
  }

  /** DuckDB's number of its kind. */
  get statementType(): number {
    return duckdb.prepared_statement_type(this.#statement)
  }

  columns(): TypedColumn[] {
    return this.types().map((logicalType, i) => {
      const type = DuckDBLogicalType.create(logicalType).asType()
      return { name: duckdb.prepared_statement_column_name(this.#statement, i), type: type.alias ?? type.toString() }
    })
  }

  /** In the order of the names' numbers, or of their first mention; null: a value of any type fits. */
  parameters(): { name: string; type: string | null }[] {
    return Array.from({ length: duckdb.nparams(this.#statement) }, (_, i) => {
      return { name: duckdb.parameter_name(this.#statement, i + 1).toLowerCase(), type: this.#parameterType(i + 1) }
    })
  }

  #parameterType(parameter: number): string | null {
    try {
      const logicalType = duckdb.param_logical_type(this.#statement, parameter)
      const type = DuckDBLogicalType.create(logicalType).asType()
      return type.alias ?? type.toString()
    } catch {
      return null // the binding throws for one that any value fits
    }
  }

  /** All of its result, in memory (DuckDB's own: it may spill). Rejects with the query's failure. */
  async execute(): Promise<Executed> {
    const result = await told(duckdb.execute_prepared(this.#statement), this.#sql)
    const chunks = chunksIn(result)
    const givesRows = duckdb.result_return_type(result) === duckdb.ResultType.QUERY_RESULT
    return { chunks, changedRows: givesRows ? null : countIn(chunks) }
  }

  /** As DuckConnection has them. */
  async texts(positions: readonly number[]): Promise<(readonly (string | null)[])[]> {
    return textsIn((await this.execute()).chunks, positions)
  }

  async stream(): Promise<ChunkStream> {
    return new ChunkStream(await told(duckdb.execute_prepared_streaming(this.#statement), this.#sql))
  }

  close(): void {
    duckdb.destroy_prepare_sync(this.#statement)
  }
}

/** All of it is in memory: asking for its parts one by one would cost a change of threads each. */
function chunksIn(result: duckdb.Result): Chunk[] {
  return Array.from({ length: duckdb.result_chunk_count(result) }, (_, i) => {
    const chunk = duckdb.result_get_chunk(result, i)
    return { chunk, rowCount: duckdb.data_chunk_get_size(chunk) }
  })
}

function textsIn(chunks: readonly Chunk[], positions: readonly number[]): (readonly (string | null)[])[] {
  return chunks.flatMap(({ chunk, rowCount }) => {
    const columns = positions.map(i => new DuckDBDataChunk(chunk).getColumnValues(i))
    return Array.from({ length: rowCount }, (_, row) => columns.map(column => text(column[row])))
  })
}

/** Of a statement that changes something DuckDB gives a count, and of others of that kind nothing. */
function countIn([first]: readonly Chunk[]): bigint {
  if (first === undefined || first.rowCount === 0) return 0n
  const [count] = new DuckDBDataChunk(first.chunk).getColumnValues(0)
  return typeof count === 'bigint' ? count : 0n
}

export class ChunkStream {
  readonly #result: duckdb.Result

  constructor(result: duckdb.Result) {
    this.#result = result
  }

  types(): LogicalType[] {
    const count = duckdb.column_count(this.#result)
    return Array.from({ length: count }, (_, i) => duckdb.column_logical_type(this.#result, i))
  }

  /** The next rows, or null at the end, which may be an error's end. The chunk lives as long as it is referenced. */
  async next(): Promise<Chunk | null> {
    const chunk = await told(duckdb.fetch_chunk(this.#result), '')
    const rowCount = chunk === null ? 0 : duckdb.data_chunk_get_size(chunk)
    return chunk === null || rowCount === 0 ? null : { chunk, rowCount }
  }
}

/**
 * Puts chunks into a table. All of it runs on the calling thread and blocks it: a few ms a chunk at most, more for a
 * flush. Rows are in the table once they are flushed; what is not closed in a transaction that commits is gone.
 */
export class ChunkAppender {
  readonly #appender: duckdb.Appender
  readonly #chunk: duckdb.DataChunk

  constructor(appender: duckdb.Appender) {
    this.#appender = appender
    const count = duckdb.appender_column_count(appender)
    this.#chunk = duckdb.create_data_chunk(Array.from({ length: count }, (_, i) =>
      duckdb.appender_column_type(appender, i)))
  }

  /** `fill` writes `rowCount` rows into the vectors of the columns, which are empty. */
  append(rowCount: number, fill: (column: (i: number) => Vector) => void): void {
    duckdb.data_chunk_set_size(this.#chunk, rowCount)
    fill(i => duckdb.data_chunk_get_vector(this.#chunk, i))
    direct(() => duckdb.append_data_chunk(this.#appender, this.#chunk))
    duckdb.data_chunk_reset(this.#chunk)
  }

  flush(): void {
    direct(() => duckdb.appender_flush_sync(this.#appender))
  }

  close(): void {
    direct(() => duckdb.appender_close_sync(this.#appender))
  }

  /** Instead of `close`, before a rollback: drops what was not flushed. */
  abandon(): void {
    try {
      duckdb.appender_clear(this.#appender)
      duckdb.appender_close_sync(this.#appender)
    } catch {
      // closing one that has failed tells the failure again, which its caller has
    }
  }
}

/** Rows of one vector at most. */
export const VECTOR_ROWS: number = duckdb.vector_size()

/** DuckDB's numbers of physical types. */
export const TypeId = duckdb.Type

/**
 * Raw memory. All unchecked: byte counts must be right, and pointers must come from a vector whose chunk is alive.
 * Lists, structs and arrays give their children; `validity` is null when no row is NULL.
 */
export const memory = {
  column: (chunk: DataChunk, i: number): Vector => duckdb.data_chunk_get_vector(chunk, i),
  copy: (vector: Vector, byteCount: number): Uint8Array => duckdb.vector_get_data(vector, byteCount),
  validity: (vector: Vector, rowCount: number): Uint8Array | null =>
    duckdb.vector_get_validity(vector, ((rowCount + 63) >> 6) * 8), // declared without its null
  listChild: (vector: Vector): Vector => duckdb.list_vector_get_child(vector),
  listChildRows: (vector: Vector): number => duckdb.list_vector_get_size(vector),
  structChild: (vector: Vector, i: number): Vector => duckdb.struct_vector_get_child(vector, i),
  arrayChild: (vector: Vector): Vector => duckdb.array_vector_get_child(vector),
  /** `address` as two 32-bit words, low first. */
  at: (low: number, high: number, byteCount: number): Uint8Array => {
    pointer[0] = low
    pointer[1] = high
    return duckdb.get_data_from_pointer(pointer.buffer, 0, byteCount)
  },
}
const pointer = new Uint32Array(2)

/** Writes raw memory, from the vector's first row on; as unchecked as reading it. */
export class NativeVector implements VectorWriter {
  readonly #vector: Vector

  constructor(vector: Vector) {
    this.#vector = vector
  }

  put({ buffer, byteOffset, byteLength }: Uint8Array): void {
    if (byteLength > 0) duckdb.copy_data_to_vector(this.#vector, 0, buffer as ArrayBuffer, byteOffset, byteLength)
  }

  putValidity({ buffer, byteOffset, byteLength }: Uint8Array): void {
    duckdb.vector_ensure_validity_writable(this.#vector)
    duckdb.copy_data_to_vector_validity(this.#vector, 0, buffer as ArrayBuffer, byteOffset, byteLength)
  }

  keepBytes(bytes: Uint8Array): readonly [low: number, high: number] | null {
    duckdb.vector_assign_string_element_len(this.#vector, 0, bytes)
    const entry = duckdb.vector_get_data(this.#vector, 16)
    const [length, , low = 0, high = 0] = new Uint32Array(entry.buffer, entry.byteOffset, 4)
    return length === bytes.length ? [low, high] : null
  }

  listChild(rowCount: number): NativeVector {
    duckdb.list_vector_reserve(this.#vector, rowCount)
    duckdb.list_vector_set_size(this.#vector, rowCount)
    return new NativeVector(duckdb.list_vector_get_child(this.#vector))
  }

  structChild(i: number): NativeVector {
    return new NativeVector(duckdb.struct_vector_get_child(this.#vector, i))
  }

  arrayChild(): NativeVector {
    return new NativeVector(duckdb.array_vector_get_child(this.#vector))
  }
}

/** Logical types, taken apart. */
export const logical = {
  id: (type: LogicalType): number => duckdb.get_type_id(type),
  decimalWidth: (type: LogicalType): number => duckdb.decimal_width(type),
  decimalScale: (type: LogicalType): number => duckdb.decimal_scale(type),
  listChild: (type: LogicalType): LogicalType => duckdb.list_type_child_type(type),
  arrayChild: (type: LogicalType): LogicalType => duckdb.array_type_child_type(type),
  arraySize: (type: LogicalType): number => duckdb.array_type_array_size(type),
  mapKey: (type: LogicalType): LogicalType => duckdb.map_type_key_type(type),
  mapValue: (type: LogicalType): LogicalType => duckdb.map_type_value_type(type),
  enumValues: (type: LogicalType): string[] =>
    Array.from({ length: duckdb.enum_dictionary_size(type) }, (_, i) => duckdb.enum_dictionary_value(type, i)),
  structFields: (type: LogicalType): { name: string; type: LogicalType }[] =>
    Array.from({ length: duckdb.struct_type_child_count(type) }, (_, i) =>
      ({ name: duckdb.struct_type_child_name(type, i), type: duckdb.struct_type_child_type(type, i) })),
}

function text(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

function direct<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw duckError(error)
  }
}

async function told<T>(call: Promise<T>, sql: string): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw duckError(error, sql)
  }
}
