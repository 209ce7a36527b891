/**
 * What would be done for a statement: its stages with their SQL, what each reads and writes and why, files kept and
 * pruned, and which executor would read what. Made by the very functions that run a query. See explanation.ts.
 */

import type { Fragment, FragmentScan } from '../planner/fragment.ts'
import { withoutCastMarks } from '../proto/cast-mark.ts'
import {
  EXPLANATION_VERSION, type ActualQuery, type ActualStage, type ExplainedScan, type ExplainedStage,
  type ExplainedTask, type Explanation,
} from './explanation.ts'
import type { PlacedTask, Room } from './place.ts'
import type { PlannedWork } from './plan-query.ts'
import { touchedBytes } from './splits.ts'
import { partitionCountFor, stageTasks } from './stage-plans.ts'

const NOTHING: ReadonlyMap<number, number> = new Map()
/** Names of files of one task; the rest is counted. */
const MAX_FILES = 100

/** What is there to run it. */
export interface Ground {
  readonly rooms: readonly Room[]
  /** By the bucket's name in the configuration. */
  readonly isRemote: (bucket: string) => boolean
}

/** What was seen of a query that has run. */
export interface Seen {
  readonly query: ActualQuery
  /** By stage. */
  readonly stages: ReadonlyMap<number, ActualStage>
}

export interface ExplainMore {
  readonly seen?: Seen | null
  /** That the statement is a translation from. */
  readonly dialect?: string | null
  /** Bytes of remote files in caches already, by scan. */
  readonly cached?: ReadonlyMap<number, number>
}

export function explain(
  statement: string, work: PlannedWork, planMs: number, ground: Ground,
  { seen = null, cached = NOTHING, dialect = null }: ExplainMore = {},
): Explanation {
  const { columns, wholeReason, fragments } = work.planned
  const stages = fragments.map(fragment => explainStage(work, fragment, { ...ground, cached }, seen))
  const sum = (of: (scan: ExplainedScan) => number): number =>
    stages.flatMap(({ scans }) => scans).reduce((total, scan) => total + of(scan), 0)
  return {
    version: EXPLANATION_VERSION, statement: statement.trim(), dialect, columns, whole_reason: wholeReason,
    executors: ground.rooms.length, plan_ms: rounded(planMs),
    bytes: sum(({ bytes }) => bytes), bytes_to_fetch: sum(scan => scan.bytes_to_fetch),
    bytes_cached: sum(scan => scan.bytes_cached),
    stages, actual: seen?.query ?? null,
  }
}

/** With what is in caches already, by scan. */
type Known = Ground & { readonly cached: ReadonlyMap<number, number> }

function explainStage(work: PlannedWork, fragment: Fragment, ground: Known, seen: Seen | null): ExplainedStage {
  const { rooms } = ground
  const { sqlKind, fragments } = work.planned
  const tasks = stageTasks(fragment, work, rooms, partitionCountFor(rooms))
  return {
    stage: fragment.id, sql: withoutCastMarks(fragment.sql),
    operators: (fragment.explained?.operators ?? []).map(({ depth, text, rows, reads }) =>
      ({ depth, text, estimated_rows: rows, reads })),
    tasks: tasks.length, estimated_rows: Math.round(fragment.rows), estimated_bytes: Math.round(fragment.bytes),
    output: outputText(fragment), output_reason: whyOf(fragment),
    inputs: fragment.inputs.map(input => {
      const from = fragments[input.fragment]
      return { stage: input.fragment, exchange: input.kind, reason: from === undefined ? '' : whyOf(from) }
    }),
    scans: fragment.scans.flatMap(scan => explainScan(work, scan, tasks, ground)),
    placement: fragment.tasks === 'splits' && sqlKind === 'emitted' ? tasks.map(task => placed(fragment, task)) : [],
    actual: seen?.stages.get(fragment.id) ?? null,
  }
}

function whyOf({ explained, output }: Fragment): string {
  return explained?.why ?? (output.kind === 'result' ? 'rows go to the client' : '')
}

function placed({ scans }: Fragment, { owner, splits: items }: PlacedTask): ExplainedTask {
  const own = items.filter(({ scan }) => scans.some(({ id, reads }) => id === scan && reads === 'split'))
  const files = [...new Set(own.map(({ split }) => split.file.key))]
  const bytes = own.reduce((sum, { split }) => sum + split.sizeBytes, 0)
  return { executor: owner, files: files.slice(0, MAX_FILES), file_count: files.length, bytes }
}

function explainScan(
  { planned, tables, files }: PlannedWork, scan: FragmentScan, tasks: readonly PlacedTask[],
  { isRemote, cached }: Known,
): ExplainedScan[] {
  const table = tables[scan.table]
  if (table === undefined) return []
  const isOriginal = planned.sqlKind === 'original'
  const kept = files.get(scan.id) ?? []
  const bytes = isOriginal ? table.sizeBytes
    : touchedBytes(kept, scan.columns)
  const remote = table.files.some(({ file }) => isRemote(file.bucket))
  const atHand = remote ? Math.min(bytes, cached.get(scan.id) ?? 0) : bytes
  const { catalog, schema, table: name } = table.name
  const rowGroups = table.format !== 'parquet' ? 0
    : table.index?.groupCount ?? table.files.reduce((sum, file) => sum + file.rowGroups.length, 0)
  return [{
    table: `${catalog}.${schema}.${name}`, columns: scan.columns.map(column => table.columns[column]?.name ?? ''),
    reads: scan.reads, files: table.files.length, files_kept: isOriginal ? table.files.length : kept.length,
    row_groups: rowGroups,
    row_groups_kept: isOriginal ? rowGroups : kept.reduce((sum, file) => sum + file.rowGroups.length, 0),
    bytes, bytes_to_fetch: bytes - atHand, bytes_cached: atHand, steps: remote ? stepsOf(scan, tasks) : 1,
  }]
}

function stepsOf({ id }: FragmentScan, tasks: readonly PlacedTask[]): number {
  const own = tasks.flatMap(({ splits }) => splits.filter(({ scan }) => scan === id))
  return own.reduce((most, { split: { step = 0 } }) => Math.max(most, step + 1), 1)
}

function outputText({ output, explained }: Fragment): string {
  switch (output.kind) {
    case 'hash': return `hash(${(explained?.keys ?? output.keys).join(', ')})`
    case 'range': return `range(${(explained?.keys ?? [output.key]).join(', ')})`
    default: return output.kind
  }
}

/** Milliseconds to a tenth. */
export function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
