/**
 * Assembles what an executor is told of one task: the fragment's text, what its views read, and where its rows go.
 * Pure. Sizes of inputs are listed, never globbed: a task reads the files of the attempts that count, and no others.
 */

import { create } from '@bufbuild/protobuf'
import { isCarried, type FileKey } from '../cache/key.ts'
import { filenameOf, type DataFile, type FileFormat, type Table, type TableColumn } from '../catalog/table.ts'
import { inputName, scanName, type ExchangeColumn, type Fragment, type FragmentInput } from '../planner/fragment.ts'
import { fragmentSettings } from '../planner/session-settings.ts'
import { wireCompression } from '../proto/compression.ts'
import { ExchangeSourceSchema, type ExchangeSource } from '../proto/gen/executor_pb.js'
import { unreachable } from '../proto/errors.ts'
import { taskId, type QueryId } from '../proto/ids.ts'
import type { ResourceGroup } from '../proto/resource-group.ts'
import type {
  ExchangeFileInit, InputInit, ScanInit, SplitInit, TaskDefinitionInit,
} from '../proto/task.ts'
import type { FilePlaces } from './file-places.ts'
import { inputRows, rowEstimate, type Selectivities } from './row-estimate.ts'
import type { TaskRestriction } from './key-ranges.ts'
import type { MemberKey } from './member.ts'
import type { ScanSplit } from './place.ts'
import type { SampledKey, StageRanges } from './ranges.ts'
import type { QueryRequest } from './running-query.ts'
import { isReadInSlices, type StageSlices } from './slices.ts'
import type { Split } from './splits.ts'

/** Of executor.proto: FileFormat and TaskDefinition.SqlKind. */
const formats: Readonly<Record<FileFormat, number>> = { parquet: 1, csv: 2, json: 3 }
const EMITTED = 1
const ORIGINAL = 2

/** What is the same for all tasks of a query. */
export interface QueryWork {
  readonly query: QueryId
  readonly request: QueryRequest
  readonly sqlKind: 'emitted' | 'original'
  readonly columns: readonly TableColumn[]
  readonly fragments: readonly Fragment[]
  /** By position, as PlanRequest.tables. */
  readonly tables: readonly Table[]
  readonly tablesRead: readonly number[]
  readonly selectivities: Selectivities
  /** Partitions of a hash exchange. */
  readonly partitionCount: number
  readonly memoryBytes: number
  /** Whose slots it uses. */
  readonly group: Pick<ResourceGroup, 'name' | 'weight'>
}

/** The output of one attempt that counts. */
export interface Output {
  readonly attempt: number
  readonly member: MemberKey
  readonly source: ExchangeSource
  readonly files: readonly OutputFile[]
  /** Keys of its rows; of a task that was to tell some. */
  readonly sample: readonly SampledKey[]
}

/** In the place of an output that is not needed: the other tasks of its stage have written rows enough. */
export const SPARED: Output = {
  attempt: 0, member: '' as MemberKey, source: create(ExchangeSourceSchema), files: [], sample: [],
}

export interface OutputFile {
  readonly partition: number
  readonly path: string
  readonly sizeBytes: bigint
  readonly rowCount: bigint
}

/** Complete outputs of the stages that a stage reads, in the order of its fragment's inputs; each by partition. */
export type StageInputs = readonly (readonly Output[])[]

export interface TaskPlace {
  readonly fragment: Fragment
  readonly partition: number
  readonly attempt: number
  readonly splits: readonly ScanSplit[]
  readonly restrictions: readonly TaskRestriction[]
  readonly inputs: StageInputs
  readonly ranges: StageRanges
  /** Null: it reads its own partitions, and no others. */
  readonly slices: StageSlices | null
  /** What it may need; the query's estimate, or more once that was not enough. */
  readonly memoryBytes: number
  readonly places: FilePlaces
}

export function taskDefinition(work: QueryWork, place: TaskPlace): TaskDefinitionInit {
  const { fragment, partition, attempt } = place
  const original = work.sqlKind === 'original'
  return {
    taskId: taskId(work.query, fragment.id, partition, attempt),
    queryId: work.query,
    stage: fragment.id,
    partition,
    attempt,
    sql: fragment.sql,
    sqlKind: original ? ORIGINAL : EMITTED,
    scans: original ? fragment.scans.flatMap(({ table, columns }) => namedScan(work.tables[table], columns))
      : scans(work, place),
    inputs: fragment.inputs.flatMap((input, i) => {
      const files = inputFiles(fragment.inputs, i, partition, place)
      return input.kind === 'bounds' ? [] : [inputInit(work, input, files, restrictionsOf(place, inputName(input)))]
    }),
    output: outputInit(work, place),
    preserveOrder: work.fragments.length === 1, // also of several tasks: streams in order cost DuckDB a tenth less
    settings: { ...original ? work.request.settings : fragmentSettings(work.request.settings) },
    defaultCatalog: work.request.defaultCatalog,
    defaultSchema: work.request.defaultSchema,
    principal: work.request.principal,
    memoryBytes: BigInt(place.memoryBytes),
    resourceGroup: work.group.name,
    weight: work.group.weight,
    carried: carriedFiles(original
      ? work.tablesRead.flatMap(index => work.tables[index]?.files ?? []).map(({ file }) => file)
      : place.splits.map(({ split }) => split.file)),
    enoughRows: BigInt(fragment.enough?.rows ?? 0),
  }
}

/** Those of `files` that come along with the task, each once. */
export function carriedFiles(files: readonly FileKey[]): { etag: string; content: Uint8Array }[] {
  const found = files.filter(isCarried).map(({ etag, content }) => [etag, { etag, content }] as const)
  return [...new Map(found).values()]
}

function scans(work: QueryWork, place: TaskPlace): ScanInit[] {
  const { fragment, splits, places } = place
  return fragment.scans.flatMap(scan => {
    const table = work.tables[scan.table]
    if (table === undefined) return []
    const isShared = scan.reads === 'all' && fragment.tasks !== 'one'
    const named = { name: scanName(scan.id), ...tableName(table) }
    const restricted = restrictionsOf(place, named.name)
    const estimate = rowEstimate(work.selectivities.get(scan.id), table, restricted)
    const own = splits.filter(item => item.scan === scan.id).map(({ split }) => splitInit(table, split, {
      // what every task reads is in every cache
      passing: scan.reads === 'split' && places.isPassing(split.file),
      peerAddress: isShared ? places.peerOf(split.file) : '',
      estimatedRows: estimate(split),
    }))
    const kept = keptColumns(table, scan.columns)
    const at = (position: number): number => kept.indexOf(position)
    const restrictions = restricted.map(one => ({ ...restrictionInit(one), column: at(one.column) }))
    const filtered = scan.filtered?.inside === true
    return [{ ...named, ...tableInit(table, kept), touched: scan.columns.map(at), splits: own, restrictions, filtered }]
  })
}

/** Positions of the columns that a task is told of: each is bound by it. In text files they are found by position. */
function keptColumns({ format, columns }: Table, touched: readonly number[]): readonly number[] {
  if (format !== 'parquet') return [...columns.keys()]
  return touched.length === 0 ? [0] : touched
}

type RestrictionInit = Pick<TaskRestriction, 'column'> & { readonly ranges: { low: bigint; high: bigint }[] }

function restrictionsOf({ restrictions }: TaskPlace, name: string): TaskRestriction[] {
  return restrictions.filter(({ relation }) => relation === name)
}

function restrictionInit({ column, ranges }: TaskRestriction): RestrictionInit {
  return { column, ranges: ranges.map(({ low, high }) => ({ low, high })) }
}

/** All files: what the user's own text filters is not known. `columns`: positions of what it reads; absent: all. */
export function namedScan(table: Table | undefined, columns?: readonly number[]): ScanInit[] {
  if (table === undefined) return []
  const whole = ({ file, shape, rowCount }: DataFile): Split =>
    ({ file, shape, fromRow: 0, toRow: 0, sizeBytes: file.sizeBytes, rowCount })
  const unknown = { passing: false, peerAddress: '', estimatedRows: 0n }
  const splits = table.files.map(file => splitInit(table, whole(file), unknown))
  const touched = [...columns ?? table.columns.keys()]
  return [{
    name: '', ...tableName(table), ...tableInit(table, [...table.columns.keys()]), touched, splits,
  }]
}

function tableName({ name: { catalog, schema, table } }: Table): Pick<ScanInit, 'catalog' | 'schema' | 'table'> {
  return { catalog, schema, table }
}

type TableInit = Pick<
  ScanInit, 'format' | 'columns' | 'hiveKeys' | 'options' | 'shapes' | 'filenameColumn'
>

/** `kept`: positions of the columns that it has of the table's. */
function tableInit(table: Table, kept: readonly number[]): TableInit {
  const columns = kept.flatMap(position => table.columns[position] ?? [])
  return {
    format: formats[table.format],
    columns: columns.map(({ name, type }) => ({ name, type })),
    hiveKeys: [...table.hiveKeys],
    options: { ...table.readOptions },
    shapes: table.shapes.map(({ columns, instead }) => ({
      columns: columns.map(({ name, type }) => ({ name, type })),
      instead: Object.fromEntries(kept.flatMap((position, i) => {
        const text = instead[position]
        return text === undefined ? [] : [[i, text ?? '']]
      })),
    })),
    filenameColumn: table.filename?.column ?? '',
  }
}

function splitInit(
  table: Table, { file, shape, fromRow, toRow, step = 0 }: Split,
  known: Pick<SplitInit, 'passing' | 'peerAddress' | 'estimatedRows'>,
): SplitInit {
  const name = filenameOf(table, { file }) ?? ''
  return { file: fileInit(file), fromRow: BigInt(fromRow), toRow: BigInt(toRow), ...known, shape, filename: name, step }
}

function fileInit({ bucket, key, etag, sizeBytes }: FileKey): NonNullable<SplitInit['file']> {
  return { bucket, key, etag, sizeBytes: BigInt(sizeBytes) }
}

function inputInit(
  work: QueryWork, input: FragmentInput, files: ExchangeFileInit[], restrictions: readonly TaskRestriction[],
): InputInit {
  const columns = work.fragments[input.fragment]?.columns ?? []
  const rowCount = files.reduce((sum, file) => sum + Number(file.rowCount ?? 0n), 0)
  return {
    name: inputName(input), columns: columns.map(columnInit), files,
    restrictions: restrictions.map(restrictionInit), estimatedRows: inputRows(rowCount, restrictions),
  }
}

/** Which files of the input at `position` a task reads: all of a gather or broadcast, else its own partition's. */
export function inputFiles(
  inputs: readonly FragmentInput[], position: number, partition: number,
  { inputs: written, slices }: Pick<TaskPlace, 'inputs' | 'slices'>,
): (ExchangeFileInit & Pick<OutputFile, 'rowCount'>)[] {
  const kind = inputs[position]?.kind
  const reads = (file: OutputFile, writer: number): boolean => {
    switch (kind) {
      case 'keep': return writer === partition
      case 'range': return file.partition === partition
      case 'hash': return slices === null ? file.partition === partition
        : isReadInSlices(slices, position, writer, file, partition)
      default: return true
    }
  }
  return (written[position] ?? []).flatMap(({ source, files }, writer) => files.filter(file => reads(file, writer))
    .map(({ path, sizeBytes, rowCount }) => ({ source, path, sizeBytes, rowCount })))
}

function columnInit({ type, wireType }: ExchangeColumn): { type: string; wireType: string } {
  return { type, wireType }
}

type OutputInit = NonNullable<TaskDefinitionInit['output']>

function outputInit(work: QueryWork, place: TaskPlace): OutputInit {
  const { output, columns } = place.fragment
  const exchange = { columns: columns.map(columnInit), partitionCount: work.partitionCount }
  switch (output.kind) {
    case 'result': return resultInit(work, place)
    case 'sample': return { case: 'sample', value: { key: output.key, percent: output.percent } }
    case 'hash': return { case: 'exchange', value: { ...exchange, hashKeys: [...output.keys] } }
    case 'range': {
      const range = { key: output.key, ties: [...output.ties], bounds: [...place.ranges.bounds] }
      return { case: 'exchange', value: { ...exchange, range } }
    }
    case 'gather': case 'broadcast': case 'keep':
      return { case: 'exchange', value: { ...exchange, partitionCount: 1 } }
    default: return unreachable(output)
  }
}

/** The Arrow that a request wants of its rows. */
export function resultForm(
  columns: readonly TableColumn[], { enums, compression }: Pick<QueryRequest, 'enums' | 'compression'>,
) {
  return {
    columns: columns.map(({ name, type }) => ({ name, type })), enumDictionaries: enums === 'dictionary',
    compression: wireCompression(compression),
  }
}

function resultInit(work: QueryWork, place: TaskPlace): OutputInit {
  const { partition, ranges } = place
  const slice = ranges.slices?.[partition]
  const value = {
    ...resultForm(work.columns, work.request),
    maxRows: maxRows(place),
    ...slice === undefined ? {} : { slice: { offset: BigInt(slice.offset), limit: BigInt(slice.limit) } },
  }
  return { case: 'result', value }
}

/** Of the result, where it is certain; 0: nothing is. */
function maxRows(place: TaskPlace): bigint {
  const { fragment: { maxRows: known, boundingInput, inputs }, partition } = place
  if (known !== null || boundingInput === undefined) return BigInt(known ?? 0)
  return inputFiles(inputs, boundingInput, partition, place).reduce((sum, { rowCount }) => sum + rowCount, 0n)
}
