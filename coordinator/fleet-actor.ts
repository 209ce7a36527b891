/**
 * All executors of the cluster as this coordinator sees them: one actor each, made and ended as the membership says.
 * Queries subscribe, and hear of every change and of every loss.
 */

import { ExecutorInfo_State as State, type ExecutorInfo } from '../proto/gen/cluster_pb.js'
import { QueryError, unreachable } from '../proto/errors.ts'
import type { Actor, Address, Context } from './actor/actor.ts'
import type { Universe } from './actor/universe.ts'
import { ExecutorActor, type ExecutorMessage } from './executor-actor.ts'
import type { ExecutorChannel } from './executor-channel.ts'
import type { Member, MemberKey } from './member.ts'

/** Task events of one executor that wait: each of its tasks gives at most four. */
const EXECUTOR_MAILBOX = 65_536

export type FleetMessage =
  | { readonly kind: 'joined'; readonly info: ExecutorInfo }
  | { readonly kind: 'changed'; readonly info: ExecutorInfo }
  | { readonly kind: 'left'; readonly info: ExecutorInfo }
  | { readonly kind: 'alive'; readonly member: Member }
  | { readonly kind: 'lost'; readonly key: MemberKey; readonly cause: QueryError }
  | { readonly kind: 'crashed'; readonly info: ExecutorInfo; readonly cause: QueryError }
  | { readonly kind: 'subscribe'; readonly to: Address<FleetNews> }
  | { readonly kind: 'unsubscribe'; readonly to: Address<FleetNews> }

export type FleetNews =
  | { readonly kind: 'fleet'; readonly members: readonly Member[] }
  | { readonly kind: 'executor-lost'; readonly key: MemberKey; readonly cause: QueryError }

/** What people see; replaced with every change, never changed. */
export interface ExecutorView {
  readonly info: ExecutorInfo
  readonly state: 'connecting' | 'active' | 'draining' | 'drained' | 'lost'
}

interface Entry {
  readonly info: ExecutorInfo
  readonly actor: Address<ExecutorMessage>
  readonly channel: ExecutorChannel
  readonly member: Member | null
  readonly wasAlive: boolean
}

export interface FleetOptions {
  readonly universe: Universe
  readonly connect: (info: ExecutorInfo) => ExecutorChannel
  /** `channels` of those that are heard. */
  readonly publish: (executors: readonly ExecutorView[], channels: ReadonlyMap<string, ExecutorChannel>) => void
}

export class FleetActor implements Actor<FleetMessage> {
  readonly #options: FleetOptions
  readonly #entries = new Map<string, Entry>()
  readonly #subscribers = new Set<Address<FleetNews>>()
  #self: Address<FleetMessage> | null = null

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** Before the first message: what its executor actors report to. */
  begin(self: Address<FleetMessage>): void {
    this.#self = self
  }

  receive(message: FleetMessage, _context: Context<FleetMessage>): void {
    switch (message.kind) {
      case 'joined': return this.#joined(message.info)
      case 'changed': return this.#changed(message.info)
      case 'left': return this.#left(message.info)
      case 'alive': return this.#alive(message.member)
      case 'lost': return this.#lost(message.key, message.cause)
      case 'crashed': return this.#crashed(message.info, message.cause)
      case 'subscribe':
        this.#subscribers.add(message.to)
        message.to.send({ kind: 'fleet', members: this.#members() })
        return
      case 'unsubscribe':
        this.#subscribers.delete(message.to)
        return
      default: unreachable(message)
    }
  }

  #joined(info: ExecutorInfo): void {
    const before = this.#entries.get(info.id)
    if (before !== undefined) this.#left(before.info)
    const fleet = this.#self
    if (fleet === null) return
    const channel = this.#options.connect(info)
    const actor = new ExecutorActor(info, channel, fleet)
    const address = this.#options.universe.spawn(`executor ${info.id}`, actor, {
      capacity: EXECUTOR_MAILBOX, heir: cause => { fleet.send({ kind: 'crashed', info, cause }) },
    })
    this.#entries.set(info.id, { info, actor: address, channel, member: null, wasAlive: false })
    actor.begin(address)
    this.#publish()
  }

  #changed(info: ExecutorInfo): void {
    const entry = this.#entries.get(info.id)
    if (entry?.info.incarnation !== info.incarnation) return this.#joined(info)
    const member = entry.member === null ? null : { ...entry.member, info }
    this.#entries.set(info.id, { ...entry, info, member })
    entry.actor.send({ kind: 'changed', info })
    this.#publish()
  }

  #left(info: ExecutorInfo): void {
    const entry = this.#entries.get(info.id)
    if (entry?.info.incarnation !== info.incarnation) return
    const cause = new QueryError('EXECUTOR_LOST', `executor ${info.id} has left the cluster`)
    entry.actor.send({ kind: 'leave', cause })
    if (entry.member !== null) this.#lost(entry.member.key, cause)
    this.#entries.delete(info.id)
    this.#publish()
  }

  #alive(member: Member): void {
    const entry = this.#entries.get(member.id)
    if (entry?.info.incarnation !== member.info.incarnation) return
    this.#entries.set(member.id, { ...entry, member: { ...member, info: entry.info }, wasAlive: true })
    this.#publish()
  }

  #lost(key: MemberKey, cause: QueryError): void {
    const entry = [...this.#entries.values()].find(({ member }) => member?.key === key)
    if (entry === undefined) return
    this.#entries.set(entry.info.id, { ...entry, member: null })
    for (const to of this.#subscribers) to.send({ kind: 'executor-lost', key, cause })
    this.#publish()
  }

  #crashed(info: ExecutorInfo, cause: QueryError): void {
    const entry = this.#entries.get(info.id)
    if (entry?.info.incarnation !== info.incarnation) return
    if (entry.member !== null) this.#lost(entry.member.key, cause)
    entry.channel.close()
    this.#entries.delete(info.id)
    this.#joined(info)
  }

  #members(): readonly Member[] {
    return [...this.#entries.values()].flatMap(({ member }) => member === null ? [] : [member])
  }

  #publish(): void {
    const members = this.#members()
    for (const to of this.#subscribers) to.send({ kind: 'fleet', members })
    const channels = new Map<string, ExecutorChannel>(members.map(({ id, channel }) => [id, channel]))
    this.#options.publish([...this.#entries.values()].map(view), channels)
  }
}

function view({ info, member, wasAlive }: Entry): ExecutorView {
  if (member === null) return { info, state: wasAlive ? 'lost' : 'connecting' }
  const { state } = info
  return { info, state: state === State.DRAINING ? 'draining' : state === State.DRAINED ? 'drained' : 'active' }
}
