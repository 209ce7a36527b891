/** The contract of a store, over gRPC. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { RemoteStore } from '../../cluster/remote-store.ts'
import { addStoreService } from '../../cluster/store-server.ts'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { GrpcServer } from '../../proto/grpc-server.ts'
import { Simulation } from '../sim/simulation.ts'
import { storeContract } from './store-contract.ts'

t.test('a remote store keeps the contract', async t => storeContract(t, async () => {
  const path = await mkdtemp(join(tmpdir(), 'skein-store-'))
  const simulation = new Simulation(1)
  const embedded = await EmbeddedStore.open(join(path, 'journal'), simulation.clock)
  const server = new GrpcServer({ authenticate: () => undefined })
  addStoreService(server, embedded)
  const port = await server.listen('127.0.0.1', 0)
  const store = new RemoteStore(new GrpcChannel(`127.0.0.1:${port}`))
  // a call that comes back has been overtaken by no watch message sent before it: both share one connection
  const pass = async (ms: number): Promise<void> => {
    await simulation.run(ms)
    await store.revokeLease({ leaseId: 0n, ttlMs: 0 }).catch(() => undefined) // waits for its turn behind what expired
    for (let i = 0; i < 3; i++) await store.get('pass').catch(() => undefined)
  }
  const close = async (): Promise<void> => {
    await embedded.close()
    for (let i = 0; i < 20; i++) await new Promise(resolve => { setImmediate(resolve) })
    await store.close()
    server.close()
    await rm(path, { recursive: true, force: true })
  }
  return { store, pass, close }
}))
