/**
 * Sessions of Flight clients: where names are looked up, settings, prepared statements. A token names its session and
 * principal by itself; what is kept here can be dropped, and then begins anew with the defaults. A caller without a
 * token has the session of its connection. There are no users yet: any name and password is let in.
 */

import type { Call } from '../../proto/grpc-server.ts'
import type { EnumForm } from '../../proto/arrow-schema.ts'
import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import type { Signer } from './signed-text.ts'

/** The least recently used goes first. */
const MAX_SESSIONS = 10_000
/** Of one session; clients that never close theirs lose the oldest. */
const MAX_PREPARED = 1_000
const TOKEN_LIFE_MS = 7 * 24 * 3_600_000
const TOKEN = 'session'

export interface Session {
  readonly id: SessionId
  readonly principal: string
  catalog: string
  schema: string
  enums: EnumForm
  readonly settings: Map<string, string>
  /** Statement text by handle. */
  readonly prepared: Map<string, string>
}

export interface SessionDefaults {
  readonly catalog: string
  readonly schema: string
}

export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #signer: Signer
  readonly #newId: () => string
  readonly defaults: SessionDefaults

  constructor(signer: Signer, newId: () => string, defaults: SessionDefaults) {
    this.#signer = signer
    this.#newId = newId
    this.defaults = defaults
  }

  /** A token for a new session of whoever calls. */
  logIn(call: Call): string {
    const content = JSON.stringify([this.#newId(), basicUser(call.header('authorization') ?? '') ?? 'anonymous'])
    return this.#signer.sign(TOKEN, content, TOKEN_LIFE_MS)
  }

  /** Throws UNAUTHENTICATED for a token that is not ours, or too old. */
  of(call: Call): Session {
    const { id, principal } = this.#identify(call)
    const session: Session = this.#sessions.get(id) ?? {
      id, principal, ...this.defaults, enums: 'text', settings: new Map<string, string>(),
      prepared: new Map<string, string>(),
    }
    this.#sessions.delete(id)
    keep(this.#sessions, id, session, MAX_SESSIONS)
    return session
  }

  /** The session if it is kept; does not begin one. */
  known(call: Call): Session | undefined {
    return this.#sessions.get(this.#identify(call).id)
  }

  close(call: Call): void {
    this.#sessions.delete(this.#identify(call).id)
  }

  #identify(call: Call): { id: SessionId; principal: string } {
    const authorization = call.header('authorization') ?? ''
    const token = /^Bearer (.+)$/i.exec(authorization)?.[1]
    if (token === undefined) {
      return { id: `peer ${call.peer}` as SessionId, principal: basicUser(authorization) ?? 'anonymous' }
    }
    const content = this.#signer.read(TOKEN, token)
    if (content === undefined) throw new QueryError('UNAUTHENTICATED', 'the token is not valid, or has expired')
    const [id, principal] = JSON.parse(content) as [SessionId, string]
    return { id, principal }
  }
}

export function keepPrepared(session: Session, handle: string, sql: string): void {
  keep(session.prepared, handle, sql, MAX_PREPARED)
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}

function basicUser(authorization: string): string | undefined {
  const encoded = /^Basic (.+)$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString()
  return decoded.split(':')[0] || undefined
}
