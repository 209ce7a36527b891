/** Opens the metadata store that a launch names, and answers the cluster's secret with it. */

import type { Clock } from '../proto/clock.ts'
import { GrpcChannel } from '../proto/grpc-channel.ts'
import type { StoreLaunch } from '../proto/launch.ts'
import { sealKey } from '../proto/seal.ts'
import { readTls } from '../proto/tls.ts'
import { clusterSecret } from './cluster-secret.ts'
import { EmbeddedStore } from './embedded-store.ts'
import { RemoteStore } from './remote-store.ts'
import type { MetadataStore } from './store.ts'

export interface OpenStoreOptions {
  readonly clock: Clock
  /** Where an embedded store keeps its journal. */
  readonly journal: string
  /** A UUID that nobody can guess. */
  readonly newId: () => string
  /** Bytes that nobody can guess. */
  readonly randomBytes: (byteCount: number) => Uint8Array
}

export interface OpenedStore {
  readonly store: MetadataStore
  readonly secret: string
}

export async function openStore(
  launch: StoreLaunch, { clock, journal, newId, randomBytes }: OpenStoreOptions,
): Promise<OpenedStore> {
  switch (launch.kind) {
    case 'embedded': return { store: await EmbeddedStore.open(journal, clock), secret: launch.secret }
    case 'remote': {
      const { address, secret } = launch
      return { store: new RemoteStore(new GrpcChannel(address, { authorization: `Bearer ${secret}` })), secret }
    }
    case 'etcd': {
      const { etcd: { hosts, prefix, serverName, tls: files }, secretKeyFile } = launch
      const key = sealKey(secretKeyFile)
      const tls = files === null ? {} : { tls: readTls('store.tls', files, clock.wallMs()) }
      const name = serverName === null ? {} : { serverName }
      const { EtcdStore } = await import('./etcd-store.ts') // its protocol file takes long to read
      const store = new EtcdStore({ hosts, prefix, clock, writer: newId(), ...tls, ...name })
      try {
        return { store, secret: await clusterSecret(store, key, randomBytes) }
      } catch (error) {
        await store.close()
        throw error
      }
    }
    default: throw new Error('no such kind of store')
  }
}
