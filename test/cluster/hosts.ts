/**
 * A cluster as on several hosts: coordinators and executors as commands of their own, each with its own folder and
 * configuration, over a real etcd. What one host is can be killed, and started again on its folder.
 */

import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Skein } from './skein.ts'

export interface HostsOptions {
  readonly folder: string
  /** Addresses of etcd, or all that the configuration may say of the store. */
  readonly store: Readonly<Record<string, unknown>>
  readonly coordinators: number
  readonly executors: number
  readonly config: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
  /** PEM: whom to trust where the doors have TLS. */
  readonly ca?: string
  /** What one of them has otherwise: instead of what is above, key by key. */
  readonly otherwise?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** As SkeinOptions has it, by name. */
  readonly within?: Readonly<Record<string, readonly string[]>>
}

type Role = 'coordinator' | 'executor'

export class Hosts {
  /** Killed ones leave a gap. */
  readonly coordinators: (Skein | undefined)[] = []
  readonly executors: (Skein | undefined)[] = []
  readonly #options: HostsOptions

  private constructor(options: HostsOptions) {
    this.#options = options
  }

  static async start(options: HostsOptions): Promise<Hosts> {
    const { folder } = options
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'secret.key'), randomBytes(32).toString('hex'), { flag: 'wx' }).catch(() => undefined)
    const hosts = new Hosts(options)
    const started = await Promise.allSettled([
      ...Array.from({ length: options.coordinators }, (_, i) => hosts.restart('coordinator', i)),
      ...Array.from({ length: options.executors }, (_, i) => hosts.restart('executor', i)),
    ])
    const failed = started.find(outcome => outcome.status === 'rejected')
    if (failed === undefined) return hosts
    await hosts.stop().catch(() => undefined) // the first error is the one to tell
    throw failed.reason
  }

  /** Starts it, on the folder of the one that was there before. */
  async restart(role: Role, index: number): Promise<Skein> {
    const one = await Skein.role(role, this.hostOptions(role, index))
    this.#of(role)[index] = one
    return one
  }

  /** As when its host dies: the command and all below it. */
  async kill(role: Role, index: number): Promise<void> {
    const one = this.#of(role)[index]
    if (one === undefined) throw new Error(`no ${role} ${index}`)
    delete this.#of(role)[index]
    await one.kill()
  }

  hostOptions(role: Role, index: number) {
    const { folder, store, config, environment, ca, otherwise = {}, within = {} } = this.#options
    const name = `${role}-${index + 1}`
    return {
      ...(ca === undefined ? {} : { ca }), within: within[name] ?? [],
      folder: join(folder, name), ...(environment === undefined ? {} : { environment }),
      config: {
        store, secret_key_file: join(folder, 'secret.key'), ...config,
        node: { advertise: '127.0.0.1:0', threads: 1, memory: '500MB', ...config['node'] as object },
        ...otherwise[name],
      },
    }
  }

  coordinator(index: number): Skein {
    const one = this.coordinators[index]
    if (one === undefined) throw new Error(`no coordinator ${index}`)
    return one
  }

  executor(index: number): Skein {
    const one = this.executors[index]
    if (one === undefined) throw new Error(`no executor ${index}`)
    return one
  }

  /** All that run, in order; rejects if one leaves something behind. */
  async stop(): Promise<void> {
    const all = [...this.coordinators.splice(0), ...this.executors.splice(0)].filter(one => one !== undefined)
    const outcomes = await Promise.allSettled(all.map(one => one.stop()))
    const failed = outcomes.flatMap(outcome => outcome.status === 'rejected' ? [String(outcome.reason)] : [])
    if (failed.length > 0) throw new Error(failed.join('\n'))
  }

  #of(role: Role): (Skein | undefined)[] {
    return role === 'coordinator' ? this.coordinators : this.executors
  }
}
