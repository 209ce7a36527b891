/** Backup and restore of the metadata store, for operators. */

import { backupStore, restoreStore } from '../../cluster/store-backup.ts'
import type { MetadataStore } from '../../cluster/store.ts'
import type { AdminService } from '../../proto/gen/admin_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'

export function storeAdminHandlers(
  store: MetadataStore,
): Pick<ServiceHandlers<typeof AdminService>, 'backupStore' | 'restoreStore'> {
  return {
    backupStore: async () => ({ content: await backupStore(store) }),
    restoreStore: ({ content, replace }) => restoreStore(store, content, replace),
  }
}
