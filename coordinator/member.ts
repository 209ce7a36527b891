/**
 * One life of an executor as this coordinator sees it: from the Hello of a stream of task events until the executor
 * is held for lost. An executor that comes back, be it the same process, is another member: what a query gave up with
 * the first life stays given up.
 */

import { ExecutorInfo_State as State, type ExecutorInfo } from '../proto/gen/cluster_pb.js'
import type { ExchangeSource } from '../proto/gen/executor_pb.js'
import type { ExecutorId } from '../proto/ids.ts'
import type { Address } from './actor/actor.ts'
import type { ExecutorMessage } from './executor-actor.ts'
import type { ExecutorChannel } from './executor-channel.ts'

declare const brand: unique symbol
/** `<executor>/<incarnation>/<life>`; unique over the coordinator's life. */
export type MemberKey = string & { readonly [brand]: 'MemberKey' }

export interface Member {
  readonly key: MemberKey
  readonly id: ExecutorId
  readonly info: ExecutorInfo
  /** Where its exchange files are read. */
  readonly source: ExchangeSource
  /** Tasks go this way; it bounds how many are under way. */
  readonly actor: Address<ExecutorMessage>
  /** For calls that are not about tasks: reservations and results. */
  readonly channel: ExecutorChannel
}

export function memberKey(executor: ExecutorId, incarnation: string, life: number): MemberKey {
  return `${executor}/${incarnation}/${life}` as MemberKey
}

/** Takes what it has not begun yet. */
export function takesWork({ info: { state } }: Pick<Member, 'info'>): boolean {
  return state !== State.DRAINING && state !== State.DRAINED
}
