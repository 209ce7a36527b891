/**
 * The columns of CSV and JSON files, and how every executor is to read them. Files of JSON are read by name whatever
 * they have; CSV files go by position, so those whose header is not the first one's are looked at by themselves.
 */

import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { MAX_FILE_SHAPES, fileShapes, tooManyShapes } from './column-shapes.ts'
import { CsvHeads } from './csv-heads.ts'
import type { TableDefinition } from './definitions.ts'
import type { HiveLayout } from './hive.ts'
import type { DescribeFiles, FileDescription } from './table-loader.ts'
import type { FileShape, TableColumn } from './table.ts'
import { withSamples } from './text-samples.ts'

/** DuckDB looks at so many files of its own accord: 10 of CSV, 32 of JSON. */
const FILES_TO_DESCRIBE = { csv: 10, json: 32 } as const

/** Files that are asked about one by one; their samples are on disk together. */
const FILES_AT_ONCE = 32

export interface DescribedText extends Pick<FileDescription, 'columns' | 'readOptions'> {
  readonly shapes: readonly FileShape[]
  /** By file, its shape. */
  readonly shapeOf: readonly number[]
}

/** Files with the same columns in the same order. */
interface ColumnGroup {
  readonly columns: readonly TableColumn[]
  readonly files: readonly FileKey[]
}

type StoreOf = (bucket: string) => ObjectStore

export class TextDescriber {
  readonly #describe: DescribeFiles
  readonly #heads = new CsvHeads()

  constructor(describe: DescribeFiles) {
    this.#describe = describe
  }

  async describe(
    definition: TableDefinition, storeOf: StoreOf, files: readonly FileKey[], hive: HiveLayout,
  ): Promise<DescribedText> {
    const { format, options: { unionByName, read } } = definition
    const filled = files.filter(file => file.sizeBytes > 0)
    const all = filled.length > 0 ? filled : files
    if (format === 'csv') {
      const byHead = await this.#byHead(definition, storeOf, all)
      if (byHead.length > 1) return this.#different(definition, storeOf, files, byHead, hive)
    }
    const own = format === 'csv' ? 'csv' : 'json'
    const sample = all.slice(0, FILES_TO_DESCRIBE[own])
    const options = { ...read, ...unionOption(unionByName === true) }
    const { columns, readOptions } = await this.#ask(storeOf, sample, own, options)
    return { columns, readOptions, shapes: [], shapeOf: [] }
  }

  /** Files by their headers, in the order of the first of each; one group if columns are told by position. */
  async #byHead(
    { label, options: { read } }: TableDefinition, storeOf: StoreOf, files: readonly FileKey[],
  ): Promise<readonly (readonly FileKey[])[]> {
    const isByPosition = read['columns'] !== undefined || read['names'] !== undefined || read['header'] === 'false'
    if (files.length < 2 || isByPosition) return [files]
    const { readOptions } = await this.#ask(storeOf, files.slice(0, 1), 'csv', read)
    if (readOptions['header'] !== 'true') return [files]
    const heads = await this.#heads.of(storeOf, files, {
      skip: Number(readOptions['skip'] ?? 0), compression: compressionOf(read['compression']),
    })
    const groups = new Map<string, FileKey[]>()
    files.forEach((file, i) => {
      const head = heads[i] ?? file.key
      const group = groups.get(head)
      if (group === undefined) groups.set(head, [file])
      else group.push(file)
    })
    if (new Set(heads.filter(head => head !== null)).size > MAX_FILE_SHAPES) throw tooManyShapes(label)
    return [...groups.values()]
  }

  async #different(
    { label, options: { read, unionByName: wanted } }: TableDefinition, storeOf: StoreOf, files: readonly FileKey[],
    byHead: readonly (readonly FileKey[])[], hive: HiveLayout,
  ): Promise<DescribedText> {
    const groups = await this.#byColumns(storeOf, byHead, read)
    if (groups.length > MAX_FILE_SHAPES) throw tooManyShapes(label)
    const unionByName = wanted !== false
    const firsts = groups.flatMap(group => group.files.slice(0, 1))
    const sample = unionByName ? firsts : (groups[0]?.files ?? []).slice(0, FILES_TO_DESCRIBE.csv)
    const { columns, readOptions } = await this.#ask(
      storeOf, sample, 'csv', { ...read, header: 'true', ...unionOption(unionByName) })
    const untyped = columns.map(({ name }) => ({ name, type: '' }))
    const shapes = fileShapes({ columns: untyped, examples: groups.map(({ columns }) => ({ columns, refused: {} })) }, {
      unionByName, first: firsts[0]?.key ?? '', name: example => firsts[example]?.key ?? '',
      hiveKeys: new Set(hive.keys.map(key => key.toLowerCase())),
    })
    const types = new Map(columns.map(({ name, type }) => [name.toLowerCase(), type]))
    const shapeOf = new Map(groups.flatMap((group, i) => group.files.map(file => [file, i] as const)))
    return {
      columns, readOptions, shapeOf: files.map(file => shapeOf.get(file) ?? 0),
      shapes: groups.map((group, i) => ({
        instead: shapes[i]?.instead ?? {},
        columns: group.columns.map(({ name }) => ({ name, type: types.get(name.toLowerCase()) ?? 'VARCHAR' })),
      })),
    }
  }

  /** Headers may be written in more than one way. */
  async #byColumns(
    storeOf: StoreOf, byHead: readonly (readonly FileKey[])[], read: Readonly<Record<string, string>>,
  ): Promise<readonly ColumnGroup[]> {
    const groups = new Map<string, { columns: readonly TableColumn[]; files: FileKey[] }>()
    for (let from = 0; from < byHead.length; from += FILES_AT_ONCE) {
      const some = byHead.slice(from, from + FILES_AT_ONCE)
      const { examples } = await this.#ask(storeOf, some.flatMap(files => files.slice(0, 1)), 'csv', read, true)
      for (const [i, files] of some.entries()) {
        const columns = (examples[i]?.columns ?? []).map(({ name }) => ({ name, type: '' }))
        const key = JSON.stringify(columns)
        const known = groups.get(key)
        if (known === undefined) groups.set(key, { columns, files: [...files] })
        else known.files.push(...files)
      }
    }
    return [...groups.values()]
  }

  #ask(
    storeOf: StoreOf, files: readonly FileKey[], format: 'csv' | 'json', options: Readonly<Record<string, string>>,
    each = false,
  ): Promise<FileDescription> {
    return withSamples(storeOf, files, paths => this.#describe({ format, paths, options, each }))
  }
}

function unionOption(isWanted: boolean): Readonly<Record<string, string>> {
  return isWanted ? { union_by_name: 'true' } : {}
}

function compressionOf(literal: string | undefined): 'none' | 'gzip' | 'zstd' | undefined {
  switch (literal) {
    case undefined: case `'auto'`: return undefined
    case `'none'`: return 'none'
    case `'gzip'`: return 'gzip'
    default: return 'zstd'
  }
}
