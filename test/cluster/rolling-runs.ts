/**
 * Every process of a cluster of hosts is restarted, one after another, under clients. A client stays with a coordinator
 * until that refuses its statement, or its connection, and goes on at the next one: nothing else may happen to it.
 */

import { request as httpRequest } from 'node:http'
import { createInterface } from 'node:readline'
import { tpchConfig } from '../../bench/tpch/cluster.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { systemClock } from '../../proto/clock.ts'
import { EtcdServers, freePorts } from '../etcd-server.ts'
import { difference, parseCells, type Answer, type Cell } from '../sql/answer.ts'
import { runCommand } from './command.ts'
import { Hosts } from './hosts.ts'
import type { TpchData } from './tpch-runs.ts'
import { Operator, until } from './watch.ts'

const ACTIVE_WITHIN_MS = 60_000
/** One statement is not refused more often in a row: one coordinator is always there. */
const MAX_REFUSALS = 20
const DRAIN_TIMEOUT = '60s'
/** Short ones and those with shuffles. */
const QUERY_NUMBERS = [3, 6, 12, 13, 14]

export interface RollingOptions {
  readonly data: TpchData
  readonly folder: string
  readonly etcd: 1 | 3
  readonly executors: number
  /** Of these, the first so many are restarted; the coordinators all are. */
  readonly restarted: number
  readonly clients: number
  readonly onRestart: (line: string) => void
}

export interface RollingResult {
  readonly answers: number
  /** Statements that were sent elsewhere, before they had begun. */
  readonly refusals: number
  /** One line for each wrong answer, error, or connection that broke. */
  readonly faults: readonly string[]
}

const COORDINATORS = 2

export async function rollingRuns(options: RollingOptions): Promise<RollingResult> {
  const { data, folder, executors, restarted, onRestart } = options
  const etcd = await EtcdServers.start(options.etcd)
  const ports = await freePorts(2 * COORDINATORS)
  const listenOf = (i: number): readonly [http: number, admin: number] => [ports[2 * i] ?? 0, ports[2 * i + 1] ?? 0]
  const config = tpchConfig(data.folder)
  const hosts = await Hosts.start({
    folder, store: { etcd: etcd.hosts }, coordinators: COORDINATORS, executors,
    environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
    config: { ...config, node: { drain_timeout: DRAIN_TIMEOUT } },
    otherwise: Object.fromEntries([0, 1].map(i => {
      const [http, admin] = listenOf(i)
      const listen = { http: `127.0.0.1:${http}`, flight: '127.0.0.1:0', admin: `127.0.0.1:${admin}` }
      return [`coordinator-${i + 1}`, { listen }]
    })),
  }).catch(async (reason: unknown) => {
    await etcd.stop()
    throw reason
  })
  const operators = hosts.coordinators.map(one => new Operator(one?.doors ?? {}))
  const load = new Load(data, [0, 1].map(i => listenOf(i)[0]))
  try {
    const allSee = (): Promise<number> => until('all see all executors', ACTIVE_WITHIN_MS, async () => {
      const seen = await Promise.all(operators.map(operator => operator.executors().catch(() => [])))
      return seen.every(each => each.filter(({ state }) => state === 'active').length === executors)
    })
    await allSee()
    const running = load.run(options.clients)
    const turn = async (role: 'coordinator' | 'executor', i: number): Promise<void> => {
      const one = role === 'coordinator' ? hosts.coordinator(i) : hosts.executor(i)
      const [startMs, before] = [systemClock.nowMs(), load.answers]
      if (i % 2 === 0) await drain(role, i) // SIGTERM alone drains the others
      await one.stop()
      const stoppedMs = systemClock.nowMs()
      await hosts.restart(role, i)
      await allSee()
      await until('queries have run since', ACTIVE_WITHIN_MS, () => load.answers > before + options.clients)
      onRestart(`${role} ${i + 1}: drained and stopped in ${Math.round(stoppedMs - startMs)} ms, back after `
        + `${Math.round(systemClock.nowMs() - stoppedMs)} ms; ${load.answers - before} answers meanwhile`)
    }
    /** At the other coordinator: what drains is not where the operator asks. */
    const drain = async (role: 'coordinator' | 'executor', i: number): Promise<void> => {
      const url = hosts.coordinator(role === 'coordinator' ? 1 - i : 0).doors.admin ?? ''
      const listed = JSON.parse((await runCommand(['admin', `${role}s`, '--format', 'json', '--url', url])).stdout) as
        readonly { readonly id: string; readonly admin?: string; readonly address?: string }[]
      const own = role === 'coordinator' ? hosts.coordinator(i).doors.admin : hosts.executor(i).doors.executor
      const found = listed.find(({ admin, address }) => own?.endsWith(`://${admin ?? address}`))
      const { status, stderr } = await runCommand(['admin', 'drain', found?.id ?? '', '--wait', '--url', url])
      if (status !== 0) throw new Error(`drain of ${role} ${i + 1}: ${stderr}`)
    }
    for (let i = 0; i < restarted; i++) await turn('executor', i)
    for (let i = 0; i < COORDINATORS; i++) await turn('coordinator', i)
    load.end()
    await running
    return load
  } finally {
    load.end()
    for (const operator of operators) operator.close()
    await hosts.stop().finally(() => etcd.stop())
  }
}

type Outcome =
  | { readonly kind: 'rows'; readonly answer: Answer }
  | { readonly kind: 'refused' }
  | { readonly kind: 'fault'; readonly message: string }

class Load {
  answers = 0
  refusals = 0
  readonly faults: string[] = []
  readonly #data: TpchData
  readonly #ports: readonly number[]
  #isOver = false

  constructor(data: TpchData, ports: readonly number[]) {
    this.#data = data
    this.#ports = ports
  }

  end(): void {
    this.#isOver = true
  }

  async run(clients: number): Promise<void> {
    await Promise.all(Array.from({ length: clients }, (_, i) => this.#client(i)))
  }

  async #client(own: number): Promise<void> {
    const queries = tpchQueries(this.#data.scale)
    let at = own
    for (let turn = own; !this.#isOver; turn++) {
      const number = QUERY_NUMBERS[turn % QUERY_NUMBERS.length] ?? 1
      const index = queries.findIndex(query => query.number === number)
      const expected = this.#data.answers[index]
      let refused = 0
      const sql = queries[index]?.sql ?? ''
      let outcome = await ask(this.#port(at), sql)
      while (outcome.kind === 'refused' && ++refused < MAX_REFUSALS) outcome = await ask(this.#port(++at), sql)
      this.refusals += refused
      const fault = outcome.kind === 'refused' ? `refused ${refused} times`
        : outcome.kind === 'fault' ? outcome.message
          : expected === undefined ? 'no expectation' : difference(expected, outcome.answer, true)
      if (fault === undefined) this.answers++
      else this.faults.push(`Q${number} at coordinator ${at % COORDINATORS + 1}: ${fault}`)
    }
  }

  #port(at: number): number {
    return this.#ports[at % this.#ports.length] ?? 0
  }
}

/** Refused: the statement was not accepted, and may be sent elsewhere. */
function ask(port: number, statement: string): Promise<Outcome> {
  const headers = { 'content-type': 'application/json' }
  return new Promise(resolve => {
    const fault = (error: Error): void => resolve({ kind: 'fault', message: error.message })
    const request = httpRequest({ host: '127.0.0.1', port, path: '/query', method: 'POST', headers }, response => {
      response.once('error', fault)
      void linesOf(createInterface({ input: response, crlfDelay: Infinity })).then(lines => {
        if (response.statusCode === 503) return resolve({ kind: 'refused' })
        const isWhole = response.statusCode === 200 && response.complete && lines.at(-1)?.startsWith('[') === true
        if (!isWhole) return resolve({ kind: 'fault', message: `${response.statusCode}: ${lines.slice(-1).join()}` })
        const columns = JSON.parse(lines[1] ?? '[]') as Answer['columns']
        const rows = lines.slice(2).map(line => parseCells(line) as readonly Cell[])
        resolve({ kind: 'rows', answer: { columns, rows } })
      }, fault)
    })
    request.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve({ kind: 'refused' })
      else fault(error)
    })
    request.end(JSON.stringify({ statement, cache: false }))
  })
}

async function linesOf(reader: AsyncIterable<string>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of reader) lines.push(line)
  return lines
}
