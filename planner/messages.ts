/** What the planner's process and its parent say to each other, over the channel that Node opens between them. */

import type { FileDescription } from '../catalog/table-loader.ts'
import { errorCode, QueryError } from '../proto/errors.ts'
import type { CompletionRequest, Suggestion } from './completion.ts'
import type { DialectName } from './dialect/dialect.ts'
import type { FilesToDescribe } from './describe-files.ts'
import type { NamedFiles } from './file-references.ts'
import type { HidingRequest } from './hidden-columns.ts'
import type { Statement } from './statement-list.ts'
import type { PlannedQuery, PlanRequest, PrunableScan, ScanEstimate } from './planned-query.ts'
import type { PreparedQuery, PrepareRequest } from './prepare-query.ts'
import type { Edit } from './text-edits.ts'

/** One question to a planner thread. */
export type Question =
  | { readonly kind: 'names'; readonly sql: string }
  | { readonly kind: 'statements'; readonly sql: string }
  | { readonly kind: 'translate'; readonly sql: string; readonly dialect: DialectName }
  | { readonly kind: 'plan'; readonly request: PlanRequest }
  | { readonly kind: 'prepare'; readonly request: PrepareRequest }
  | { readonly kind: 'describe'; readonly files: FilesToDescribe }
  | { readonly kind: 'hiding'; readonly request: HidingRequest }
  | { readonly kind: 'complete'; readonly request: CompletionRequest }

export type Answer =
  | readonly NamedTable[] | readonly Statement[] | PlannedQuery | PreparedQuery | FileDescription
  | readonly Suggestion[] | readonly Edit[] | string

/** A table's name as the text has it; null: left out. */
export interface NamedTable {
  readonly catalog: string | null
  readonly schema: string | null
  readonly table: string
  /** Files that the text names in this table's place; absent: none. */
  readonly files?: NamedFiles
}

export type ToProcess =
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'pruned'; readonly id: number; readonly outcome: PruneOutcome }

export type FromProcess =
  | { readonly kind: 'ready' }
  | { readonly kind: 'prune'; readonly id: number; readonly scans: readonly PrunableScan[] }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: Answer; readonly residentBytes: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorData; readonly residentBytes: number }
  /** Its memory has passed the limit; what runs can only be stopped with the process. */
  | { readonly kind: 'over-limit'; readonly residentBytes: number }

export type PruneOutcome = { readonly estimates: readonly ScanEstimate[] } | { readonly error: ErrorData }

export interface ErrorData {
  readonly code: string
  readonly message: string
  readonly position: number | undefined
}

/** What is no QueryError is a fault of ours: INTERNAL. */
export function errorData(thrown: unknown): ErrorData {
  if (thrown instanceof QueryError) return { code: thrown.code, message: thrown.message, position: thrown.position }
  return { code: 'INTERNAL', message: thrown instanceof Error ? thrown.message : String(thrown), position: undefined }
}

export function errorFrom({ code, message, position }: ErrorData): QueryError {
  return new QueryError(errorCode(code) ?? 'INTERNAL', message, { position })
}

/** How a planner process is started: its only argument, as JSON. */
export interface ProcessOptions {
  readonly skeletonDirectory: string
  readonly threads: number
  readonly memoryLimitBytes: number
}
