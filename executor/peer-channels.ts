/** Connections to other executors, one each, kept for the next file or chunk. */

import { CacheService } from '../proto/gen/cache_pb.js'
import { ExecutorService } from '../proto/gen/executor_pb.js'
import type { GrpcChannel, ServiceClient } from '../proto/grpc-channel.ts'
import { nodeChannel, type NodeAuth } from '../proto/node-auth.ts'

/** Executors come and go under new addresses; beyond this the connection used least lately is closed. */
const MAX_CHANNELS = 256

/** A stream between hosts carries a window each round trip: 10 Gbit/s at 6 ms. A task has four of them at most. */
const WINDOW_BYTES = 8 * 1024 * 1024

interface Peer {
  readonly channel: GrpcChannel
  readonly services: PeerServices
}

interface PeerServices {
  readonly tasks: ServiceClient<typeof ExecutorService>
  readonly cache: ServiceClient<typeof CacheService>
}

export class PeerChannels {
  readonly #auth: NodeAuth
  /** By address, the one used last at the end. */
  readonly #peers = new Map<string, Peer>()

  constructor(auth: NodeAuth) {
    this.#auth = auth
  }

  to(address: string): PeerServices {
    const peer = this.#peers.get(address) ?? this.#open(address)
    this.#peers.delete(address)
    this.#peers.set(address, peer)
    return peer.services
  }

  close(): void {
    for (const { channel } of this.#peers.values()) channel.close()
    this.#peers.clear()
  }

  #open(address: string): Peer {
    const [oldest] = this.#peers
    if (this.#peers.size >= MAX_CHANNELS && oldest !== undefined) {
      oldest[1].channel.close()
      this.#peers.delete(oldest[0])
    }
    const channel = nodeChannel(address, this.#auth, WINDOW_BYTES)
    return { channel, services: { tasks: channel.service(ExecutorService), cache: channel.service(CacheService) } }
  }
}
