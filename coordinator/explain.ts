/**
 * What would be done for a statement, without doing it: its stages with their SQL, what each reads and writes, files
 * kept and pruned, and which executor would read what. Made by the very functions that run a query.
 */

import type { Table } from '../catalog/table.ts'
import type { Fragment, FragmentScan } from '../planner/fragment.ts'
import type { PlannedQuery, PlanThresholds, PruneScans } from '../planner/planned-query.ts'
import { placeSplits, type PlacedTask, type Room } from './place.ts'
import type { CatalogPort, NameDefaults, PlannerPort, PrunePort } from './query-ports.ts'
import { splits } from './splits.ts'

export interface ExplainPorts {
  readonly planner: PlannerPort
  readonly catalog: CatalogPort
  readonly prune: PrunePort
  /** Estimates of scans, as a query that runs gets them. */
  readonly pruneScans: (tables: readonly Table[]) => PruneScans
  readonly rooms: () => readonly Room[]
  readonly thresholds: PlanThresholds
}

export interface Explanation {
  readonly statement: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly whole_reason: string | null
  readonly stages: readonly ExplainedStage[]
}

export interface ExplainedStage {
  readonly stage: number
  readonly sql: string
  readonly tasks: number
  readonly estimated_rows: number
  /** result, gather, broadcast, keep, or hash with its keys. */
  readonly output: string
  readonly inputs: readonly { readonly stage: number; readonly exchange: string }[]
  readonly scans: readonly ExplainedScan[]
  readonly placement: readonly ExplainedTask[]
}

export interface ExplainedScan {
  readonly table: string
  readonly columns: readonly string[]
  readonly files: number
  readonly files_kept: number
  readonly row_groups: number
  readonly row_groups_kept: number
  /** Of the columns that are read, in the row groups that are left. */
  readonly bytes: number
  /** Of these bytes: still to come from the bucket, and at hand already (a local bucket is always at hand). */
  readonly bytes_to_fetch: number
  readonly bytes_cached: number
}

export interface ExplainedTask {
  readonly executor: string | null
  readonly files: readonly string[]
  readonly bytes: number
}

export async function explain(ports: ExplainPorts, sql: string, defaults: NameDefaults, settings: Readonly<Record<string, string>>): Promise<Explanation> {
  const tables = await ports.catalog.resolve(await ports.planner.names(sql), defaults)
  const planned = await ports.planner.plan({
    sql, defaultCatalog: defaults.catalog, defaultSchema: defaults.schema, settings, tables, thresholds: ports.thresholds,
  }, ports.pruneScans(tables))
  return {
    statement: sql, columns: planned.columns, whole_reason: planned.wholeReason,
    stages: planned.fragments.map(fragment => explainStage(ports, planned, fragment, tables)),
  }
}

function explainStage(ports: ExplainPorts, planned: PlannedQuery, fragment: Fragment, tables: readonly Table[]): ExplainedStage {
  const placement = place(ports, fragment, tables)
  const rooms = ports.rooms()
  const slots = rooms.reduce((sum, room) => sum + room.slots, 0)
  const tasks = fragment.tasks === 'one' ? 1 : fragment.tasks === 'splits' ? placement.length : Math.max(1, slots)
  return {
    stage: fragment.id, sql: fragment.sql, tasks, estimated_rows: Math.round(fragment.rows), output: outputText(fragment),
    inputs: fragment.inputs.map(input => ({ stage: input.fragment, exchange: input.kind })),
    scans: fragment.scans.flatMap(scan => explainScan(ports, scan, tables, planned)),
    placement: placement.map(task => ({
      executor: task.owner, files: task.splits.map(({ split }) => split.file.key), bytes: task.sizeBytes,
    })),
  }
}

function place(ports: ExplainPorts, fragment: Fragment, tables: readonly Table[]): readonly PlacedTask[] {
  const rooms = ports.rooms()
  const target = Math.max(1, rooms.reduce((sum, room) => sum + room.slots, 0))
  const items = fragment.scans.filter(scan => scan.reads === 'split').flatMap(scan => {
    const table = tables[scan.table]
    if (table === undefined) return []
    return splits(ports.prune(table, scan.filters), scan.columns, target).map(split => ({ scan: scan.id, split }))
  })
  return items.length === 0 ? [] : placeSplits(items, rooms, target)
}

function explainScan(ports: ExplainPorts, scan: FragmentScan, tables: readonly Table[], { sqlKind }: PlannedQuery): ExplainedScan[] {
  const table = tables[scan.table]
  if (table === undefined || sqlKind === 'original') return []
  const kept = ports.prune(table, scan.filters)
  const bytes = kept.reduce((sum, { file, rowGroups }) => sum + (file.rowGroups.length === 0 ? file.file.sizeBytes
    : rowGroups.reduce((of, group) => of + scan.columns.reduce((all, column) => all + (file.rowGroups[group]?.columns[column]?.sizeBytes ?? 0), 0), 0)), 0)
  const { catalog, schema, table: name } = table.name
  return [{
    table: `${catalog}.${schema}.${name}`, columns: scan.columns.map(column => table.columns[column]?.name ?? ''),
    files: table.files.length, files_kept: kept.length,
    row_groups: table.files.reduce((sum, file) => sum + file.rowGroups.length, 0),
    row_groups_kept: kept.reduce((sum, { rowGroups }) => sum + rowGroups.length, 0),
    bytes, bytes_to_fetch: 0, bytes_cached: bytes,
  }]
}

function outputText({ output }: Fragment): string {
  return output.kind === 'hash' ? `hash(${output.keys.join(', ')})` : output.kind
}

/** Stages from the last to the first, as a person reads a plan: the answer on top. */
export function explanationText({ whole_reason: reason, stages }: Explanation): string {
  const head = reason === null ? `distributed: ${stages.length} stages\n` : `whole on one executor: ${reason}\n`
  return head + [...stages].reverse().map(stage => {
    const reads = stage.inputs.map(input => `stage ${input.stage} by ${input.exchange}`)
    const lines = [
      `stage ${stage.stage}: ${stage.tasks} task${stage.tasks === 1 ? '' : 's'}, about ${stage.estimated_rows} rows → ${stage.output}`,
      ...(reads.length > 0 ? [`  reads ${reads.join(', ')}`] : []),
      ...stage.scans.map(scan => `  scans ${scan.table} (${scan.columns.join(', ')}): ${scan.files_kept} of ${scan.files} files, `
        + `${scan.row_groups_kept} of ${scan.row_groups} row groups, ${scan.bytes} bytes: ${scan.bytes_to_fetch} to fetch, ${scan.bytes_cached} at hand`),
      ...stage.placement.map((task, i) => `  task ${i} on ${task.executor ?? 'any'}: ${task.files.join(' ')} (${task.bytes} bytes)`),
      `  ${stage.sql}`,
    ]
    return `\n${lines.join('\n')}\n`
  }).join('')
}
