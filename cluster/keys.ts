/** The keys of the metadata store, one function each. A prefix ends with a slash, so that none is part of another. */

import type { CoordinatorId, ExecutorId } from '../proto/ids.ts'

/** ExecutorInfo of every executor, each under its lease. */
export const MEMBERS = 'members/'
/** CoordinatorInfo of every coordinator, each under its lease. */
export const COORDINATORS = 'coordinators/'

/** The cluster's secret, sealed. */
export const SECRET = 'secret'
/** A record of every user. */
export const USERS = 'users/'

export function userKey(name: string): string {
  return `${USERS}${name}`
}

/** Who does what only one may do; one key an office. */
export const ELECTIONS = 'elections/'

/** The revision up to which history may go at the next turn of housekeeping. */
export const HOUSEKEEPING = 'housekeeping'

export function electionKey(office: string): string {
  return `${ELECTIONS}${office}`
}

export function memberKey(executor: ExecutorId): string {
  return `${MEMBERS}${executor}`
}

export function coordinatorKey(coordinator: CoordinatorId): string {
  return `${COORDINATORS}${coordinator}`
}
