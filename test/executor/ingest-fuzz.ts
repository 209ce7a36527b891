/**
 * Damaged Arrow streams into DuckDB, thousands of them, the same ones for the same seed. Each is refused with
 * INVALID_REQUEST or taken; what is taken is read back and compared with apache-arrow's reading of the same bytes.
 */

import { RecordBatchReader } from 'apache-arrow'
import { collectYoung } from '../../executor/young-collection.ts'
import { DuckError } from '../../executor/duck-error.ts'
import { ArrowIngest } from '../../proto/ingest/arrow-ingest.ts'
import { readMessage } from '../../proto/ingest/arrow-message.ts'
import type { DuckConnection } from '../../executor/instances.ts'
import { encapsulate, END_OF_STREAM } from '../../proto/arrow-stream.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { canonicalText } from './canonical-value.ts'
import { encoded, ingest } from './ingest-workbench.ts'
import { duckStreams, foreignStreams, type Stream } from './ingest-streams.ts'

const ROWS = 21
/** Values that lengths, counts and offsets are replaced by. */
const odd = [-1, 0, 1, 7, 127, 128, 255, 65_536, 0x7fffffff, -0x80000000, 0x78000000]

export interface FuzzTotals {
  accepted: number
  refused: number
  /** Values that DuckDB takes and Arrow cannot show: intervals above 292 years. */
  unshown: number
  readonly wrong: string[]
}

export class IngestFuzz {
  readonly totals: FuzzTotals = { accepted: 0, refused: 0, unshown: 0, wrong: [] }
  readonly #connection: DuckConnection
  readonly #streams: readonly Stream[]
  readonly #random: Random

  private constructor(connection: DuckConnection, streams: readonly Stream[], seed: number) {
    this.#connection = connection
    this.#streams = streams
    this.#random = new Random(seed)
  }

  static async open(connection: DuckConnection, seed: number): Promise<IngestFuzz> {
    const streams = [...await duckStreams(connection, ROWS), ...await foreignStreams(ROWS)]
    return new IngestFuzz(connection, streams, seed)
  }

  /** All streams as they are: they must be taken. */
  async undamaged(): Promise<void> {
    for (const { name, messages } of this.#streams) {
      const before = this.totals.accepted
      await this.#try(name, messages)
      if (this.totals.accepted === before) this.totals.wrong.push(`${name} is refused as it is`)
    }
  }

  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const stream = this.#random.of(this.#streams)
      let damaged = this.#damage(stream.messages)
      while (!differ(damaged, stream.messages)) damaged = this.#damage(damaged)
      await this.#try(`${stream.name} (${i})`, damaged)
      if (i % 64 === 0) collectYoung(Infinity)
    }
  }

  async #try(name: string, messages: readonly RawFlightData[]): Promise<void> {
    try {
      checked(messages) // first without DuckDB, which costs more than all the rest
      await ingest(this.#connection, 'target', messages)
    } catch (error) {
      if (error instanceof QueryError && error.code === 'INVALID_REQUEST') this.totals.refused++
      else this.totals.wrong.push(`${name}: ${String(error)}`)
      return
    }
    this.totals.accepted++
    try {
      const difference = await this.#difference(messages)
      if (difference !== null) this.totals.wrong.push(`${name}: ${difference}`)
    } catch (error) {
      if (error instanceof QueryError && /292 years/.test(error.message)) this.totals.unshown++
      else this.totals.wrong.push(`${name}: taken, then ${error instanceof Error ? error.stack : String(error)}`)
    } finally {
      await this.#connection.run('DROP TABLE target')
    }
  }

  /** null: DuckDB has what apache-arrow reads. Every value is printed once besides, for that has crashed before. */
  async #difference(messages: readonly RawFlightData[]): Promise<string | null> {
    const [{ dataHeader } = { dataHeader: new Uint8Array(0) }] = messages
    const { columns } = new ArrowIngest(dataHeader)
    const kept = columnTexts(await encoded(this.#connection, 'target', columns))
    const sent = columnTexts(messages)
    await this.#connection.run('SELECT max(COLUMNS(*)::VARCHAR) FROM target').catch((error: unknown) => {
      if (!(error instanceof DuckError) || error.type === 'Fatal') throw error // a value that DuckDB cannot print
    })
    const at = kept.findIndex((text, i) => text !== sent[i])
    return at === -1 ? null : `${columns[at]?.type} is ${kept[at]?.slice(0, 300)}, sent was ${sent[at]?.slice(0, 300)}`
  }

  #damage(messages: readonly RawFlightData[]): RawFlightData[] {
    const random = this.#random
    const out = messages.map(({ dataHeader, dataBody }) =>
      ({ dataHeader: Uint8Array.from(dataHeader), dataBody: Uint8Array.from(dataBody) }))
    for (let left = 1 + random.below(3); left > 0; left--) {
      const at = random.below(out.length)
      const one = out[at]
      if (one === undefined) continue
      const part = random.below(10)
      if (part === 0) out.splice(at, random.below(2), ...random.below(2) === 0 ? [] : [one])
      else if (part === 1) one.dataBody = one.dataBody.slice(0, random.below(one.dataBody.length + 1))
      else if (part === 2) one.dataHeader = one.dataHeader.slice(0, random.below(one.dataHeader.length + 1))
      else this.#hit(part < 7 || one.dataBody.length === 0 ? one.dataHeader : one.dataBody)
    }
    return out
  }

  #hit(bytes: Uint8Array): void {
    if (bytes.length < 8) return
    const random = this.#random
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const at = random.below(bytes.length - 7)
    switch (random.below(5)) {
      case 0: bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8)); break
      case 1: view.setInt32(at & ~3, random.of(odd), true); break
      case 2: view.setInt32(at & ~3, view.getInt32(at & ~3, true) + random.below(17) - 8, true); break
      case 3: view.setBigInt64(at & ~7, BigInt(random.of(odd)) << BigInt(random.below(33)), true); break
      default: bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length))
    }
  }
}

/** Each column by apache-arrow, all its rows. */
function columnTexts(messages: readonly RawFlightData[]): string[] {
  const pieces = messages.map(({ dataHeader, dataBody }) => {
    const { bodyBytes } = readMessage(dataHeader)
    return encapsulate({ dataHeader, dataBody: dataBody.subarray(0, bodyBytes) })
  })
  const reader = RecordBatchReader.from(Buffer.concat([...pieces.flat(), END_OF_STREAM])).open()
  const batches = [...reader].filter(batch => batch.numRows > 0 || batch.numCols > 0)
  const width = batches[0]?.data.children.length ?? 0
  return Array.from({ length: width }, (_, i) =>
    canonicalText(batches.flatMap(batch => batch.data.children.slice(i, i + 1))))
}

function checked(messages: readonly RawFlightData[]): void {
  const [schema, ...more] = messages
  if (schema === undefined) return
  const ingest = new ArrowIngest(schema.dataHeader)
  for (const message of more) ingest.take(message)
}

function differ(a: readonly RawFlightData[], b: readonly RawFlightData[]): boolean {
  return a.length !== b.length || a.some(({ dataHeader, dataBody }, i) =>
    Buffer.compare(dataHeader, b[i]?.dataHeader ?? dataBody) !== 0
    || Buffer.compare(dataBody, b[i]?.dataBody ?? dataHeader) !== 0)
}

/** Mulberry32 (Tommy Ettinger, 2017): the same numbers for the same seed. */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) * limit) / 4294967296 | 0
  }

  of<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)]
    if (value === undefined) throw new Error('nothing to choose from')
    return value
  }
}
