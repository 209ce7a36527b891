/** What a query's actor is told, and what it works with. */

import type { QueryError } from '../proto/errors.ts'
import type { ResourceGroup } from '../proto/resource-group.ts'
import type { Address } from './actor/actor.ts'
import type { Universe } from './actor/universe.ts'
import type { AdmissionMessage, AdmissionNews } from './admission-actor.ts'
import type { FleetMessage, FleetNews } from './fleet-actor.ts'
import type { MemberKey } from './member.ts'
import type { MemoryLearner } from './memory-learner.ts'
import type { PlannedWork, PlanPorts } from './plan-query.ts'
import type { QueryHandle } from './query-handle.ts'
import type { QueryLimits } from './query-limits.ts'
import type { RelayEvent } from './relay-event.ts'
import type { ResultIndex } from './result-index.ts'
import type { ResultRelay } from './result-relay.ts'
import type { StageReport } from './stage-message.ts'
import type { TaskBoard } from './task-board.ts'

export type QueryMessage = StageReport | RelayEvent | FleetNews | AdmissionNews
  | { readonly kind: 'start' }
  | { readonly kind: 'planned'; readonly work: PlannedWork }
  | { readonly kind: 'failed'; readonly cause: QueryError }
  | { readonly kind: 'reserved'; readonly key: MemberKey }
  | { readonly kind: 'not-reserved'; readonly key: MemberKey; readonly cause: QueryError }
  | { readonly kind: 'look' }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'release' }

export interface QueryActorOptions {
  readonly universe: Universe
  readonly ports: PlanPorts
  readonly fleet: Address<FleetMessage>
  readonly admission: Address<AdmissionMessage>
  /** Whose query it is. */
  readonly group: ResourceGroup
  readonly limits: QueryLimits
  /** It waits no more. */
  readonly onAdmitted: () => void
  readonly handle: QueryHandle
  readonly relay: ResultRelay
  readonly tasks: TaskBoard
  readonly learner: MemoryLearner
  readonly results: ResultIndex
  /** The key of its result, null: it is not shared. */
  readonly resultKeyOf: (work: PlannedWork) => string | null
}
