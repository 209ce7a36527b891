/**
 * Clients in a process of their own, so that their CPU time is not the server's: each asks, waits for the answer, and
 * asks again. `runLoad` starts the process and gives what it measured; run as a program it is that process.
 */

import { fork } from 'node:child_process'
import { Agent, request as httpRequest } from 'node:http'
import { fileURLToPath } from 'node:url'
import { quantile } from '../harness.ts'
import { FlightClient } from './flight-client.ts'

export interface LoadOptions {
  readonly door: 'flight' | 'http'
  /** host:port. */
  readonly address: string
  readonly clients: number
  /** Asked in turn by every client; `{n}` becomes what no other request has, here or in another run. */
  readonly statements: readonly string[]
  /** Over all clients; after as many unmeasured ones as `warmUp`. */
  readonly requests: number
  readonly warmUp: number
}

export interface Load {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly perSecond: number
  readonly failures: number
  readonly firstFailure: string | undefined
}

export function runLoad(options: LoadOptions): Promise<Load> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)])
    child.once('message', load => resolve(load as Load))
    child.once('exit', code => reject(new Error(`the load generator ended with ${code}`)))
  })
}

interface Client {
  ask(sql: string): Promise<void>
  close(): void
}

async function generate(options: LoadOptions): Promise<Load> {
  const clients = await Promise.all(Array.from({ length: options.clients }, () => open(options)))
  let number = 0
  const latencies: number[] = []
  const failures: string[] = []
  const turn = async (client: Client, until: number, measured: boolean): Promise<void> => {
    while (number < until) {
      const own = number++
      const text = options.statements[own % options.statements.length] ?? ''
      const sql = text.replace('{n}', `${options.door} ${options.clients} ${own}`)
      const startMs = performance.now()
      try {
        await client.ask(sql)
        if (measured) latencies.push(performance.now() - startMs)
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
  }
  await Promise.all(clients.map(client => turn(client, options.warmUp, false)))
  const startMs = performance.now()
  await Promise.all(clients.map(client => turn(client, options.warmUp + options.requests, true)))
  const seconds = (performance.now() - startMs) / 1000
  for (const client of clients) client.close()
  return {
    p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99),
    perSecond: latencies.length / seconds, failures: failures.length, firstFailure: failures[0],
  }
}

async function open({ door, address }: LoadOptions): Promise<Client> {
  if (door === 'http') {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    return { ask: sql => post(address, agent, sql), close: () => agent.destroy() }
  }
  const client = await FlightClient.connect(address)
  await client.logIn()
  return {
    ask: async sql => { if (await client.query(sql) === 0) throw new Error('an empty answer') },
    close: () => client.close(),
  }
}

function post(address: string, agent: Agent, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`http://${address}/query`, {
      method: 'POST', agent, headers: { 'content-type': 'application/json' },
    }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => { text += piece })
      response.once('end', () => {
        // a line of metadata, one of columns, the rows
        if (response.statusCode === 200 && text.split('\n').length > 3 && !text.includes('{"error"')) resolve()
        else reject(new Error(`status ${response.statusCode}: ${text.slice(-300)}`))
      })
    })
    request.once('error', reject)
    request.end(JSON.stringify({ statement: sql }))
  })
}

const [, program, options] = process.argv
if (program === fileURLToPath(import.meta.url) && options !== undefined) {
  const load = await generate(JSON.parse(options) as LoadOptions)
  process.send?.(load, () => process.disconnect())
}
