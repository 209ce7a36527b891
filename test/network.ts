/**
 * A network of its own for one process of a test (Linux, by root): a namespace that a pair of interfaces joins to this
 * host's network, and whose packets can be dropped as a cut cable would, either way or one way only. Nothing is sent
 * back, so who speaks into the cut learns of it by its own deadlines alone.
 */

import { execFileSync, spawnSync } from 'node:child_process'

/** in: what comes to the process is lost; out: what it sends. */
export type Loss = 'none' | 'both' | 'in' | 'out'

/** Of addresses for tests of networks (RFC 2544), one pair for each of them. */
const PREFIX = '198.18'
const MAX_NETWORKS = 64

export class Network {
  readonly #name: string
  /** Of this host, as the process sees it. */
  readonly hostAddress: string
  /** Of the process. */
  readonly address: string

  private constructor(number: number) {
    this.#name = `skein-${process.pid}-${number}`
    this.hostAddress = `${PREFIX}.${number}.1`
    this.address = `${PREFIX}.${number}.2`
  }

  /** null: this user may not make one, or the system has none. */
  static open(): Network | null {
    if (process.getuid?.() !== 0 || spawnSync('iptables', ['--version']).status !== 0) return null
    for (let number = 0; number < MAX_NETWORKS; number++) {
      if (spawnSync('ip', ['link', 'show', `skein${number}`]).status === 0) continue
      const network = new Network(number)
      return network.#make(`skein${number}`) ? network : null
    }
    return null
  }

  /** What a command begins with that runs in it. */
  get within(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name]
  }

  lose(loss: Loss): void {
    this.#run('iptables', '-F')
    if (loss === 'in' || loss === 'both') this.#run('iptables', '-A', 'INPUT', '!', '-i', 'lo', '-j', 'DROP')
    if (loss === 'out' || loss === 'both') this.#run('iptables', '-A', 'OUTPUT', '!', '-o', 'lo', '-j', 'DROP')
  }

  /** Its interfaces go with it; processes in it have to have ended. */
  close(): void {
    execFileSync('ip', ['netns', 'del', this.#name])
  }

  #make(link: string): boolean {
    const peer = `${link}p`
    const ip = (...words: string[]): boolean => spawnSync('ip', words).status === 0
    return ip('netns', 'add', this.#name)
      && ip('link', 'add', link, 'type', 'veth', 'peer', 'name', peer)
      && ip('link', 'set', peer, 'netns', this.#name)
      && ip('addr', 'add', `${this.hostAddress}/30`, 'dev', link) && ip('link', 'set', link, 'up')
      && ip('-n', this.#name, 'addr', 'add', `${this.address}/30`, 'dev', peer)
      && ip('-n', this.#name, 'link', 'set', peer, 'up') && ip('-n', this.#name, 'link', 'set', 'lo', 'up')
  }

  #run(...words: string[]): void {
    const [program = '', ...rest] = [...this.within, ...words]
    execFileSync(program, rest)
  }
}
