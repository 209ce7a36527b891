/**
 * Whose call of Flight it is, and its session. A token names its session and principal by itself; a session that has
 * ended begins anew with the defaults. A caller without a token has the session of its connection. There are no users
 * yet: any name and password is let in.
 */

import type { Call } from '../../proto/grpc-server.ts'
import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import type { NameDefaults, Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'
import { basicUser } from './basic-user.ts'
import type { Signer } from './signed-text.ts'

const TOKEN_LIFE_MS = 7 * 24 * 3_600_000
const TOKEN = 'session'

export class FlightLogin {
  readonly #sessions: Sessions
  readonly #signer: Signer
  readonly #newId: () => string

  constructor(sessions: Sessions, signer: Signer, newId: () => string) {
    this.#sessions = sessions
    this.#signer = signer
    this.#newId = newId
  }

  get defaults(): NameDefaults {
    return this.#sessions.defaults
  }

  /** A token for a new session of whoever calls. */
  logIn(call: Call): string {
    const content = JSON.stringify([this.#newId(), basicUser(call.header('authorization') ?? '') ?? 'anonymous'])
    return this.#signer.sign(TOKEN, content, TOKEN_LIFE_MS)
  }

  /** Throws UNAUTHENTICATED for a token that is not ours, or too old. */
  of(call: Call): Session {
    const { id, principal } = this.#identify(call)
    return this.#sessions.use(id, principal)
  }

  /** The session if it is kept; does not begin one. */
  known(call: Call): Session | undefined {
    const { id, principal } = this.#identify(call)
    return this.#sessions.known(id, principal)
  }

  close(call: Call): void {
    const { id, principal } = this.#identify(call)
    this.#sessions.close(id, principal)
  }

  #identify(call: Call): { id: SessionId; principal: string } {
    const authorization = call.header('authorization') ?? ''
    const token = /^Bearer (.+)$/i.exec(authorization)?.[1]
    if (token === undefined) {
      const principal = basicUser(authorization) ?? 'anonymous'
      return { id: `peer ${call.peer} ${principal}` as SessionId, principal }
    }
    const content = this.#signer.read(TOKEN, token)
    if (content === undefined) throw new QueryError('UNAUTHENTICATED', 'the token is not valid, or has expired')
    const [id, principal] = JSON.parse(content) as [SessionId, string]
    return { id, principal }
  }
}
