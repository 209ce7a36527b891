/** Lists, structs, fixed-size lists and maps: their own layout here, their parts by the readers of those. */

import type { DuckField } from '../types.ts'
import type { ArrowField } from './arrow-message.ts'
import type { ColumnReader } from './column-reader.ts'
import { ArrayRows, ListRows, StructRows, type IngestRows } from './ingest-rows.ts'
import { refuse } from './refusal.ts'

/** Of a type: those of its parts are made by it. */
type ReaderOf = (field: ArrowField) => ColumnReader

const ENTRY_BYTES = 16
/** DuckDB's own bound of an ARRAY. */
const MAX_ARRAY_SIZE = 100_000

export function listReader(field: ArrowField, large: boolean, readerOf: ReaderOf): ColumnReader {
  const { path } = field
  const child = onlyChild(field, readerOf)
  return {
    type: { kind: 'list', child: child.type }, rowBytes: ENTRY_BYTES + child.rowBytes, isKey: false, isFlat: false,
    read: (batch, bounds, dictionaries) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const offsets = batch.offsets(path, rowCount, large)
      const values = child.read(batch, { least: offsets[rowCount] ?? 0, most: Infinity }, dictionaries)
      return new ListRows(rowCount, validity, offsets, values)
    },
  }
}

export function arrayReader(field: ArrowField, size: number, readerOf: ReaderOf): ColumnReader {
  const { path } = field
  if (size < 1 || size > MAX_ARRAY_SIZE) refuse(path, `lists of ${size} values are not supported`)
  const child = onlyChild(field, readerOf)
  return {
    type: { kind: 'array', child: child.type, size }, rowBytes: size * child.rowBytes, isKey: false, isFlat: false,
    read: (batch, bounds, dictionaries) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const childRows = rowCount * size
      const values = child.read(batch, { least: childRows, most: childRows }, dictionaries)
      return new ArrayRows(rowCount, validity, size, values)
    },
  }
}

export function structReader({ path, children }: ArrowField, readerOf: ReaderOf): ColumnReader {
  if (children.length === 0) refuse(path, 'a struct without fields is not supported')
  checkNames(path, children)
  const readers = children.map(readerOf)
  const fields: DuckField[] = readers.map(({ type }, i) => ({ name: children[i]?.name ?? '', type }))
  return {
    type: { kind: 'struct', fields }, rowBytes: readers.reduce((sum, { rowBytes }) => sum + rowBytes, 0),
    isKey: false, isFlat: false,
    read: (batch, bounds, dictionaries) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const same = { least: rowCount, most: rowCount }
      return new StructRows(rowCount, validity, readers.map(reader => reader.read(batch, same, dictionaries)))
    },
  }
}

/** A list of structs of key and value; keys are there and differ. */
export function mapReader({ path, children }: ArrowField, readerOf: ReaderOf): ColumnReader {
  const [entry] = children
  const [keyField, valueField, more] = entry?.children ?? []
  const isStruct = entry?.type.kind === 'struct' && entry.dictionary === null
  if (!isStruct || keyField === undefined || valueField === undefined || more !== undefined) {
    return refuse(path, 'its entries must be structs of key and value')
  }
  const [key, value] = [readerOf(keyField), readerOf(valueField)]
  if (!key.isKey) refuse(path, 'keys of this type are not supported')
  return {
    type: { kind: 'map', key: key.type, value: value.type }, rowBytes: ENTRY_BYTES + key.rowBytes + value.rowBytes,
    isKey: false, isFlat: false,
    read: (batch, bounds, dictionaries) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const offsets = batch.offsets(path, rowCount, false)
      const [entryRows, entryValidity] = batch.head(path, { least: offsets[rowCount] ?? 0, most: Infinity })
      if (entryValidity !== null) refuse(path, 'an entry is NULL')
      const same = { least: entryRows, most: entryRows }
      const keys = key.read(batch, same, dictionaries)
      const values = value.read(batch, same, dictionaries)
      const rows = new ListRows(rowCount, validity, offsets, new StructRows(entryRows, null, [keys, values]))
      checkKeys(path, rows, keys)
      return rows
    },
  }
}

/** As DuckDB has them: no key is NULL, and none stands twice in a map. */
function checkKeys(path: string, maps: ListRows, keys: IngestRows): void {
  for (let row = 0; row < maps.rowCount; row++) {
    if (maps.isNull(row)) continue
    const [from, to] = [maps.offsets[row] ?? 0, maps.offsets[row + 1] ?? 0]
    const seen = new Set<string>()
    for (let at = from; at < to; at++) {
      if (keys.isNull(at)) refuse(path, `row ${row} has a key that is NULL`)
      seen.add(keys.key(at))
    }
    if (seen.size < to - from) refuse(path, `row ${row} has a key twice`)
  }
}

/** What DuckDB can tell apart, which does not look at case. */
export function checkNames(path: string, fields: readonly ArrowField[]): void {
  const names = new Set<string>()
  for (const { name } of fields) {
    if (name === '') refuse(path, 'a field without a name')
    if (name.includes('\0')) refuse(path, 'a name with the character 0')
    const folded = name.toLowerCase()
    if (names.has(folded)) refuse(path, `two fields named "${name}"`)
    names.add(folded)
  }
}

function onlyChild({ path, children }: ArrowField, readerOf: ReaderOf): ColumnReader {
  const [child] = children
  return child === undefined ? refuse(path, 'a list without a type of its values') : readerOf(child)
}
