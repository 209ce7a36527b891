/**
 * All sessions of one coordinator: opened at the first use of an id, ended when closed, or when unused for too long.
 * An id belongs to the principal that opened it. At the limits the session that was used least recently and holds
 * nothing (no transaction, no object of its own) makes room; if there is none, no other is opened.
 */

import type { DutyKeeper } from '../../cluster/duty.ts'
import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import { newSession, type NameDefaults, type Session } from './session.ts'

export interface SessionLimits {
  /** Unused for so long, a session ends. */
  readonly idleMs: number
  readonly maxSessions: number
  /** Of one principal. */
  readonly maxOfPrincipal: number
}

/** An hour: a person's lunch; a few kilobytes each, so that all of them take some tens of megabytes. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  idleMs: 3_600_000, maxSessions: 10_000, maxOfPrincipal: 5_000,
}
/** How often idle ones are looked for. */
const SWEEP_MS = 5_000

export interface SessionsOptions {
  readonly clock: Clock
  /** Of sessions that begin now. */
  readonly defaults: () => NameDefaults
  readonly limits?: Partial<SessionLimits>
  /** Of the coordinator: while it drains only what is begun goes on. Absent: it never drains. */
  readonly duty?: DutyKeeper
}

export class Sessions {
  readonly #defaults: () => NameDefaults
  readonly #clock: Clock
  readonly #limits: SessionLimits
  /** The one used last at the end. */
  readonly #sessions = new Map<SessionId, Session>()
  readonly #ending: ((session: Session) => void)[] = []
  readonly #held: ((session: Session) => boolean)[] = []
  readonly #duty: DutyKeeper | undefined
  /** With a statement that runs, or a transaction that is open; those for one request included. */
  readonly #busy = new Set<Session>()
  #cancelSweep: () => void

  constructor({ clock, defaults, limits, duty }: SessionsOptions) {
    this.#duty = duty
    this.#clock = clock
    this.#defaults = defaults
    this.#limits = { ...DEFAULT_SESSION_LIMITS, ...limits }
    this.#cancelSweep = clock.after(SWEEP_MS, () => this.#sweep())
  }

  get defaults(): NameDefaults {
    return this.#defaults()
  }

  get size(): number {
    return this.#sessions.size
  }

  /** `end` is called once for each session that ends; `holds` says that a session has what would be lost with it. */
  attach(end: (session: Session) => void, holds: (session: Session) => boolean): void {
    this.#ending.push(end)
    this.#held.push(holds)
  }

  /**
   * The session of that id, opened if there is none; counts as a use. Throws PERMISSION_DENIED if it is another
   * principal's, SESSION_LIMIT if there is no room for one more.
   */
  use(id: SessionId, principal: string): Session {
    const known = this.known(id, principal)
    if (known !== undefined) return this.touch(known)
    this.#makeRoom(principal)
    const session = newSession(id, principal, this.defaults, true, this.#clock.nowMs())
    this.#sessions.set(id, session)
    return session
  }

  /** Without opening or touching it. */
  known(id: SessionId, principal: string): Session | undefined {
    const session = this.#sessions.get(id)
    if (session !== undefined && session.principal !== principal) {
      throw new QueryError('PERMISSION_DENIED', `session ${id} is another user's`)
    }
    return session
  }

  /** For one request: nothing of it is kept. */
  once(id: SessionId, principal: string): Session {
    return newSession(id, principal, this.defaults, false, this.#clock.nowMs())
  }

  touch(session: Session): Session {
    session.lastUsedMs = this.#clock.nowMs()
    if (this.#sessions.delete(session.id)) this.#sessions.set(session.id, session)
    return session
  }

  /** Throws UNAVAILABLE if the coordinator drains, unless the session holds what would be lost elsewhere. */
  check(session: Session): void {
    if (!this.#holds(session)) this.#duty?.check()
  }

  /** A statement of it begins. Throws as `check`. */
  begin(session: Session): void {
    this.check(session)
    this.touch(session)
    session.running++
    this.#count(session)
  }

  /** Nobody asks for anything of the statement any more. */
  done(session: Session): void {
    session.running--
    this.touch(session)
    if (session.isKept) this.#count(session)
    else this.end(session)
  }

  /** A drain waits for what is begun. */
  #count(session: Session): void {
    const isOpen = session.transaction === 'open' && this.#sessions.get(session.id) === session
    if (isOpen || session.running > 0) this.#busy.add(session)
    else this.#busy.delete(session)
    this.#duty?.held(this.#busy.size)
  }

  /** False if there is no such session. */
  close(id: SessionId, principal: string): boolean {
    const session = this.known(id, principal)
    if (session !== undefined) this.end(session)
    return session !== undefined
  }

  /** Also of one that is not kept: frees what it holds elsewhere. */
  end(session: Session): void {
    this.#sessions.delete(session.id)
    this.#count(session)
    for (const end of this.#ending) end(session)
  }

  closeAll(): void {
    this.#cancelSweep()
    for (const session of [...this.#sessions.values()]) this.end(session)
  }

  #makeRoom(principal: string): void {
    const { maxSessions, maxOfPrincipal } = this.#limits
    if (this.#sessions.size >= maxSessions) this.#endOne(() => true, `${maxSessions} sessions are open`)
    if (this.#sessions.size < maxOfPrincipal) return
    const isOwn = (session: Session): boolean => session.principal === principal
    const own = [...this.#sessions.values()].filter(isOwn).length
    if (own >= maxOfPrincipal) this.#endOne(isOwn, `${maxOfPrincipal} sessions of this user are open`)
  }

  #endOne(may: (session: Session) => boolean, full: string): void {
    for (const session of this.#sessions.values()) {
      if (session.running > 0 || !may(session) || this.#holds(session)) continue
      return this.end(session)
    }
    throw new QueryError('SESSION_LIMIT', full)
  }

  #holds(session: Session): boolean {
    return session.transaction === 'open' || this.#held.some(holds => holds(session))
  }

  #sweep(): void {
    const before = this.#clock.nowMs() - this.#limits.idleMs
    for (const session of this.#sessions.values()) {
      if (session.lastUsedMs > before) break // the rest was used later
      if (session.running === 0) this.end(session)
    }
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => this.#sweep())
  }
}
