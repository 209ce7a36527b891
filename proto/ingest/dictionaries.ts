/** Dictionaries of a stream: declared by its schema, sent before what refers to them, sent anew to change. */

import type { ArrowBatch, ArrowField } from './arrow-message.ts'
import { BufferReader } from './buffer-reader.ts'
import { plainReader, type ColumnReader } from './column-reader.ts'
import type { IngestRows } from './ingest-rows.ts'
import { refuse } from './refusal.ts'

/** Of all that are kept: they stay for the whole stream. */
const MAX_DICTIONARY_BYTES = 256 * 1024 * 1024

interface Kept {
  readonly rows: IngestRows
  readonly byteCount: number
}

export class Dictionaries {
  readonly #readers = new Map<bigint, { readonly reader: ColumnReader; readonly field: ArrowField }>()
  readonly #kept = new Map<bigint, Kept>()

  constructor(fields: readonly ArrowField[]) {
    this.#declare(fields)
  }

  /** Undefined until it has come. */
  readonly values = (id: bigint): IngestRows | undefined => this.#kept.get(id)?.rows

  take(id: bigint, batch: ArrowBatch, body: Uint8Array): void {
    const declared = this.#readers.get(id)
    if (declared === undefined) return refuse('', `dictionary ${id} is not declared`)
    const buffers = new BufferReader(batch, body)
    const rows = declared.reader.read(buffers, { least: batch.rowCount, most: batch.rowCount }, this.values)
    buffers.end()
    this.#kept.set(id, { rows, byteCount: body.length })
    const bytes = [...this.#kept.values()].reduce((sum, { byteCount }) => sum + byteCount, 0)
    if (bytes > MAX_DICTIONARY_BYTES) {
      refuse(declared.field.path, `dictionaries of ${bytes} bytes, the limit is ${MAX_DICTIONARY_BYTES} bytes`)
    }
  }

  #declare(fields: readonly ArrowField[]): void {
    for (const field of fields) {
      this.#declare(field.children)
      if (field.dictionary === null) continue
      const known = this.#readers.get(field.dictionary.id)
      if (known !== undefined && valuesOf(known.field) !== valuesOf(field)) {
        refuse(field.path, `its dictionary ${field.dictionary.id} is one of another type`)
      }
      this.#readers.set(field.dictionary.id, { reader: plainReader(field), field })
    }
  }
}

/** What decides how values are read. */
function valuesOf({ type, extension }: ArrowField): string {
  return JSON.stringify([type, extension])
}
