/**
 * The coordinators, as the store names them. The others are each asked for their rows of a system table, all at once:
 * one that does not answer in time is told of by its name, and left out of nothing. And they are told to drain.
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
  #all: readonly CoordinatorInfo[] = []

  constructor(options: PeersOptions) {
    const { store, clock } = options
    this.#options = options
    this.#follow = new Follow({
      store, clock, prefix: COORDINATORS, onView: view => {
        this.#all = [...view.values()].flatMap(({ value }) => decodeCoordinatorInfo(value) ?? [])
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
    const peer = this.#all.find(other => other.id === id && id !== this.#options.own)
    return peer === undefined ? null : nodeChannel(peer.admin, this.#options.auth)
  }

  /** `principal`: whose rows; null: all. Never rejects. */
  rows(table: SystemTableName, principal: string | null): Promise<PeerRows[]> {
    const others = this.#all.filter(({ id }) => id !== this.#options.own)
    return Promise.all(others.map(peer => this.#ask(peer, table, principal)))
  }

  /** This one too. */
  list(): readonly CoordinatorInfo[] {
    return this.#all
  }

  /** Another one. Rejects with UNAVAILABLE if it does not answer. */
  async setDraining({ id, admin }: CoordinatorInfo, draining: boolean): Promise<void> {
    const channel = nodeChannel(admin, this.#options.auth)
    try {
      const service = channel.service(AdminService)
      const options = { deadlineMs: ANSWER_WITHIN_MS }
      if (draining) await service.drainCoordinator({ id }, options)
      else await service.undrainCoordinator({ id }, options)
    } finally {
      channel.close()
    }
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
