/**
 * Who a caller of a client's door is. Each call shows it: `Basic` name and password, or `Bearer` and a token that was
 * given for them; a caller who shows neither may have shown a certificate with his name when he connected. A token says
 * whose it is and until when; nothing of it is kept here, so any coordinator takes it.
 *
 *   auth: users   one of the users of the store, by his password
 *   auth: none    whoever he says that he is: for doors that no other host reaches
 */

import { QueryError } from '../../proto/errors.ts'
import type { Peer } from '../../proto/tls.ts'
import type { KnownUser, Users } from '../users.ts'
import type { Signer } from '../../proto/signed-text.ts'

const TOKEN_LIFE_MS = 24 * 3_600_000
const TOKEN = 'session'
const ANONYMOUS = 'anonymous'
/** Of a token where nobody has a password. */
const ANY_REVISION = ''

/** What a caller shows. */
export interface Shown {
  readonly authorization: string | undefined
  /** Where he calls from. */
  readonly address: string
  /** That TLS has checked; null: none. */
  readonly certificate: Peer | null
}

export interface Caller {
  readonly principal: string
  /** The session that his token names; null: he has shown none. */
  readonly session: string | null
}

/** Who may come in. */
export type KnownUsers = Pick<Users, 'logIn' | 'find' | 'isCurrent'>

export class Logins {
  readonly #signer: Signer
  readonly #users: KnownUsers | null

  /** `users` null: `auth: none`. */
  constructor(signer: Signer, users: KnownUsers | null) {
    this.#signer = signer
    this.#users = users
  }

  /** Throws UNAUTHENTICATED for who is not known. */
  async caller(shown: Shown): Promise<Caller> {
    const token = tokenIn(shown)
    if (token === undefined) return { principal: (await this.#user(shown)).name, session: null }
    const content = this.#signer.read(TOKEN, token)
    if (content === undefined) throw new QueryError('UNAUTHENTICATED', 'the token is not valid, or has expired')
    const [session, name, revision] = JSON.parse(content) as [string, string, string]
    if (this.#users !== null && !this.#users.isCurrent({ name, revision })) {
      throw new QueryError('UNAUTHENTICATED', 'the token is not valid any more: its user has changed')
    }
    return { principal: name, session }
  }

  /** A token for this session, and for those of a token that is shown instead of a password. */
  async token(shown: Shown, session: string): Promise<string> {
    const token = tokenIn(shown)
    if (token !== undefined) {
      await this.caller(shown)
      return token
    }
    const { name, revision } = await this.#user(shown)
    return this.#signer.sign(TOKEN, JSON.stringify([session, name, revision]), TOKEN_LIFE_MS)
  }

  async #user({ authorization, address, certificate }: Shown): Promise<KnownUser> {
    const credentials = basicCredentials(authorization)
    const certified = certificate?.role === 'client' ? certificate.name : undefined
    if (this.#users === null) return { name: credentials?.name ?? certified ?? ANONYMOUS, revision: ANY_REVISION }
    if (credentials === undefined && certified !== undefined) {
      const user = this.#users.find(certified)
      if (user !== undefined) return user
      throw new QueryError('UNAUTHENTICATED', `the certificate is of '${certified}', who is no user`)
    }
    if (credentials === undefined) throw new QueryError('UNAUTHENTICATED', 'log in with a user name and a password')
    return this.#users.logIn(credentials.name, credentials.password, address)
  }
}

function tokenIn({ authorization = '' }: Shown): string | undefined {
  return /^Bearer (.+)$/i.exec(authorization)?.[1]
}

function basicCredentials(authorization = ''): { name: string; password: string } | undefined {
  const encoded = /^Basic (.+)$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString()
  const at = decoded.indexOf(':')
  const name = at < 0 ? decoded : decoded.slice(0, at)
  return name === '' ? undefined : { name, password: at < 0 ? '' : decoded.slice(at + 1) }
}
