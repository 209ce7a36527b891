/**
 * The life of a query.
 *
 *   planning ──▶ queued ──▶ reserving ──▶ running ──────────────▶ finished
 *                │  ▲                        ├──▶ delivering ──▶ finished      any of these ──▶ failed, cancelled
 *                ▼  │                        │
 *               serving ─────────────────────┴─────────────────▶ finished
 *
 * queued: waits for admission. reserving: executors book its memory. serving: the result that another query left is
 * read; if it is gone the query runs after all. delivering: the result has outgrown what is held back and goes to the
 * client; from here on a lost executor fails the query. A query is a value; `advance` is the only
 * function that makes the next one. The last three states are final: late events leave them as they are.
 */

import { fail } from 'node:assert/strict'
import { unreachable, type QueryError } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'
import type { QueryRequest, QueryState, ResultCacheUse } from './running-query.ts'

export interface Query {
  readonly id: QueryId
  readonly request: QueryRequest
  /** By the clock's nowMs. */
  readonly startedMs: number
  readonly planMs: number
  readonly stageCount: number
  readonly wholeReason: string | null
  readonly resultCache: ResultCacheUse
  readonly life: QueryLife
}

export type QueryLife =
  | { readonly state: 'planning' | 'queued' | 'serving' | 'reserving' | 'running' | 'delivering' }
  | { readonly state: 'finished'; readonly endedMs: number }
  | { readonly state: 'failed' | 'cancelled'; readonly endedMs: number; readonly cause: QueryError }

export type QueryEvent =
  | {
    readonly kind: 'planned'; readonly planMs: number; readonly stageCount: number; readonly wholeReason: string | null
    /** True: its result may be another's, and another's its. */
    readonly mayShare: boolean
  }
  /** A result for it was kept. */
  | { readonly kind: 'found' }
  /** That was not there. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'admitted' }
  | { readonly kind: 'reserved' }
  /** More than is held back: from now on rows go to the client. */
  | { readonly kind: 'outgrown' }
  /** Every row is here, or has been handed to the client. */
  | { readonly kind: 'complete'; readonly atMs: number }
  | { readonly kind: 'failed'; readonly atMs: number; readonly cause: QueryError }
  | { readonly kind: 'cancelled'; readonly atMs: number; readonly cause: QueryError }

export function accepted(id: QueryId, request: QueryRequest, startedMs: number): Query {
  return {
    id, request, startedMs, planMs: 0, stageCount: 0, wholeReason: null, resultCache: 'off',
    life: { state: 'planning' },
  }
}

export function isEnded({ life }: Query): boolean {
  return life.state === 'finished' || life.state === 'failed' || life.state === 'cancelled'
}

/** Pure; an event that the state cannot get is a bug and throws. */
export function advance(query: Query, event: QueryEvent): Query {
  if (isEnded(query)) return query
  const { state } = query.life
  switch (event.kind) {
    case 'failed': return { ...query, life: { state: 'failed', endedMs: event.atMs, cause: event.cause } }
    case 'cancelled': return { ...query, life: { state: 'cancelled', endedMs: event.atMs, cause: event.cause } }
    case 'planned': {
      if (state !== 'planning') break
      const { planMs, stageCount, wholeReason } = event
      const resultCache = event.mayShare ? 'miss' : 'off'
      return { ...query, planMs, stageCount, wholeReason, resultCache, life: { state: 'queued' } }
    }
    case 'found':
      if (state === 'queued') return { ...query, resultCache: 'hit', life: { state: 'serving' } }
      break
    case 'gone':
      if (state === 'serving') return { ...query, resultCache: 'miss', life: { state: 'queued' } }
      break
    case 'admitted':
      if (state === 'queued') return { ...query, life: { state: 'reserving' } }
      break
    case 'reserved':
      if (state === 'reserving') return { ...query, life: { state: 'running' } }
      break
    case 'outgrown':
      if (state === 'running' || state === 'serving') return { ...query, life: { state: 'delivering' } }
      break
    case 'complete':
      if (state !== 'running' && state !== 'serving' && state !== 'delivering') break
      return { ...query, life: { state: 'finished', endedMs: event.atMs } }
    default: unreachable(event)
  }
  return fail(`query ${state} cannot take ${event.kind}`)
}

/** What clients are told. */
export function publicState({ life }: Query): QueryState {
  switch (life.state) {
    case 'planning': case 'queued': return 'planning'
    case 'serving': case 'reserving': case 'running': case 'delivering': return 'running'
    case 'finished': case 'failed': case 'cancelled': return life.state
    default: return unreachable(life)
  }
}

export function elapsedMs(query: Query, nowMs: number): number {
  const { life } = query
  return ('endedMs' in life ? life.endedMs : nowMs) - query.startedMs
}
