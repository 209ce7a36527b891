/** Everybody's view of the executors: who is there, who changed, who left, and who does not fit. */

import type { Clock } from '../proto/clock.ts'
import { decodeExecutorInfo, encodeExecutorInfo, WIRE_VERSION } from '../proto/cluster-values.ts'
import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import { Follow } from './follow.ts'
import { MEMBERS } from './keys.ts'
import type { Entry, MetadataStore } from './store.ts'

export type MembershipEvent =
  | { readonly kind: 'joined'; readonly info: ExecutorInfo }
  | { readonly kind: 'changed'; readonly info: ExecutorInfo }
  | { readonly kind: 'left'; readonly info: ExecutorInfo }
  /** It runs another DuckDB, so that plans, types and hashes would not agree, or speaks otherwise. Not a member. */
  | { readonly kind: 'refused'; readonly info: ExecutorInfo }

export interface MembershipOptions {
  readonly store: MetadataStore
  readonly clock: Clock
  /** Of this process; only executors with the same are members. */
  readonly duckdbVersion: string
  readonly onEvent: (event: MembershipEvent) => void
  /** See FollowOptions.onReach. */
  readonly onReach?: (reason: unknown) => void
}

export class MembershipView {
  readonly #options: MembershipOptions
  readonly #follow: Follow
  #members = new Map<string, ExecutorInfo>()
  /** Told already. */
  #refused = new Set<string>()

  constructor(options: MembershipOptions) {
    const { store, clock, onReach } = options
    this.#options = options
    this.#follow = new Follow({
      store, clock, prefix: MEMBERS, onView: view => this.#update(view), ...(onReach === undefined ? {} : { onReach }),
    })
  }

  /** Resolves once the first list is there. */
  start(): Promise<void> {
    return this.#follow.start()
  }

  members(): readonly ExecutorInfo[] {
    return [...this.#members.values()]
  }

  close(): void {
    this.#follow.close()
  }

  #update(view: ReadonlyMap<string, Entry>): void {
    const { onEvent } = this.#options
    const infos = [...view.values()].flatMap(({ value }) => decodeExecutorInfo(value) ?? [])
    const fitting = infos.filter(info => this.#fits(info))
    this.#refused = new Set(infos.map(startOf).filter(start => this.#refused.has(start)))
    const members = new Map(fitting.map(info => [info.id, info]))
    const before = this.#members
    this.#members = members
    for (const info of before.values()) {
      if (members.get(info.id)?.incarnation !== info.incarnation) onEvent({ kind: 'left', info })
    }
    for (const info of members.values()) {
      const known = before.get(info.id)
      if (known?.incarnation !== info.incarnation) onEvent({ kind: 'joined', info })
      else if (!sameBytes(encodeExecutorInfo(known), encodeExecutorInfo(info))) onEvent({ kind: 'changed', info })
    }
  }

  #fits(info: ExecutorInfo): boolean {
    if (info.duckdbVersion === this.#options.duckdbVersion && info.wireVersion === WIRE_VERSION) return true
    const start = startOf(info)
    if (!this.#refused.has(start)) this.#options.onEvent({ kind: 'refused', info })
    this.#refused.add(start)
    return false
  }
}

function startOf({ id, incarnation }: ExecutorInfo): string {
  return `${id}/${incarnation}`
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
