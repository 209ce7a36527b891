/**
 * From a statement to what shall run: names to tables, tables to a plan, the plan's scans to the files that are left.
 */

import { unreachable } from '../proto/errors.ts'
import { isCarried, type CarriedFile } from '../cache/key.ts'
import type { DataFile, Table } from '../catalog/table.ts'
import type { Expression } from '../planner/expression.ts'
import { isInOrder } from '../planner/fragment.ts'
import { named } from '../planner/parameters.ts'
import type {
  PlannedQuery, PlannerTable, PlanThresholds, PrunableScan, ScanEstimate,
} from '../planner/planned-query.ts'
import type { PreparedQuery } from '../planner/prepare-query.ts'
import type { CatalogPort, PlannerPort, PreparePort, PrunedFile, PrunePort } from './query-ports.ts'
import type { QueryRequest } from './running-query.ts'
import { firstFiles } from './first-files.ts'
import { rowsOf, touchedBytes } from './splits.ts'
import { withTables } from './tables-of-text.ts'

export interface PlanPorts {
  readonly planner: PlannerPort
  readonly catalog: CatalogPort
  readonly prune: PrunePort
  readonly thresholds: PlanThresholds
}

export interface PreparePorts {
  readonly planner: Pick<PlannerPort, 'names' | 'hiding'> & PreparePort
  readonly catalog: CatalogPort
}

/** A plan with the versions of the tables that it was made for. */
export interface PlannedWork {
  readonly planned: PlannedQuery
  readonly tables: readonly Table[]
  /** By scan id: what its filters leave. */
  readonly files: ReadonlyMap<number, readonly PrunedFile[]>
  /** Bytes that its scans touch. */
  readonly inputBytes: number
}

/** One executor is enough. */
export function isSingle(work: PlannedWork | null): boolean {
  const fragments = work?.planned.fragments ?? []
  return fragments.length === 1 && fragments[0]?.tasks === 'one'
}

/** The parts of its result follow each other. */
export function isOrdered({ planned: { fragments } }: PlannedWork): boolean {
  return fragments.slice(-1).some(isInOrder)
}

export async function planQuery(request: QueryRequest, ports: PlanPorts): Promise<PlannedWork> {
  const { defaultCatalog, defaultSchema, settings, explain = false, columnNames } = request
  return withTables(request, ports, async ({ text, tables, named: asWritten }) => {
    const { planner, prune, thresholds } = ports
    const pruned = new Map<string, ReturnType<PrunePort>>()
    const allLeft = ({ table, filters, columns }: PrunableScan): ReturnType<PrunePort> => {
      const found = tables[table]
      const key = keyOf(table, filters, columns)
      const files = pruned.get(key) ?? (found === undefined ? [] : prune(found, filters, columns))
      pruned.set(key, files)
      return files
    }
    const left = async (scan: PrunableScan): Promise<readonly PrunedFile[]> => {
      const files = await allLeft(scan)
      return scan.firstRows === undefined ? files : firstFiles(files, scan.firstRows)
    }
    const found = await planner.plan(
      { sql: text, defaultCatalog, defaultSchema, settings, tables: tables.map(plannerTable), thresholds, explain },
      scans => Promise.all(scans.map(async scan => estimate(await left(scan), scan.columns))),
    )
    const written = asWritten(found.columns)
    const planned = { ...found, columns: columnNames === undefined ? written : named(written, columnNames) }
    const scans = planned.fragments.flatMap(fragment => fragment.scans)
    const files = new Map(await Promise.all(scans.map(async scan => [scan.id, await left(scan)] as const)))
    return { planned, tables, files, inputBytes: inputBytes(planned, tables, files) }
  })
}

/** Columns and parameters of a statement that reads; nothing of it runs. */
export async function prepareQuery(request: QueryRequest, ports: PreparePorts): Promise<PreparedQuery> {
  const { defaultCatalog, defaultSchema, settings } = request
  return withTables(request, ports, async ({ text, tables, named: asWritten }) => {
    const prepared = await ports.planner.prepare(
      { sql: text, defaultCatalog, defaultSchema, settings, tables: tables.map(plannerTable) })
    return { ...prepared, columns: asWritten(prepared.columns) }
  })
}

function plannerTable(
  { name, version, columns, rowCount, sizeBytes, skeletonPath, distinctCounts, ...more }: Table,
): PlannerTable {
  const { orderedColumns = [], dividedColumns = [] } = more
  return {
    name, version, columns, rowCount, sizeBytes, skeletonPath, distinctCounts, orderedColumns, dividedColumns,
  }
}

/** The same scan is asked for before the plan is cut, and of its fragment after. */
function keyOf(table: number, filters: readonly Expression[], columns: readonly number[]): string {
  const sorted = [...columns].sort((a, b) => a - b)
  return JSON.stringify([table, sorted, filters], (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value)
}

function estimate(files: readonly PrunedFile[], columns: readonly number[]): ScanEstimate {
  let rows = 0
  for (const file of files) rows += rowsOf(file)
  return { rows, bytes: touchedBytes(files, columns) }
}

function inputBytes(
  { sqlKind, fragments, tablesRead }: PlannedQuery, tables: readonly Table[], files: PlannedWork['files'],
): number {
  switch (sqlKind) {
    case 'original': return tablesRead.reduce((sum, table) => sum + (tables[table]?.sizeBytes ?? 0), 0)
    case 'emitted': return fragments.flatMap(({ scans }) => scans)
      .reduce((sum, scan) => sum + touchedBytes(files.get(scan.id) ?? [], scan.columns), 0)
    default: return unreachable(sqlKind)
  }
}

/** To be kept: without the bytes of files that came along. */
export function withoutContents(work: PlannedWork): PlannedWork {
  const bare = (data: DataFile): DataFile => {
    if (!isCarried(data.file)) return data
    const file: CarriedFile = { ...data.file, content: new Uint8Array() }
    return { ...data, file }
  }
  return {
    ...work,
    tables: work.tables.map(table => ({ ...table, files: table.files.map(bare) })),
    files: new Map([...work.files].map(([scan, files]) =>
      [scan, files.map(one => ({ ...one, file: bare(one.file) }))])),
  }
}
