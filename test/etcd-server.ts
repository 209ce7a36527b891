/**
 * Real etcd for tests: one member or three, each a process of its own on free ports, that can be killed, frozen and
 * started again. Needs `etcd` (Debian: etcd-server) in the path; where it is missing the tests that need it say so
 * loudly and are left out, unless SKEIN_ETCD=required, as in CI, where they fail.
 */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { delay, systemClock } from '../proto/clock.ts'

const READY_WITHIN_MS = 30_000
const ASK_EVERY_MS = 25
const ASK_TIMEOUT_MS = 1_000
const ERROR_CHARACTERS = 4_000

/** Paths, and the certificate that these tests ask with. */
export interface EtcdTls {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly client: { readonly ca: Uint8Array; readonly cert: Uint8Array; readonly key: Uint8Array }
}

interface Member {
  readonly name: string
  readonly url: string
  readonly peerUrl: string
  process: ChildProcess | null
  errors: string
}

/** False, and told, if there is no etcd. */
export function haveEtcd(t: Test): boolean {
  if (spawnSync('etcd', ['--version']).status === 0) return true
  const message = 'NO ETCD: install etcd-server (apt-get install etcd-server); what needs it is not tested'
  if (process.env['SKEIN_ETCD'] === 'required') t.fail(message)
  else t.pass(message)
  process.stderr.write(`${message}\n`)
  return false
}

export class EtcdServers {
  readonly #folder: string
  readonly #members: readonly Member[]
  readonly #tls: EtcdTls | undefined
  readonly #flags: readonly string[]

  private constructor(
    folder: string, members: readonly Member[], tls: EtcdTls | undefined, flags: readonly string[],
  ) {
    this.#folder = folder
    this.#members = members
    this.#tls = tls
    this.#flags = flags
  }

  static async start(
    count: 1 | 3,
    { tls, flags = [], host = '127.0.0.1' }:
    { readonly tls?: EtcdTls; readonly flags?: readonly string[]; readonly host?: string } = {},
  ): Promise<EtcdServers> {
    const folder = await mkdtemp(join(tmpdir(), 'skein-etcd-'))
    const ports = await freePorts(2 * count)
    const scheme = tls === undefined ? 'http' : 'https'
    const members = Array.from({ length: count }, (_, i): Member => ({
      name: `n${i + 1}`, url: `${scheme}://${host}:${ports[2 * i]}`, peerUrl: `http://127.0.0.1:${ports[2 * i + 1]}`,
      process: null, errors: '',
    }))
    const servers = new EtcdServers(folder, members, tls, flags)
    for (const i of members.keys()) servers.#spawn(i, 'new')
    try {
      await servers.ready()
    } catch (error) {
      await servers.stop()
      throw error
    }
    return servers
  }

  get hosts(): string[] {
    return this.#members.map(({ url }) => url)
  }

  /** All members that run are healthy. */
  async ready(): Promise<void> {
    const untilMs = systemClock.nowMs() + READY_WITHIN_MS
    for (const member of this.#members) {
      while (member.process !== null && !(await this.#ask(member, '/health')).includes('"health":"true"')) {
        if (member.process.exitCode !== null) throw new Error(`etcd ${member.name} ended: ${member.errors}`)
        if (systemClock.nowMs() > untilMs) throw new Error(`etcd ${member.name} is not healthy: ${member.errors}`)
        await delay(systemClock, ASK_EVERY_MS)
      }
    }
  }

  /** Its index. */
  async leader(): Promise<number> {
    for (const untilMs = systemClock.nowMs() + READY_WITHIN_MS; systemClock.nowMs() < untilMs;) {
      for (const [i, member] of this.#members.entries()) {
        if (member.process === null) continue
        if ((await this.#ask(member, '/metrics')).includes('etcd_server_is_leader 1')) return i
      }
      await delay(systemClock, ASK_EVERY_MS)
    }
    throw new Error('etcd has no leader')
  }

  async kill(index: number): Promise<void> {
    const member = this.#member(index)
    const { process } = member
    member.process = null
    if (process === null) return
    const ended = new Promise(resolve => { process.once('exit', resolve) })
    process.kill('SIGKILL')
    await ended
  }

  freeze(index: number): void {
    this.#member(index).process?.kill('SIGSTOP')
  }

  thaw(index: number): void {
    this.#member(index).process?.kill('SIGCONT')
  }

  /** With the data it had. */
  restart(index: number): void {
    this.#spawn(index, 'existing')
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((_, i) => this.kill(i)))
    await rm(this.#folder, { recursive: true, force: true })
  }

  #spawn(index: number, state: 'new' | 'existing'): void {
    const member = this.#member(index)
    const { name, url, peerUrl } = member
    const tls = this.#tls
    const child = spawn('etcd', [
      '--name', name, '--data-dir', join(this.#folder, name), '--logger=zap', '--log-level=error',
      '--listen-client-urls', url, '--advertise-client-urls', url,
      '--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl,
      '--initial-cluster', this.#members.map(each => `${each.name}=${each.peerUrl}`).join(','),
      '--initial-cluster-state', state,
      ...(tls === undefined ? [] : [
        '--client-cert-auth', `--trusted-ca-file=${tls.ca}`, `--cert-file=${tls.cert}`, `--key-file=${tls.key}`,
      ]),
      ...this.#flags,
    ], { stdio: ['ignore', 'ignore', 'pipe'] })
    member.process = child
    member.errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      member.errors = (member.errors + text).slice(-ERROR_CHARACTERS)
    })
    endWithUs(child)
  }

  #member(index: number): Member {
    const member = this.#members[index]
    if (member === undefined) throw new Error(`no etcd member ${index}`)
    return member
  }

  /** What it answers, or nothing. */
  #ask({ url }: Member, path: string): Promise<string> {
    const client = this.#tls?.client
    const agent = client === undefined ? new HttpAgent()
      : new HttpsAgent({ ca: Buffer.from(client.ca), cert: Buffer.from(client.cert), key: Buffer.from(client.key) })
    return new Promise(resolve => {
      const ask = client === undefined ? httpRequest : httpsRequest
      const sent = ask(`${url}${path}`, { agent, timeout: ASK_TIMEOUT_MS }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => { text += piece })
        response.once('end', () => resolve(text))
        response.once('error', () => resolve(''))
      })
      sent.once('error', () => resolve(''))
      sent.once('timeout', () => sent.destroy())
      sent.end()
    })
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer()
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    return server
  }))
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(server => new Promise(resolve => { server.close(resolve) })))
  return ports
}

const running = new Set<ChildProcess>()
let isListening = false

function endWithUs(child: ChildProcess): void {
  if (!isListening) process.once('exit', () => { for (const each of running) each.kill('SIGKILL') })
  isListening = true
  running.add(child)
  child.once('exit', () => running.delete(child))
}
