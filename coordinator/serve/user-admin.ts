/** Users, as operators manage them. */

import type { AdminService } from '../../proto/gen/admin_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'
import type { Users } from '../users.ts'

export type UserAdmin = Pick<Users, 'add' | 'setPassword' | 'remove' | 'list'>

export function userAdminHandlers(
  users: UserAdmin,
): Pick<ServiceHandlers<typeof AdminService>, 'addUser' | 'setPassword' | 'removeUser' | 'listUsers'> {
  return {
    addUser: async ({ name, password }) => {
      await users.add(name, password)
      return {}
    },
    setPassword: async ({ name, password }) => {
      await users.setPassword(name, password)
      return {}
    },
    removeUser: async ({ name }) => {
      await users.remove(name)
      return {}
    },
    listUsers: async () => {
      const found = await users.list()
      return { users: found.map(({ name, changedMs }) => ({ name, changedMs: BigInt(changedMs) })) }
    },
  }
}
