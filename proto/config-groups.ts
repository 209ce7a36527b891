/** `resource_groups` of the configuration: their shape, and what one says against another. */

import { z } from 'zod'
import { DEFAULT_GROUP, type ResourceGroup } from './resource-group.ts'

/** Names of groups and users become parts of log lines and of `system` tables. */
const MAX_NAME_LENGTH = 255
/** A hundred times another group's share is as good as all of it. */
const MAX_WEIGHT = 100

const name = z.string('must be a text').min(1, 'must not be empty').max(MAX_NAME_LENGTH, 'is too long')
  // eslint-disable-next-line no-control-regex
  .regex(/^[^\u0000-\u001f]*$/, 'must not hold control characters')
const count = z.number('must be a whole number').int('must be a whole number').min(1, 'must be 1 or more')
const user = name.refine(text => !text.slice(0, -1).includes('*'), 'a * may stand at the end only')

/** `duration` reads a time such as 30s. */
export function groupsSchema<Duration extends z.ZodType<number>>(duration: Duration) {
  return z.record(name, z.strictObject({
    weight: count.max(MAX_WEIGHT, `must be at most ${MAX_WEIGHT}`).default(DEFAULT_GROUP.weight),
    users: z.array(user, 'must be a list of names').default([]),
    max_running: count.optional(),
    max_running_per_user: count.optional(),
    max_queued: count.default(DEFAULT_GROUP.maxQueued),
    max_queued_per_user: count.default(DEFAULT_GROUP.maxQueuedPerUser),
    queue_timeout: duration.optional(),
    statement_timeout: duration.optional(),
    idle_timeout: duration.optional(),
  })).default({})
}

export type GroupsFile = z.output<ReturnType<typeof groupsSchema>>

/** One line for each fault. */
export function groupContradictions(groups: GroupsFile): string[] {
  const wrong: string[] = []
  const groupOfUser = new Map<string, string>()
  for (const [group, { users }] of Object.entries(groups)) {
    const isDefault = group === DEFAULT_GROUP.name
    if (isDefault && users.length > 0) wrong.push(`resource_groups.${group}.users: all others belong to it`)
    if (!isDefault && users.length === 0) wrong.push(`resource_groups.${group}.users: nobody belongs to it`)
    for (const each of users) {
      const other = groupOfUser.get(each)
      if (other !== undefined) wrong.push(`resource_groups.${group}.users: '${each}' belongs to ${other} already`)
      groupOfUser.set(each, group)
    }
  }
  return wrong
}

/** In the order of the file; the default group is the last. */
export function resourceGroups(groups: GroupsFile): readonly ResourceGroup[] {
  const made = Object.entries(groups).map(([group, file]): ResourceGroup => ({
    name: group, weight: file.weight, users: file.users,
    maxRunning: file.max_running ?? null, maxRunningPerUser: file.max_running_per_user ?? null,
    maxQueued: file.max_queued, maxQueuedPerUser: file.max_queued_per_user,
    queueTimeoutMs: file.queue_timeout ?? DEFAULT_GROUP.queueTimeoutMs,
    statementTimeoutMs: file.statement_timeout ?? DEFAULT_GROUP.statementTimeoutMs,
    idleTimeoutMs: file.idle_timeout ?? DEFAULT_GROUP.idleTimeoutMs,
  }))
  const isDefault = ({ name: group }: ResourceGroup): boolean => group === DEFAULT_GROUP.name
  return [...made.filter(group => !isDefault(group)), made.find(isDefault) ?? DEFAULT_GROUP]
}
