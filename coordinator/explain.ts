/**
 * What would be done for a statement, without doing it: its stages with their SQL, what each reads and writes, files
 * kept and pruned, and which executor would read what. Made by the very functions that run a query.
 */

import type { Fragment, FragmentScan } from '../planner/fragment.ts'
import { withoutCastMarks } from '../proto/cast-mark.ts'
import type { Room } from './place.ts'
import { planQuery, type PlannedWork, type PlanPorts } from './plan-query.ts'
import type { QueryRequest } from './running-query.ts'
import { splits } from './splits.ts'
import { partitionCountFor, stageTasks } from './stage-plans.ts'

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
  /**
   * Of these bytes: to come from the bucket at most, and at hand for certain. A local bucket is at hand; of a remote
   * one executors may have some in their caches, which only they know.
   */
  readonly bytes_to_fetch: number
  readonly bytes_cached: number
}

export interface ExplainedTask {
  readonly executor: string | null
  readonly files: readonly string[]
  readonly bytes: number
}

/** What is there to run it. */
export interface Ground {
  readonly rooms: readonly Room[]
  /** By the bucket's name in the configuration. */
  readonly isRemote: (bucket: string) => boolean
}

export async function explain(request: QueryRequest, ports: PlanPorts, ground: Ground): Promise<Explanation> {
  const work = await planQuery(request, ports)
  const { columns, wholeReason, fragments } = work.planned
  return {
    statement: request.sql, columns, whole_reason: wholeReason,
    stages: fragments.map(fragment => explainStage(work, fragment, ground)),
  }
}

function explainStage(work: PlannedWork, fragment: Fragment, ground: Ground): ExplainedStage {
  const { rooms } = ground
  const tasks = stageTasks(fragment, work, rooms, partitionCountFor(rooms))
  const read = new Map(fragment.scans.map(scan => [scan.id, scan.reads]))
  return {
    stage: fragment.id, sql: withoutCastMarks(fragment.sql), tasks: tasks.length,
    estimated_rows: Math.round(fragment.rows), output: outputText(fragment),
    inputs: fragment.inputs.map(input => ({ stage: input.fragment, exchange: input.kind })),
    scans: work.planned.sqlKind === 'original' ? [] : fragment.scans.flatMap(scan => explainScan(work, scan, ground)),
    placement: fragment.tasks !== 'splits' ? [] : tasks.map(({ owner, splits: items }) => {
      const own = items.filter(({ scan }) => read.get(scan) === 'split').map(({ split }) => split)
      const bytes = own.reduce((sum, split) => sum + split.sizeBytes, 0)
      return { executor: owner, files: own.map(split => split.file.key), bytes }
    }),
  }
}

function explainScan(
  { tables, files }: PlannedWork, scan: FragmentScan, { isRemote }: Ground,
): ExplainedScan[] {
  const table = tables[scan.table]
  if (table === undefined) return []
  const kept = files.get(scan.id) ?? []
  const bytes = splits(kept, scan.columns, 1).reduce((sum, split) => sum + split.sizeBytes, 0)
  const remote = table.files.some(({ file }) => isRemote(file.bucket))
  const { catalog, schema, table: name } = table.name
  return [{
    table: `${catalog}.${schema}.${name}`, columns: scan.columns.map(column => table.columns[column]?.name ?? ''),
    files: table.files.length, files_kept: kept.length,
    row_groups: table.files.reduce((sum, file) => sum + file.rowGroups.length, 0),
    row_groups_kept: kept.reduce((sum, { rowGroups }) => sum + rowGroups.length, 0),
    bytes, bytes_to_fetch: remote ? bytes : 0, bytes_cached: remote ? 0 : bytes,
  }]
}

function outputText({ output }: Fragment): string {
  return output.kind === 'hash' ? `hash(${output.keys.join(', ')})` : output.kind
}

/** Stages from the last to the first, as a person reads a plan: the answer on top. */
export function explanationText({ whole_reason: reason, stages }: Explanation): string {
  const head = reason === null ? `distributed: ${stages.length} stages\n` : `whole on one executor: ${reason}\n`
  return head + [...stages].reverse().map(stage => `\n${stageLines(stage).join('\n')}\n`).join('')
}

function stageLines({ stage, tasks, estimated_rows: rows, output, inputs, scans, placement, sql }: ExplainedStage) {
  const reads = inputs.map(input => `stage ${input.stage} by ${input.exchange}`)
  return [
    `stage ${stage}: ${tasks} task${tasks === 1 ? '' : 's'}, about ${rows} rows → ${output}`,
    ...(reads.length > 0 ? [`  reads ${reads.join(', ')}`] : []),
    ...scans.map(scan => `  scans ${scanText(scan)}`),
    ...placement.map(({ executor, files, bytes }, i) =>
      `  task ${i} on ${executor ?? 'any'}: ${files.join(' ')} (${bytes} bytes)`),
    `  ${sql}`,
  ]
}

function scanText(scan: ExplainedScan): string {
  const files = `${scan.files_kept} of ${scan.files} files`
  const rowGroups = `${scan.row_groups_kept} of ${scan.row_groups} row groups`
  const bytes = `${scan.bytes} bytes: ${scan.bytes_to_fetch} to fetch at most, ${scan.bytes_cached} at hand`
  return `${scan.table} (${scan.columns.join(', ')}): ${files}, ${rowGroups}, ${bytes}`
}
