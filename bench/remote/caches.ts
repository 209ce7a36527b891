/** The caches of a cluster's executors, emptied and filled by its operators' port. */

import { AdminService } from '../../proto/gen/admin_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import type { Skein } from '../../test/cluster/skein.ts'

const WITHIN_MS = 120_000

export class Caches {
  readonly #channel: GrpcChannel

  constructor({ doors }: Skein) {
    this.#channel = new GrpcChannel(new URL(doors.admin ?? '').host)
  }

  async evict(): Promise<void> {
    await this.#channel.service(AdminService).evictCaches({}, { deadlineMs: WITHIN_MS })
  }

  /** All columns of the table; gives the bytes that came. */
  async warm(table: string): Promise<number> {
    const done = this.#channel.service(AdminService).warmCaches({ table, columns: [] }, { deadlineMs: WITHIN_MS })
    let bytes = 0
    for await (const { bytesFetched } of done) bytes += Number(bytesFetched)
    return bytes
  }

  close(): void {
    this.#channel.close()
  }
}
