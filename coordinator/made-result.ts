/**
 * The result that a query's own tasks make, part by part: from which attempt each is read, and that it is made again if
 * it cannot be. Where it answers false, rows have gone out that do not count any more: the query has failed. Of what is
 * offered part by part nothing is read here, and only what may be made again is.
 */

import { taskId, type QueryId } from '../proto/ids.ts'
import type { Member, MemberKey } from './member.ts'
import type { OfferedParts } from './offered-parts.ts'
import type { KeptPart } from './result-index.ts'
import type { ResultOffer } from './result-offer.ts'
import type { Fetch } from './result-part.ts'
import type { ResultRelay } from './result-relay.ts'
import type { StageReport } from './stage-message.ts'
import type { StageBoard } from './stage-board.ts'

export interface MadeResultOptions {
  readonly query: QueryId
  /** The last one. */
  readonly stage: number
  readonly relay: ResultRelay
  readonly board: StageBoard
}

interface Source {
  readonly attempt: number
  readonly member: MemberKey
  /** Where clients read it; empty: nowhere. */
  readonly location: string
  readonly fetch: Fetch
}

export class MadeResult {
  readonly #options: MadeResultOptions
  /** By part: what is read, or was. */
  readonly #sources = new Map<number, Source>()
  /** Parts that could not be read, and that nothing newer has been heard of. */
  readonly #broken = new Set<number>()
  #offered: OfferedParts | null = null

  constructor(options: MadeResultOptions) {
    this.#options = options
  }

  /** A part is being made at `member`, or is made. */
  running({ partition, attempt, frames }: Extract<StageReport, { kind: 'result-running' }>, member: Member): boolean {
    const { query, stage, relay } = this.#options
    const known = this.#sources.get(partition)?.attempt ?? -1
    if (attempt <= known || relay.has(partition)) return true
    const { key, channel, info: { flight: location } } = member
    const task = taskId(query, stage, partition, attempt)
    const fetch: Fetch = (fromFrame, signal) => channel.fetchResult(query, task, fromFrame, signal)
    this.#sources.set(partition, { attempt, member: key, location, fetch })
    this.#broken.delete(partition)
    if (this.#offered !== null) {
      this.#offered.begin(partition, attempt, fetch)
      return true
    }
    return frames.length > 0 ? relay.give(partition, attempt, frames, fetch) : relay.begin(partition, attempt, fetch)
  }

  /** Its parts, from now on read where they are; null if one is not complete, or no client reaches its executor. */
  offer(): ResultOffer | null {
    const { query, stage, relay, board } = this.#options
    const found = board.results.flatMap((output, part) => {
      const source = this.#sources.get(part)
      if (source === undefined || source.attempt !== output?.attempt || source.location === '') return []
      return [{ ...source, task: taskId(query, stage, part, source.attempt) }]
    })
    if (found.length < board.results.length) return null
    const offered = relay.handOver(found)
    this.#offered = offered
    if (offered === null) return null
    return {
      parts: found.map(({ task, location }) => ({ task, location })),
      frames: part => offered.read(part), delivered: () => offered.delivered(),
    }
  }

  /** Changes the board; what was read of parts that this takes back goes too. */
  change(change: (board: StageBoard) => void): boolean {
    const { board } = this.#options
    const before = [...board.resultEpochs]
    change(board)
    return board.resultEpochs.every((epoch, part) => epoch === before[part] || this.#drop(part))
  }

  /** After the board has heard of it. */
  executorLost(key: MemberKey): boolean {
    const { board, relay } = this.#options
    return [...this.#sources].every(([part, { member }]) =>
      member !== key || board.results[part] !== null || relay.has(part) || this.#drop(part))
  }

  #drop(part: number): boolean {
    if (this.#offered === null) return this.#options.relay.drop(part)
    this.#offered.drop(part)
    return true
  }

  /** While nothing of it has gone out it is made again. */
  broken(part: number, attempt: number): boolean {
    if (attempt !== this.#sources.get(part)?.attempt) return true
    if (!this.#drop(part)) return false
    this.#broken.add(part)
    this.again()
    return true
  }

  /** A task that failed reports for itself; one that succeeded does not know that nobody could read it. */
  again(): void {
    const { board } = this.#options
    for (const part of this.#broken) {
      if (board.results[part] === null) continue
      this.#broken.delete(part)
      board.resultLost(part)
    }
  }

  /**
   * Those that stay with their executors for others: all of them, complete, or none. Several only if all of it was held
   * here: whoever is served them finds out that one is gone before a row has gone out.
   */
  partsToKeep(members: readonly Member[]): readonly KeptPart[] {
    const { query, stage, board, relay } = this.#options
    const parts = board.results.flatMap((output, part) => output === null ? []
      : [{ member: output.member, task: taskId(query, stage, part, output.attempt) }])
    const areThere = parts.every(({ member }) => members.some(({ key }) => key === member))
    if (parts.length < board.results.length || !areThere) return []
    return parts.length === 1 || relay.inMemory ? parts : []
  }
}
