/** Identifiers that cross the wire or a folder: strings at run time, each its own type at compile time. */

declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

/** One statement accepted by a coordinator; a UUID, in tests `q7`. */
export type QueryId = Id<'QueryId'>
/** One attempt at one partition of one stage: `<query>.<stage>.<partition>.<attempt>`, e.g. `q7.2.0.1`. */
export type TaskId = Id<'TaskId'>
/** One executor, stable over its restarts: kept in its data directory. Cache affinity hashes it. */
export type ExecutorId = Id<'ExecutorId'>
/** One start of one executor or coordinator process; random. */
export type Incarnation = Id<'Incarnation'>
export type CoordinatorId = Id<'CoordinatorId'>
/** One client's connection state. */
export type SessionId = Id<'SessionId'>

export function taskId(query: QueryId, stage: number, partition: number, attempt: number): TaskId {
  return `${query}.${stage}.${partition}.${attempt}` as TaskId
}
