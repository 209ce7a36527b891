/**
 * Whose call of Flight it is, and its session. A token names its session; one that has ended begins anew with the
 * defaults. A caller without a token has the session of its connection.
 */

import { authorizationIn, authorizationOf } from '../../proto/flight-login.ts'
import type { Call } from '../../proto/grpc-server.ts'
import type { SessionId } from '../../proto/ids.ts'
import type { NameDefaults, Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Logins, Shown } from './logins.ts'

interface Caller {
  readonly id: SessionId
  readonly principal: string
}

export class FlightLogin {
  readonly #sessions: Sessions
  readonly #logins: Logins
  readonly #newId: () => string

  constructor(sessions: Sessions, logins: Logins, newId: () => string) {
    this.#sessions = sessions
    this.#logins = logins
    this.#newId = newId
  }

  get defaults(): NameDefaults {
    return this.#sessions.defaults
  }

  /** A token for a new session of whoever calls, or the one that he shows. `said`: a BasicAuth in the handshake. */
  logIn(call: Call, said: Uint8Array = new Uint8Array(0)): Promise<string> {
    const shown = shownBy(call)
    const authorization = said.length === 0 ? shown.authorization : authorizationIn(said)
    return this.#logins.token({ ...shown, authorization }, this.#newId())
  }

  /** Throws UNAUTHENTICATED for a password that is wrong, and for a token that is not ours, or too old. */
  async of(call: Call): Promise<Session> {
    const { id, principal } = await this.#caller(call)
    return this.#sessions.use(id, principal)
  }

  /** The session if it is kept; does not begin one. */
  async known(call: Call): Promise<Session | undefined> {
    const { id, principal } = await this.#caller(call)
    return this.#sessions.known(id, principal)
  }

  async close(call: Call): Promise<void> {
    const { id, principal } = await this.#caller(call)
    this.#sessions.close(id, principal)
  }

  async #caller(call: Call): Promise<Caller> {
    const { principal, session } = await this.#logins.caller(shownBy(call))
    return { id: (session ?? `peer ${call.peer} ${principal}`) as SessionId, principal }
  }
}

function shownBy(call: Call): Shown {
  const { peer } = call
  // without the port, which every connection changes
  const address = peer.slice(0, Math.max(0, peer.lastIndexOf(':')))
  return { authorization: authorizationOf(call), address, certificate: call.peerIdentity() }
}
