/**
 * A TCP proxy in front of one port, to cut a network: both ways or one, for what runs already and for what comes. What
 * is cut is held back, as a network that drops packets does; when it heals, held bytes go on in order.
 */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Which way nothing comes through: requests are the bytes of who dialled. */
export type Cut = 'none' | 'requests' | 'answers' | 'both'

export class TcpProxy {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** What to do when the cut changes, one for each direction of each connection. */
  readonly #valves = new Set<() => void>()
  #cut: Cut = 'none'

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** `target` is asked at each connection: what it stands for may move. */
  static async start(target: () => { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const server = createServer()
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    const proxy = new TcpProxy(server, (server.address() as AddressInfo).port)
    server.on('connection', client => proxy.#connected(client, target()))
    return proxy
  }

  set cut(cut: Cut) {
    this.#cut = cut
    for (const valve of this.#valves) valve()
  }

  /** Ends every connection; new ones come through as the cut allows. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.breakAll()
    await new Promise(resolve => { this.#server.close(resolve) })
  }

  #connected(client: Socket, to: { readonly host: string; readonly port: number }): void {
    const server = connect(to)
    this.#pipe(client, server, 'requests')
    this.#pipe(server, client, 'answers')
  }

  #pipe(from: Socket, to: Socket, way: 'requests' | 'answers'): void {
    this.#sockets.add(from)
    const valve = (): void => {
      if (this.#cut === way || this.#cut === 'both') from.pause()
      else from.resume()
    }
    this.#valves.add(valve)
    from.on('data', data => { if (!to.write(data)) from.pause() })
    to.on('drain', valve)
    from.on('error', () => undefined)
    from.once('close', () => {
      this.#sockets.delete(from)
      this.#valves.delete(valve)
      to.destroy()
    })
    valve()
  }
}
