/**
 * A resource group: who belongs to it, which part of the cluster it gets when others want it too, and what its queries
 * may do. Everyone belongs to the first group that names him, else to `default`.
 */

export interface ResourceGroup {
  readonly name: string
  /** Of slots and memory, against the other groups' that want them at the same time. */
  readonly weight: number
  /** Names of users; a `*` at the end stands for any rest. */
  readonly users: readonly string[]
  /** Queries that run at once, of the group and of each user; null: as many as memory and slots allow. */
  readonly maxRunning: number | null
  readonly maxRunningPerUser: number | null
  /** Queries that are planned or wait, of the group and of each user: each holds its text and its plan. */
  readonly maxQueued: number
  readonly maxQueuedPerUser: number
  readonly queueTimeoutMs: number
  /** From acceptance to the last row; null: none. */
  readonly statementTimeoutMs: number | null
  /** How long a result is kept for a client that does not read it. */
  readonly idleTimeoutMs: number
}

export const DEFAULT_GROUP: ResourceGroup = {
  name: 'default', weight: 1, users: [], maxRunning: null, maxRunningPerUser: null, maxQueued: 256,
  maxQueuedPerUser: 64, queueTimeoutMs: 60_000, statementTimeoutMs: null, idleTimeoutMs: 10 * 60_000,
}

/** `groups` ends with the default group. */
export function groupOf(groups: readonly ResourceGroup[], user: string): ResourceGroup {
  const isNamed = (pattern: string): boolean =>
    pattern.endsWith('*') ? user.startsWith(pattern.slice(0, -1)) : user === pattern
  return groups.find(({ users }) => users.some(isNamed)) ?? groups.at(-1) ?? DEFAULT_GROUP
}
