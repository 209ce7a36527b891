/**
 * The other coordinators, as the store names them: each is asked for its rows of a system table, all at once. One that
 * does not answer in time is told of by its name, and left out of nothing.
 */

import { Follow } from '../../cluster/follow.ts'
import { COORDINATORS } from '../../cluster/keys.ts'
import type { MetadataStore } from '../../cluster/store.ts'
import type { Clock } from '../../proto/clock.ts'
import { decodeCoordinatorInfo } from '../../proto/cluster-values.ts'
import { asQueryError } from '../../proto/errors.ts'
import { AdminService } from '../../proto/gen/admin_pb.js'
import type { CoordinatorInfo } from '../../proto/gen/cluster_pb.js'
import type { GrpcChannel } from '../../proto/grpc-channel.ts'
import { nodeChannel, type NodeAuth } from '../../proto/node-auth.ts'
import type { SystemTableName } from './columns.ts'

/** A coordinator answers from memory and small files; people wait for it. */
const ANSWER_WITHIN_MS = 2_000

/** Rows of a table as a Parquet file. */
export interface RowPart {
  readonly content: Uint8Array
  readonly rowCount: number
}

export interface PeerRows {
  readonly coordinator: string
  /** Or why there are none. */
  readonly rows: readonly RowPart[] | string
}

export interface PeersOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  /** This one, which is not asked. */
  readonly own: string
  readonly auth: NodeAuth
}

export class Peers {
  readonly #options: PeersOptions
  readonly #follow: Follow
  #others: readonly CoordinatorInfo[] = []

  constructor(options: PeersOptions) {
    const { store, clock, own } = options
    this.#options = options
    this.#follow = new Follow({
      store, clock, prefix: COORDINATORS, onView: view => {
        const all = [...view.values()].flatMap(({ value }) => decodeCoordinatorInfo(value) ?? [])
        this.#others = all.filter(({ id }) => id !== own)
      },
    })
  }

  start(): Promise<void> {
    return this.#follow.start()
  }

  close(): void {
    this.#follow.close()
  }

  /** To the port of its operators, for one use; null: there is no such coordinator but this one. */
  channelTo(id: string): GrpcChannel | null {
    const peer = this.#others.find(other => other.id === id)
    return peer === undefined ? null : nodeChannel(peer.admin, this.#options.auth)
  }

  /** `principal`: whose rows; null: all. Never rejects. */
  rows(table: SystemTableName, principal: string | null): Promise<PeerRows[]> {
    return Promise.all(this.#others.map(peer => this.#ask(peer, table, principal)))
  }

  async #ask({ id, admin }: CoordinatorInfo, table: SystemTableName, principal: string | null): Promise<PeerRows> {
    const channel = nodeChannel(admin, this.#options.auth)
    try {
      const request = { table, principal: principal ?? '', all: principal === null }
      const rows: RowPart[] = []
      const answer = channel.service(AdminService).readSystemTable(request, { deadlineMs: ANSWER_WITHIN_MS })
      for await (const part of answer) rows.push(part)
      return { coordinator: id, rows }
    } catch (thrown) {
      const { code, message } = asQueryError(thrown)
      return { coordinator: id, rows: `coordinator ${id} at ${admin} cannot be asked: ${code}: ${message}` }
    } finally {
      channel.close()
    }
  }
}
