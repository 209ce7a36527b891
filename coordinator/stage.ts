/**
 * The life of a stage.
 *
 *   planned ──inputs-ready──▶ running ──last partition done──▶ finished
 *      ▲                         │                                │
 *      └────────── again ────────┴────────────── again ───────────┘      any but finished ──▶ failed
 *
 * `again` says that inputs or outputs were lost: the partitions it names have to be made once more, and nothing starts
 * until the inputs are ready again; attempts that it does not name run on and count. `enough` says that the partitions
 * which are done are all that is needed: the others are spared, until `again` names them. A stage is a value; `advance`
 * is the only function that makes the next one. Of each partition at most two attempts are current, the second one
 * begun because the first is slow (stragglers.ts): the first that ends counts. What any other attempt reports is late
 * and changes nothing.
 *
 *   runs ──ended──▶ offered        of a part of the result, whose rows are read while they are made: the query says
 *     └──settled──▶ settled        which attempt counts, by an offer that it takes, or because rows are with the client
 */

import { fail } from 'node:assert/strict'
import { QueryError, unreachable } from '../proto/errors.ts'
import type { MemberKey } from './member.ts'

/**
 * Failed attempts of one partition before its query fails. Those that end with a lost executor are not counted, be it
 * the one they ran on or one that had what they read.
 */
export const MAX_FAILURES = 4
/** Executors lost while they ran one partition, before it is held to be what ends them, and its query stopped. */
export const MAX_LOSSES = 6
/** Attempts of one partition over all reasons: an end for a cluster whose executors come and go without end. */
export const MAX_ATTEMPTS = 20
/**
 * How long attempts of one partition may fail because something does not answer, from the first that did: who has
 * waited for a store on one executor, and then on another, has waited long enough.
 */
export const UNAVAILABLE_FOR_MS = 5_000
/**
 * From then on another executor is tried for so long, and after that only those that have been: another one would wait
 * for a store as long as the first did, and these know what it is like.
 */
export const ELSEWHERE_WITHIN_MS = 1_000

export interface Stage {
  readonly partitions: readonly Partition[]
  readonly life: Life
}

export type Life =
  | { readonly state: 'planned' }
  | { readonly state: 'running' }
  | { readonly state: 'finished' }
  | { readonly state: 'failed'; readonly cause: QueryError }

export interface Partition {
  /** Attempts begun; the next one gets this number. */
  readonly attempts: number
  readonly failures: number
  /** Attempts that ended with their executor. */
  readonly losses: number
  /** When the first attempt ended as UNAVAILABLE; null: none has. */
  readonly unavailableSinceMs: number | null
  /** Where attempts have failed: the next one goes elsewhere if it can. */
  readonly avoid: ReadonlySet<MemberKey>
  readonly now: PartitionState
}

export interface Attempt {
  readonly attempt: number
  readonly member: MemberKey
  /** offered: it has ended, and the query has been asked whether it counts. settled: no other can count any more. */
  readonly phase: 'runs' | 'settled' | 'offered'
}

export type PartitionState =
  | { readonly state: 'waiting'; readonly notBeforeMs: number }
  | {
    readonly state: 'running'; readonly first: Attempt
    /** Begun besides, elsewhere; null: there is none. */
    readonly second: Attempt | null
  }
  | { readonly state: 'done'; readonly attempt: number; readonly member: MemberKey }
  /** What the others have made is enough. */
  | { readonly state: 'spared' }

export type StageEvent =
  | { readonly kind: 'inputs-ready' }
  | { readonly kind: 'again'; readonly partitions: ReadonlySet<number> }
  /** Rows of the partitions that are done: the others are not needed. */
  | { readonly kind: 'enough' }
  | { readonly kind: 'launched'; readonly partition: number; readonly member: MemberKey }
  /** A second attempt, beside the one that runs. */
  | { readonly kind: 'launched-second'; readonly partition: number; readonly member: MemberKey }
  | { readonly kind: 'attempt-done'; readonly partition: number; readonly attempt: number }
  /** It has made its part of the result; whether that counts the query says. */
  | { readonly kind: 'attempt-ended'; readonly partition: number; readonly attempt: number }
  /** Its rows are with the client, or all read: no other counts. */
  | { readonly kind: 'attempt-settled'; readonly partition: number; readonly attempt: number }
  | {
    readonly kind: 'attempt-failed'; readonly partition: number; readonly attempt: number; readonly cause: QueryError
    /** May it be tried again, and from when on. */
    readonly retry: boolean; readonly nowMs: number; readonly notBeforeMs: number
  }
  | { readonly kind: 'executor-lost'; readonly member: MemberKey; readonly cause: QueryError }

const waiting: PartitionState = { state: 'waiting', notBeforeMs: 0 }

export function planned(partitionCount: number): Stage {
  const partition: Partition = {
    attempts: 0, failures: 0, losses: 0, unavailableSinceMs: null, avoid: new Set(), now: waiting,
  }
  return { partitions: Array.from({ length: partitionCount }, () => partition), life: { state: 'planned' } }
}

/** Those that run, or are offered. */
export function attemptsOf({ now }: Partition): readonly Attempt[] {
  if (now.state !== 'running') return []
  return now.second === null ? [now.first] : [now.first, now.second]
}

/** From when on a waiting partition may run on some of `members`, and on which of them it shall not if it can. */
export function placing(
  { now, avoid, unavailableSinceMs }: Partition, members: readonly MemberKey[], nowMs: number,
): { readonly notBeforeMs: number; readonly avoid: ReadonlySet<MemberKey> } | null {
  if (now.state !== 'waiting') return null
  const { notBeforeMs } = now
  if (unavailableSinceMs === null) return { notBeforeMs, avoid }
  const elsewhereUntilMs = unavailableSinceMs + ELSEWHERE_WITHIN_MS
  const others = members.filter(key => !avoid.has(key))
  if (others.length === 0) return { notBeforeMs: Math.max(notBeforeMs, elsewhereUntilMs), avoid }
  return { notBeforeMs, avoid: nowMs < elsewhereUntilMs ? avoid : new Set(others) }
}

/** The attempt if it runs and may count; undefined: it is late. */
export function current(stage: Stage, partition: number, attempt: number): Attempt | undefined {
  const found = stage.partitions[partition]
  return found === undefined ? undefined : attemptsOf(found).find(each => each.attempt === attempt)
}

/** Pure; an event that the state cannot get is a bug and throws. */
export function advance(stage: Stage, event: StageEvent): Stage {
  if (stage.life.state === 'failed') return stage
  switch (event.kind) {
    case 'inputs-ready': return stage.life.state === 'planned' ? withLife(stage, 'running') : stage
    case 'again': return again(stage, event.partitions)
    case 'enough': return enough(stage)
    case 'launched': return launched(stage, event)
    case 'launched-second': return launchedSecond(stage, event)
    case 'attempt-done': return done(stage, event)
    case 'attempt-ended': return ended(stage, event)
    case 'attempt-settled': return settled(stage, event)
    case 'attempt-failed': return attemptFailed(stage, event)
    case 'executor-lost': return executorLost(stage, event)
    default: return unreachable(event)
  }
}

function again(stage: Stage, partitions: ReadonlySet<number>): Stage {
  const worn = stage.partitions.findIndex(({ attempts }, i) => partitions.has(i) && attempts >= MAX_ATTEMPTS)
  if (worn >= 0) return failed(stage, wornError(worn))
  const remade = stage.partitions.map((partition, i) => partitions.has(i) ? { ...partition, now: waiting } : partition)
  return withLife({ ...stage, partitions: remade }, 'planned')
}

function enough(stage: Stage): Stage {
  const partitions = stage.partitions.map((partition): Partition =>
    partition.now.state === 'done' ? partition : { ...partition, now: { state: 'spared' } })
  return withLife({ ...stage, partitions }, stage.life.state === 'planned' ? 'planned' : 'running')
}

function launched(stage: Stage, event: Extract<StageEvent, { kind: 'launched' }>): Stage {
  const partition = stage.partitions[event.partition]
  if (stage.life.state !== 'running' || partition?.now.state !== 'waiting') {
    return fail(`stage ${stage.life.state}: partition ${event.partition} ${partition?.now.state} cannot be launched`)
  }
  const first: Attempt = { attempt: partition.attempts, member: event.member, phase: 'runs' }
  const now: PartitionState = { state: 'running', first, second: null }
  return replace(stage, event.partition, { ...partition, attempts: partition.attempts + 1, now })
}

function launchedSecond(stage: Stage, event: Extract<StageEvent, { kind: 'launched-second' }>): Stage {
  const { partition: index, member } = event
  const partition = stage.partitions[index]
  const now = partition?.now
  const mayBe = now?.state === 'running' && now.second === null && now.first.phase === 'runs'
    && now.first.member !== member
  if (stage.life.state !== 'running' || partition === undefined || !mayBe) {
    return fail(`stage ${stage.life.state}: partition ${index} ${now?.state} cannot be launched a second time`)
  }
  const second: Attempt = { attempt: partition.attempts, member, phase: 'runs' }
  return replace(stage, index, { ...partition, attempts: second.attempt + 1, now: { ...now, second } })
}

/** The partition without one of the attempts that run; `otherwise` is what it becomes if that was the only one. */
function without(partition: Partition, gone: Attempt, otherwise: PartitionState): PartitionState {
  const [other] = attemptsOf(partition).filter(({ attempt }) => attempt !== gone.attempt)
  return other === undefined ? otherwise : { state: 'running', first: other, second: null }
}

function done(stage: Stage, event: Extract<StageEvent, { kind: 'attempt-done' }>): Stage {
  const partition = stage.partitions[event.partition]
  const attempt = current(stage, event.partition, event.attempt)
  if (partition === undefined || attempt === undefined) return stage
  const now: PartitionState = { state: 'done', attempt: attempt.attempt, member: attempt.member }
  const state = stage.life.state === 'planned' ? 'planned' : 'running'
  return withLife(replace(stage, event.partition, { ...partition, now }), state)
}

function ended(stage: Stage, event: Extract<StageEvent, { kind: 'attempt-ended' }>): Stage {
  const partition = stage.partitions[event.partition]
  if (partition?.now.state !== 'running' || current(stage, event.partition, event.attempt) === undefined) return stage
  const after = (each: Attempt): Attempt => each.attempt === event.attempt ? { ...each, phase: 'offered' } : each
  const { first, second } = partition.now
  const now: PartitionState = { state: 'running', first: after(first), second: second === null ? null : after(second) }
  return replace(stage, event.partition, { ...partition, now })
}

/** If the attempt has failed here meanwhile, what was offered instead is declined all the same, and made once more. */
function settled(stage: Stage, event: Extract<StageEvent, { kind: 'attempt-settled' }>): Stage {
  const partition = stage.partitions[event.partition]
  if (partition?.now.state !== 'running') return stage
  const kept = attemptsOf(partition).find(({ attempt }) => attempt === event.attempt)
  if (kept !== undefined) {
    const first: Attempt = kept.phase === 'runs' ? { ...kept, phase: 'settled' } : kept
    return replace(stage, event.partition, { ...partition, now: { state: 'running', first, second: null } })
  }
  const [first, second = null] = attemptsOf(partition).filter(({ phase }) => phase !== 'offered')
  if (first === undefined && partition.attempts >= MAX_ATTEMPTS) return failed(stage, wornError(event.partition))
  const now: PartitionState = first === undefined ? waiting : { state: 'running', first, second }
  return replace(stage, event.partition, { ...partition, now })
}

function attemptFailed(stage: Stage, event: Extract<StageEvent, { kind: 'attempt-failed' }>): Stage {
  const partition = stage.partitions[event.partition]
  const attempt = current(stage, event.partition, event.attempt)
  if (partition === undefined || attempt === undefined || attempt.phase === 'offered') return stage
  const isOfInputs = event.cause.code === 'INPUT_LOST'
  const failures = partition.failures + (isOfInputs ? 0 : 1)
  const isUnavailable = event.cause.code === 'UNAVAILABLE'
  const unavailableSinceMs = partition.unavailableSinceMs ?? (isUnavailable ? event.nowMs : null)
  const forMs = isUnavailable ? event.nowMs - (unavailableSinceMs ?? event.nowMs) : 0
  const isWorn = failures >= MAX_FAILURES || partition.attempts >= MAX_ATTEMPTS || forMs >= UNAVAILABLE_FOR_MS
  if (isOfInputs && isWorn) return failed(stage, inputsError(event.partition, event.cause))
  if (!event.retry || isWorn) return failed(stage, event.cause)
  const avoid = new Set(partition.avoid).add(attempt.member)
  const now = without(partition, attempt, { state: 'waiting', notBeforeMs: event.notBeforeMs })
  return replace(stage, event.partition, { ...partition, failures, unavailableSinceMs, avoid, now })
}

/** Outputs that the executor held are the query's to judge: it sends `again` for those that are still needed. */
function executorLost(stage: Stage, event: Extract<StageEvent, { kind: 'executor-lost' }>): Stage {
  const hit = (partition: Partition): Attempt | undefined =>
    attemptsOf(partition).find(({ member }) => member === event.member)
  if (!stage.partitions.some(hit)) return stage
  if (stage.partitions.some(partition => hit(partition) !== undefined && partition.attempts >= MAX_ATTEMPTS)) {
    return failed(stage, event.cause)
  }
  const partitions = stage.partitions.map(partition => {
    const gone = hit(partition)
    if (gone === undefined) return partition
    const losses = partition.losses + (gone.phase === 'offered' ? 0 : 1)
    return { ...partition, losses, now: without(partition, gone, waiting) }
  })
  const poison = partitions.findIndex(({ losses }) => losses >= MAX_LOSSES)
  return poison < 0 ? { ...stage, partitions } : failed(stage, poisonError(poison, event.cause))
}

function wornError(partition: number): QueryError {
  return new QueryError('EXECUTOR_LOST', `partition ${partition} was lost ${MAX_ATTEMPTS} times`)
}

function inputsError(partition: number, cause: QueryError): QueryError {
  const message = `what partition ${partition} reads was lost in ${MAX_ATTEMPTS} attempts: ${cause.message}`
  return new QueryError('EXECUTOR_LOST', message, { cause })
}

/** Not to be tried again: it would end more of them. */
function poisonError(partition: number, cause: QueryError): QueryError {
  const message = `${MAX_LOSSES} executors were lost while they ran partition ${partition}: ${cause.message}`
  return new QueryError('INTERNAL', message, { cause })
}

function replace(stage: Stage, index: number, partition: Partition): Stage {
  return { ...stage, partitions: stage.partitions.with(index, partition) }
}

function failed(stage: Stage, cause: QueryError): Stage {
  return { ...stage, life: { state: 'failed', cause } }
}

/** The state asked for, but `finished` once no partition is to be made, whatever brought that about. */
function withLife(stage: Stage, state: 'planned' | 'running'): Stage {
  const finished = stage.partitions.every(({ now: { state } }) => state === 'done' || state === 'spared')
  return { ...stage, life: { state: finished ? 'finished' : state } }
}
