/**
 * The users of the cluster, as the store has them, and who may come in. Every wrong password makes the next try wait
 * longer: tries of a name, and of an address, are slowed by what failed before. Whether a name exists cannot be told
 * from an answer, nor from the time it takes.
 */

import { createHmac } from 'node:crypto'
import { Follow } from '../cluster/follow.ts'
import { USERS, userKey } from '../cluster/keys.ts'
import type { Entry, MetadataStore } from '../cluster/store.ts'
import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import { isPassword, makeUser, nobody, readUser, SALT_BYTES, type UserRecord } from './user-record.ts'

/** Hashes that are computed at once: each takes 32 MiB and a core. */
const MAX_HASHING = 2
/** Logins that wait; more are told to come again. */
const MAX_WAITING = 100
/** Waited before a try that follows failures: doubled with each, up to the most. */
const FIRST_PENALTY_MS = 100
const MAX_PENALTY_MS = 5_000
/** Failures are forgotten after this. */
const FORGET_MS = 10 * 60_000
/** Names and addresses whose failures are remembered; the oldest go first. */
const MAX_REMEMBERED = 10_000
/** Clients that show name and password on every call are hashed once a minute. */
const KNOWN_MS = 60_000
const MAX_KNOWN = 10_000

export interface UsersOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  /** So many bytes that nobody can guess. */
  readonly chance: (count: number) => Uint8Array
}

export interface KnownUser {
  readonly name: string
  /** Grows when the password changes: what was given out before does not count any more. */
  readonly revision: string
}

export interface ListedUser {
  readonly name: string
  readonly changedMs: number
}

interface Failures {
  readonly count: number
  readonly lastMs: number
}

export class Users {
  readonly #options: UsersOptions
  readonly #follow: Follow
  readonly #key: Uint8Array
  #view: ReadonlyMap<string, Entry> = new Map()
  readonly #failures = new Map<string, Failures>()
  /** Digests of name and password that were right, until when, and for which revision. */
  readonly #known = new Map<string, { readonly user: KnownUser; readonly untilMs: number }>()
  #hashing = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: UsersOptions) {
    const { store, clock } = options
    this.#options = options
    this.#key = options.chance(32)
    this.#follow = new Follow({ store, clock, prefix: USERS, onView: entries => { this.#view = entries } })
  }

  start(): Promise<void> {
    return this.#follow.start()
  }

  close(): void {
    this.#follow.close()
  }

  /** Throws UNAUTHENTICATED for a wrong name or password, UNAVAILABLE if too many wait to be let in. */
  async logIn(name: string, password: string, address: string): Promise<KnownUser> {
    const digest = createHmac('sha256', this.#key).update(JSON.stringify([name, password])).digest('base64')
    const { clock } = this.#options
    const known = this.#known.get(digest)
    if (known !== undefined && known.untilMs > clock.nowMs() && this.isCurrent(known.user)) return known.user
    const sources = [`name ${name}`, `address ${address}`]
    await this.#penalty(sources)
    const entry = this.#view.get(userKey(name))
    const user = entry === undefined ? undefined : readUser(entry.value)
    const isRight = await this.#hashed(() => isPassword(user ?? nobody, password))
    if (entry === undefined || user === undefined || !isRight) {
      for (const source of sources) this.#failed(source)
      throw new QueryError('UNAUTHENTICATED', 'wrong user name or password')
    }
    for (const source of sources) this.#failures.delete(source)
    const found = { name, revision: String(entry.revision) }
    remember(this.#known, digest, { user: found, untilMs: clock.nowMs() + KNOWN_MS }, MAX_KNOWN)
    return found
  }

  /** As he is now; undefined: there is none. */
  find(name: string): KnownUser | undefined {
    const entry = this.#view.get(userKey(name))
    return entry === undefined ? undefined : { name, revision: String(entry.revision) }
  }

  /** False once he was removed, or has another password. */
  isCurrent({ name, revision }: KnownUser): boolean {
    return String(this.#view.get(userKey(name))?.revision ?? '') === revision
  }

  /** Throws INVALID_REQUEST if the name is taken, or cannot be one. */
  async add(name: string, password: string): Promise<void> {
    const user = await this.#made(name, password)
    if (await this.#write(user, 0n)) return
    throw new QueryError('INVALID_REQUEST', `there is a user '${name}' already`)
  }

  async setPassword(name: string, password: string): Promise<void> {
    const { revision } = await this.#stored(name)
    if (await this.#write(await this.#made(name, password), revision)) return
    throw new QueryError('UNAVAILABLE', `user '${name}' was changed by another at the same time`)
  }

  async remove(name: string): Promise<void> {
    const { revision } = await this.#stored(name)
    if (await this.#options.store.compareAndSwap(userKey(name), revision, null) !== null) return
    throw new QueryError('UNAVAILABLE', `user '${name}' was changed by another at the same time`)
  }

  async list(): Promise<readonly ListedUser[]> {
    const { entries } = await this.#options.store.list(USERS)
    return entries.flatMap(({ value }) => {
      const user = readUser(value)
      return user === undefined ? [] : [{ name: user.name, changedMs: user.changedMs }]
    })
  }

  #made(name: string, password: string): Promise<UserRecord> {
    const { clock, chance } = this.#options
    return this.#hashed(() => makeUser(name, password, chance(SALT_BYTES), clock.wallMs()))
  }

  async #stored(name: string): Promise<Entry> {
    const entry = await this.#options.store.get(userKey(name))
    if (entry === null) throw new QueryError('NOT_FOUND', `there is no user '${name}'`)
    return entry
  }

  async #write(user: UserRecord, expected: bigint): Promise<boolean> {
    const value = Buffer.from(JSON.stringify(user))
    return await this.#options.store.compareAndSwap(userKey(user.name), expected, value) !== null
  }

  async #penalty(sources: readonly string[]): Promise<void> {
    const { clock } = this.#options
    const nowMs = clock.nowMs()
    const count = Math.max(0, ...sources.map(source => {
      const failures = this.#failures.get(source)
      return failures === undefined || nowMs - failures.lastMs > FORGET_MS ? 0 : failures.count
    }))
    if (count > 0) await delay(clock, Math.min(MAX_PENALTY_MS, FIRST_PENALTY_MS * 2 ** (count - 1)))
  }

  #failed(source: string): void {
    const count = (this.#failures.get(source)?.count ?? 0) + 1
    remember(this.#failures, source, { count, lastMs: this.#options.clock.nowMs() }, MAX_REMEMBERED)
  }

  async #hashed<T>(hash: () => Promise<T>): Promise<T> {
    if (this.#hashing >= MAX_HASHING) {
      if (this.#waiting.length >= MAX_WAITING) throw new QueryError('UNAVAILABLE', 'too many logins at once; try again')
      await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    }
    this.#hashing++
    try {
      return await hash()
    } finally {
      this.#hashing--
      this.#waiting.shift()?.()
    }
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}
