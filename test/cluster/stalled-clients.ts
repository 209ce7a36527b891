/**
 * Clients of Flight that stall, in a process of their own. Run as a program, with the address of the door and SQL, it
 * logs in, asks as often as its parent says by a number, and reads nothing of what comes after the first bytes; it
 * tells when all have stalled. At `read` it reads the first result to its end, and tells how many bytes it has.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { ClientHttp2Stream } from 'node:http2'
import { fileURLToPath } from 'node:url'
import { FlightClient, stall } from '../../bench/flight/flight-client.ts'

export class StalledClients {
  readonly #process: ReturnType<typeof fork>

  constructor(address: string, sql: string) {
    this.#process = fork(fileURLToPath(import.meta.url), [address, sql])
  }

  /** So many more ask; resolves when they have stalled. */
  async stall(count: number): Promise<void> {
    await this.#ask(count)
  }

  /** The first one reads on to its end; how many bytes it has got in all. */
  readFirst(): Promise<number> {
    return this.#ask('read')
  }

  /** As when a host dies: nobody says goodbye. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async #ask(what: number | 'read'): Promise<number> {
    this.#process.send(what)
    const [answer] = await Promise.race([
      once(this.#process, 'message'),
      once(this.#process, 'exit').then(([code]) => { throw new Error(`the stalled clients ended with ${code}`) }),
    ])
    return Number(answer)
  }
}

/** Reads to the end of what has stalled; the bytes after the first piece. */
function readOn(stream: ClientHttp2Stream): Promise<number> {
  let byteCount = 0
  stream.on('data', (piece: Buffer) => { byteCount += piece.length })
  stream.resume()
  return new Promise((resolve, reject) => {
    stream.once('trailers', trailers => {
      if (trailers['grpc-status'] === '0') resolve(byteCount)
      else reject(new Error(`status ${String(trailers['grpc-status'])}: ${String(trailers['grpc-message'])}`))
    })
  })
}

const [, program, address, sql] = process.argv
if (program === fileURLToPath(import.meta.url) && address !== undefined && sql !== undefined) {
  const stalled: ClientHttp2Stream[] = []
  let firstBytes = 0
  process.on('message', (what: number | 'read') => {
    void (async () => {
      const [first] = stalled
      if (what === 'read') return first === undefined ? 0 : firstBytes + await readOn(first)
      for (let i = 0; i < what; i++) {
        const client = await FlightClient.connect(address)
        await client.logIn()
        const stream = client.get(await client.ticket(sql))
        if (stalled.length === 0) stream.once('data', (piece: Buffer) => { firstBytes = piece.length })
        stalled.push(stream)
        await stall(stream)
      }
      return stalled.length
    })().then(answer => process.send?.(answer))
  })
  process.once('disconnect', () => process.exit())
}
