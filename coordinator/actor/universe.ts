/**
 * Runs actors: one message at a time, over a given clock. Not a singleton; every test makes its own. With the system
 * clock it is the production runtime. With a simulated clock and a seeded `choose`, the seed alone decides the order
 * of messages, so a failing run can be run again.
 */

import type { Clock } from '../../proto/clock.ts'
import type { QueryError } from '../../proto/errors.ts'
import type { Actor, Address, Context } from './actor.ts'
import { crashError } from './supervisor.ts'

/** Messages handled before the event loop gets a turn for sockets and timers. */
const MESSAGES_PER_TURN = 256
/** Messages from others that wait in one mailbox. */
const MAILBOX_CAPACITY = 1024

export interface UniverseOptions {
  readonly clock: Clock
  /** Told of an actor that threw; it is stopped already. Must not throw. */
  readonly onCrash: (name: string, reason: unknown) => void
  /** Picks which of `count` ready actors runs next; the default is the oldest. */
  readonly choose?: (count: number) => number
  /** Calls back when the event loop has had its turn; the default is setImmediate. */
  readonly defer?: (run: () => void) => void
  /** Before the event loop gets its turn. */
  readonly messagesPerTurn?: number
}

export interface SpawnOptions {
  readonly capacity?: number
  /** Told once if the actor crashes, after it has stopped: see supervisor.ts. */
  readonly heir?: (cause: QueryError) => void
}

interface Cell {
  readonly name: string
  readonly queue: unknown[]
  readonly handle: (message: never) => void
  readonly heir: (cause: QueryError) => void
  state: 'idle' | 'ready' | 'stopped'
}

export class Universe {
  readonly #options: Required<UniverseOptions>
  readonly #cells = new Set<Cell>()
  readonly #ready: Cell[] = []
  #turnPending = false
  /** When the message that is being handled was taken; null: none is. */
  #takenMs: number | null = null

  constructor(options: UniverseOptions) {
    this.#options = { choose: () => 0, defer: setImmediate, messagesPerTurn: MESSAGES_PER_TURN, ...options }
  }

  /**
   * Starts `actor`. Its mailbox takes at most `capacity` messages from others; its own timers and answers come on
   * top, or a full mailbox would lose them.
   */
  spawn<Message>(name: string, actor: Actor<Message>, options: SpawnOptions = {}): Address<Message> {
    const { clock } = this.#options
    const { capacity = MAILBOX_CAPACITY, heir = () => undefined } = options
    const toSelf = (message: Message): void => { this.#deliver(cell, message) }
    const context: Context<Message> = {
      nowMs: () => this.#takenMs ?? clock.nowMs(),
      schedule: (delayMs, message) => clock.after(delayMs, () => toSelf(message)),
      pipe: (call, kept, broken) => {
        call.then(value => toSelf(kept(value)), (reason: unknown) => toSelf(broken(reason)))
      },
      stop: () => this.#stop(cell),
    }
    const handle = (message: Message): void => actor.receive(message, context)
    const cell: Cell = { name, queue: [], state: 'idle', handle, heir }
    this.#cells.add(cell)
    return { send: message => cell.queue.length < capacity && this.#deliver(cell, message) }
  }

  /** Names of actors still running; a test asserts at its end that none is left over. */
  running(): readonly string[] {
    return [...this.#cells].map(cell => cell.name)
  }

  #deliver(cell: Cell, message: unknown): boolean {
    if (cell.state === 'stopped') return false
    cell.queue.push(message)
    if (cell.state === 'idle') this.#makeReady(cell)
    return true
  }

  #makeReady(cell: Cell): void {
    cell.state = 'ready'
    this.#ready.push(cell)
    this.#deferTurn()
  }

  #deferTurn(): void {
    if (this.#turnPending) return
    this.#turnPending = true
    this.#options.defer(() => this.#turn())
  }

  #turn(): void {
    const { choose, messagesPerTurn } = this.#options
    for (let i = 0; i < messagesPerTurn && this.#ready.length > 0; i++) {
      const cell = take(this.#ready, choose(this.#ready.length))
      if (cell?.state === 'ready') this.#step(cell)
    }
    this.#turnPending = false
    if (this.#ready.length > 0) this.#deferTurn()
  }

  #step(cell: Cell): void {
    this.#takenMs = this.#options.clock.nowMs()
    try {
      cell.handle(cell.queue.shift() as never)
    } catch (reason) {
      this.#stop(cell)
      this.#options.onCrash(cell.name, reason)
      cell.heir(crashError(cell.name, reason))
    } finally {
      this.#takenMs = null
    }
    if (cell.state === 'stopped') return
    cell.state = 'idle'
    if (cell.queue.length > 0) this.#makeReady(cell)
  }

  #stop(cell: Cell): void {
    cell.state = 'stopped'
    cell.queue.length = 0
    this.#cells.delete(cell)
  }
}

/** Without the array that `splice` makes: this is done for every message. */
function take<T>(items: T[], at: number): T | undefined {
  if (at === 0) return items.shift()
  if (at === items.length - 1) return items.pop()
  return items.splice(at, 1)[0]
}
