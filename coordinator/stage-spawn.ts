/** The stages of a planned query as actors, on the board that keeps their order. */

import type { QueryError } from '../proto/errors.ts'
import type { Address } from './actor/actor.ts'
import type { Universe } from './actor/universe.ts'
import type { Member } from './member.ts'
import type { MemoryLearner } from './memory-learner.ts'
import type { PlannedWork } from './plan-query.ts'
import { selectivities } from './row-estimate.ts'
import { StageActor } from './stage-actor.ts'
import type { StageReport } from './stage-message.ts'
import { StageBoard } from './stage-board.ts'
import { partitionCountFor, stageTasks } from './stage-plans.ts'
import type { QueryWork } from './task-definition.ts'

/** News of tasks that wait for one stage: each task gives at most four, and they are read at once. */
const STAGE_MAILBOX = 65_536

export interface StageSpawn {
  readonly universe: Universe
  readonly planned: PlannedWork
  /** What all tasks of the query have in common. */
  readonly query: Pick<QueryWork, 'query' | 'request' | 'group' | 'memoryBytes'>
  readonly members: readonly Member[]
  readonly maxPartitions: number
  readonly learner: MemoryLearner
  readonly owner: Address<StageReport | { readonly kind: 'failed'; readonly cause: QueryError }>
  /** As StageBoard asks. */
  readonly isReceived: (partition: number) => boolean
}

/** Nothing runs before the board is told to start what is ready. */
export function spawnStages(
  { universe, planned, query, members, maxPartitions, learner, owner, isReceived }: StageSpawn,
): StageBoard {
  const rooms = members.map(({ id, info }) => ({ id, slots: Math.max(1, info.slots) }))
  const partitionCount = partitionCountFor(rooms, maxPartitions)
  const { planned: { sqlKind, columns, fragments, tablesRead }, tables } = planned
  const work: QueryWork = {
    ...query, sqlKind, columns, fragments, tables, tablesRead, partitionCount, selectivities: selectivities(planned),
  }
  const board = new StageBoard(fragments.map(fragment => {
    const tasks = stageTasks(fragment, planned, rooms, partitionCount)
    const actor = new StageActor({ work, fragment, tasks, query: owner, learner })
    const address = universe.spawn(`stage ${query.query}.${fragment.id}`, actor, {
      capacity: STAGE_MAILBOX, heir: cause => { owner.send({ kind: 'failed', cause }) },
    })
    actor.begin(address)
    return { fragment, actor: address, partitions: tasks.length }
  }), isReceived)
  board.crew(members)
  return board
}
