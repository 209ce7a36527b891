/**
 * The metadata store of a cluster: etcd, through etcd3. What the library does by itself is kept small, because its
 * watches skip events after two drops in a row, hang once they were refused, and can end the process; its leases
 * notice their loss late. So a watch is one stream of its own (etcd-watch.ts), a keepalive is one question with one
 * answer, and every retry is made here.
 *
 * A call is tried for some seconds over all hosts, long enough for a change of leader. A compare-and-swap that is
 * tried again may find its own first try: each value carries a mark of its writer and a number, by which it is known.
 */

import { circuitBreaker, ConsecutiveBreaker, handleWhen, noop } from 'cockatiel'
import { Etcd3, isRecoverableError, type ITxnRequest } from 'etcd3'
import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import { etcdError, mayBeTriedAgain } from './etcd-errors.ts'
import { marked, sameMark, unmarked } from './etcd-value.ts'
import { EtcdWatch, leave } from './etcd-watch.ts'
import {
  MAX_VALUE_BYTES, type Change, type Entry, type Guard, type Lease, type MetadataStore, type Revision,
} from './store.ts'

/** One try; a member that answers later is frozen or away. */
const TRY_MS = 1_000
/** Over all tries: outlasts the choice of a new leader (1 to 3 s, measured) twice. */
const CALL_MS = 8_000
const PAUSE_MS = 100
/** Of a keepalive: the next one is due by then. */
const KEEPALIVE_MS = 2_500
/** A host that failed twice is left out for a second. */
const HOST_FAILURES = 2
const HOST_REST_MS = 1_000
/** etcd drops who pings more often than its --grpc-keepalive-min-time, 5 s by default, give or take a timer. */
export const PING_MS = 7_000
const PING_TIMEOUT_MS = 1_000
/** Entries read by one call: 256 of 64 KB are 16 MB. */
const PAGE_ENTRIES = 256

export interface EtcdStoreOptions {
  /** `http://host:port` or `https://host:port`, all of one kind. */
  readonly hosts: readonly string[]
  /** PEM. The certificate's common name is the user, if etcd asks for one. */
  readonly tls?: { readonly ca: Uint8Array; readonly key: Uint8Array; readonly cert: Uint8Array }
  /** Among the names of every member's certificate; absent: the host's own. A host that is an IP address needs it. */
  readonly serverName?: string
  /** Before every key: several clusters may share one etcd. */
  readonly prefix: string
  readonly clock: Clock
  /** Of this process and no other: a UUID. */
  readonly writer: string
}

export class EtcdStore implements MetadataStore {
  readonly #client: Etcd3
  readonly #options: EtcdStoreOptions
  readonly #watches = new Set<EtcdWatch>()
  #swaps = 0
  #closed = false

  /** Reaches for no host yet. */
  constructor(options: EtcdStoreOptions) {
    this.#options = options
    const { hosts, tls, serverName, clock } = options
    this.#client = new Etcd3({
      hosts: [...hosts],
      ...(tls === undefined ? {} : {
        credentials: {
          rootCertificate: Buffer.from(tls.ca), privateKey: Buffer.from(tls.key), certChain: Buffer.from(tls.cert),
        },
      }),
      grpcOptions: {
        ...(serverName === undefined ? {}
          : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
        'grpc.keepalive_time_ms': PING_MS, 'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
        'grpc.keepalive_permit_without_calls': 1,
        'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000,
        'grpc.max_receive_message_length': -1,
      },
      defaultCallOptions: call => call.isStream ? {} : { deadline: clock.wallMs() + TRY_MS },
      faultHandling: {
        host: () => circuitBreaker(handleWhen(isRecoverableError), {
          halfOpenAfter: HOST_REST_MS, breaker: new ConsecutiveBreaker(HOST_FAILURES),
        }),
        global: noop,
      },
    })
  }

  async get(key: string): Promise<Entry | null> {
    const { kvs } = await this.#call(() => this.#client.kv.range({ key: this.#key(key) }))
    const [found] = kvs
    return found === undefined ? null : this.#entry(found)
  }

  async list(prefix: string): Promise<{ readonly entries: readonly Entry[]; readonly revision: Revision }> {
    const entries: Entry[] = []
    let from = this.#key(prefix)
    const end = endOf(from)
    let revision: string | undefined
    for (;;) {
      const page = await this.#call(() => this.#client.kv.range({
        key: from, range_end: end, limit: PAGE_ENTRIES, sort_order: 'Ascend', sort_target: 'Key',
        ...(revision === undefined ? {} : { revision }),
      }))
      revision ??= page.header.revision
      entries.push(...page.kvs.map(found => this.#entry(found)))
      const last = page.kvs.at(-1)
      if (!page.more || last === undefined) return { entries, revision: BigInt(revision) }
      from = Buffer.concat([last.key, Buffer.of(0)])
    }
  }

  async compareAndSwap(
    key: string, expected: Revision, value: Uint8Array | null, lease?: Lease, guard?: Guard,
  ): Promise<Revision | null> {
    if (value !== null && value.length > MAX_VALUE_BYTES) {
      throw new QueryError(
        'INVALID_REQUEST', `the value of ${key} has ${value.length} bytes, more than ${MAX_VALUE_BYTES}`,
      )
    }
    const own = value === null ? null : marked(this.#options.writer, ++this.#swaps, value)
    const request = this.#swap(key, expected, own, lease, guard)
    let tries = 0
    const { succeeded, header, responses } = await this.#call(() => { tries++; return this.#client.kv.txn(request) })
    if (succeeded) return BigInt(header.revision)
    const [now] = responses[0]?.response_range.kvs ?? []
    if (tries === 1) return null
    // an earlier try may have been done, and nobody was told
    if (own === null ? now === undefined : now !== undefined && sameMark(now.value, own)) {
      return BigInt(now?.mod_revision ?? header.revision)
    }
    if (own === null || now === undefined || BigInt(now.mod_revision) !== expected) {
      throw new QueryError('UNAVAILABLE', `whether ${key} was written is not known: others have written it since`)
    }
    return null // as it was before: the guard has failed
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    const granted = await this.#call(() => this.#client.leaseClient.leaseGrant({ TTL: Math.ceil(ttlMs / 1_000) }))
    return { leaseId: BigInt(granted.ID), ttlMs: Number(granted.TTL) * 1_000 }
  }

  keepAlive({ leaseId }: Lease): Promise<boolean> {
    return this.#call(() => this.#keepAliveOnce(leaseId), KEEPALIVE_MS)
  }

  async revokeLease({ leaseId }: Lease): Promise<void> {
    try {
      await this.#call(() => this.#client.leaseClient.leaseRevoke({ ID: String(leaseId) }))
    } catch (error) {
      if (!(error instanceof QueryError) || error.code !== 'NOT_FOUND') throw error // it is gone already
    }
  }

  watch(
    prefix: string, after: Revision,
    onChanges: (changes: readonly Change[]) => void, onError: (reason: unknown) => void,
  ): () => void {
    if (this.#closed) {
      onError(closedError())
      return () => undefined
    }
    const key = this.#key(prefix)
    const watch = new EtcdWatch({
      open: () => this.#client.watchClient.watch(), clock: this.#options.clock,
      request: { key, range_end: endOf(key), start_revision: String(after + 1n) },
      onEvents: events => onChanges(events.map(({ type, kv }): Change => ({
        ...this.#entry(kv), ...(type === 'Delete' ? { value: null } : {}),
      }))),
      onError: reason => {
        this.#watches.delete(watch)
        onError(reason)
      },
    })
    this.#watches.add(watch)
    return () => {
      this.#watches.delete(watch)
      watch.end()
    }
  }

  /** Gives up the history before `revision`; watches that start earlier have to list. */
  async compact(revision: Revision): Promise<void> {
    await this.#call(() => this.#client.kv.compact({ revision: String(revision), physical: false }))
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#closed = true
    for (const watch of [...this.#watches]) watch.fail(closedError())
    this.#client.close()
    return Promise.resolve()
  }

  #swap(
    key: string, expected: Revision, value: Buffer | null, lease: Lease | undefined, guard: Guard | undefined,
  ): ITxnRequest {
    const name = this.#key(key)
    return {
      compare: [
        unchanged(name, expected), ...(guard === undefined ? [] : [unchanged(this.#key(guard.key), guard.revision)]),
      ],
      success: [value === null ? { request_delete_range: { key: name } } : {
        request_put: { key: name, value, ...(lease === undefined ? {} : { lease: String(lease.leaseId) }) },
      }],
      failure: [{ request_range: { key: name } }],
    }
  }

  /** Tries until it has an answer, or has none after `callMs`. */
  async #call<T>(run: () => Promise<T>, callMs = CALL_MS): Promise<T> {
    const { clock } = this.#options
    const untilMs = clock.nowMs() + callMs
    for (;;) {
      if (this.#closed) throw closedError()
      try {
        return await run()
      } catch (thrown) {
        const error = etcdError(thrown)
        if (this.#closed) throw closedError()
        if (!mayBeTriedAgain(thrown) || clock.nowMs() + PAUSE_MS >= untilMs) throw error
      }
      await delay(clock, PAUSE_MS)
    }
  }

  async #keepAliveOnce(leaseId: bigint): Promise<boolean> {
    const stream = await this.#client.leaseClient.leaseKeepAlive()
    try {
      return await new Promise<boolean>((resolve, reject) => {
        const cancel = this.#options.clock.after(TRY_MS, () => {
          reject(new QueryError('UNAVAILABLE', `etcd did not answer within ${TRY_MS} ms`))
        })
        stream.on('data', ({ TTL }) => { cancel(); resolve(Number(TTL) > 0) })
        stream.on('error', (reason: Error) => { cancel(); reject(reason) })
        stream.on('end', () => { cancel(); reject(new QueryError('UNAVAILABLE', 'etcd ended the keepalive')) })
        stream.write({ ID: String(leaseId) })
      })
    } finally {
      leave(stream)
    }
  }

  #key(key: string): Buffer {
    return Buffer.from(`${this.#options.prefix}${key}`)
  }

  #entry(found: { readonly key: Buffer; readonly value: Buffer; readonly mod_revision: string }): Entry {
    return {
      key: found.key.toString().slice(this.#options.prefix.length), value: unmarked(found.value),
      revision: BigInt(found.mod_revision),
    }
  }
}

/** A comparison of etcd: the key's last change is this one; 0: it is absent. */
function unchanged(key: Buffer, revision: Revision) {
  return { key, result: 'Equal' as const, target: 'Mod' as const, mod_revision: String(revision) }
}

/** The first key behind all that start with `prefix`. */
function endOf(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] ?? 0xff
    if (byte === 0xff) continue
    end[i] = byte + 1
    return end.subarray(0, i + 1)
  }
  return Buffer.of(0) // etcd's word for the end of all keys
}

function closedError(): QueryError {
  return new QueryError('UNAVAILABLE', 'the metadata store is closed')
}
