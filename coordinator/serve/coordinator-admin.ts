/** Coordinators as operators see them, whichever they ask: a list, and who of them takes new statements. */

import { QueryError } from '../../proto/errors.ts'
import type { AdminService } from '../../proto/gen/admin_pb.js'
import { ExecutorInfo_State as State, type CoordinatorInfo } from '../../proto/gen/cluster_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'

export interface CoordinatorAdmin {
  /** As the store has them. */
  list(): readonly CoordinatorInfo[]
  /** This one, or another by its own door. */
  setDraining(info: CoordinatorInfo, draining: boolean): Promise<void>
}

type Handlers = Pick<
  ServiceHandlers<typeof AdminService>, 'listCoordinators' | 'drainCoordinator' | 'undrainCoordinator'
>

export function coordinatorAdminHandlers(coordinators: CoordinatorAdmin): Handlers {
  const find = (id: string): CoordinatorInfo => {
    const info = coordinators.list().find(each => each.id === id)
    if (info === undefined) throw new QueryError('NOT_FOUND', `no coordinator ${id} is registered`)
    return info
  }
  return {
    listCoordinators: () => ({ coordinators: coordinators.list().map(coordinator) }),
    drainCoordinator: async ({ id }) => {
      await coordinators.setDraining(find(id), true)
      return {}
    },
    undrainCoordinator: async ({ id }) => {
      await coordinators.setDraining(find(id), false)
      return {}
    },
  }
}

function coordinator({ id, processId, http, flight, admin, skeinVersion, duckdbVersion, state }: CoordinatorInfo) {
  return {
    id, pid: processId, http, flight, admin, version: skeinVersion, duckdbVersion,
    state: state === State.DRAINING ? 'draining' : state === State.DRAINED ? 'drained' : 'active',
  }
}
