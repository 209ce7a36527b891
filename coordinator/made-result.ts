/**
 * The result that a query's own tasks make, part by part: from which attempt each is read, and that it is made again if
 * it cannot be. Where it answers false, rows have gone out that do not count any more: the query has failed. Of what is
 * offered part by part nothing is read here, and only what may be made again is.
 *
 * Two attempts may make one part at a time. One of them is read; the rows of the other stay with its executor, but for
 * the few that came with the news of its end, so those of two are never in one place. Which counts is decided here
 * alone: the one whose rows are with the client, or all read; otherwise the first whose end the stage offers.
 */

import type { RawFlightData } from '../proto/flight-data.ts'
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
  /** All of it if it came with the news of its end, or none. */
  readonly frames: readonly RawFlightData[]
}

type Running = Extract<StageReport, { kind: 'result-running' }>
type Done = Extract<StageReport, { kind: 'partition-done' }>

export class MadeResult {
  readonly #options: MadeResultOptions
  /** By part: what is read, or was. */
  readonly #sources = new Map<number, Source>()
  /** By part: what is made besides, and not read. */
  readonly #spares = new Map<number, Source>()
  /** By part: the attempt that could not be read. */
  readonly #broken = new Map<number, number>()
  #offered: OfferedParts | null = null

  constructor(options: MadeResultOptions) {
    this.#options = options
  }

  /** A part is being made at `member`, or is made. */
  running({ partition, attempt, epoch, beside, frames }: Running, member: Member): boolean {
    const { query, stage, relay } = this.#options
    const source = this.#sources.get(partition)
    const broken = this.#broken.get(partition)
    const isKnown = attempt === source?.attempt || attempt === broken
    if (isKnown || this.#isTakenBack(partition, epoch) || relay.has(partition)) return true
    const { key, channel, info: { flight: location } } = member
    const task = taskId(query, stage, partition, attempt)
    const fetch: Fetch = (fromFrame, signal) => channel.fetchResult(query, task, fromFrame, signal)
    const found: Source = { attempt, member: key, location, fetch, frames }
    if (source === undefined || source.attempt === broken || !beside.includes(source.attempt)) {
      return this.#read(partition, found)
    }
    this.#spares.set(partition, found)
    return true
  }

  /** False: rows of another attempt have gone out. */
  #read(part: number, source: Source): boolean {
    const { relay, board } = this.#options
    const { attempt, frames, fetch } = source
    this.#sources.set(part, source)
    this.#spares.delete(part)
    if (this.#offered !== null) {
      this.#offered.begin(part, attempt, fetch)
      board.tellResult({ kind: 'result-settled', partition: part, attempt })
      return true
    }
    return frames.length > 0 ? relay.give(part, attempt, frames, fetch) : relay.begin(part, attempt, fetch)
  }

  /** The partition of a stage was made; of the result, that is an offer. */
  done({ stage, partition, epoch, output, beside }: Done): boolean {
    const made = (board: StageBoard): void => board.partitionDone(stage, partition, epoch, output)
    if (stage !== this.#options.stage) return this.change(made)
    if (this.#isTakenBack(partition, epoch)) return true
    const { board } = this.#options
    const { attempt } = output
    const settled = this.#settledOn(partition)
    if (settled !== null && settled !== attempt && beside.includes(settled)) {
      board.tellResult({ kind: 'result-settled', partition, attempt: settled })
      return true
    }
    const spare = this.#spares.get(partition)
    if (spare?.attempt === attempt && !this.#options.relay.has(partition) && !this.#read(partition, spare)) return false
    board.tellResult({ kind: 'result-taken', partition, attempt })
    return this.change(made)
  }

  /** A first row of the part has gone out. */
  givenOut(partition: number, attempt: number): void {
    const { board } = this.#options
    if (board.results[partition] === null) board.tellResult({ kind: 'result-settled', partition, attempt })
  }

  #settledOn(part: number): number | null {
    if (this.#offered !== null) return this.#sources.get(part)?.attempt ?? null
    return this.#options.relay.settledOn(part)
  }

  /** The stage is told so, or has heard it. */
  #isTakenBack(part: number, epoch: number): boolean {
    return epoch < (this.#options.board.resultEpochs[part] ?? 0)
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

  /** While nothing of it has gone out it is made again, unless another attempt ends first. */
  broken(part: number, attempt: number): boolean {
    if (attempt !== this.#sources.get(part)?.attempt) return true
    if (!this.#drop(part)) return false
    this.#broken.set(part, attempt)
    return this.again()
  }

  /** A task that failed reports for itself; one that succeeded does not know that nobody could read it. */
  again(): boolean {
    let holds = true
    for (const [part, attempt] of this.#broken) {
      const made = this.#options.board.results[part] ?? null
      if (made === null || (made.attempt !== attempt && this.#sources.get(part)?.attempt !== attempt)) continue
      this.#broken.delete(part)
      holds = this.change(board => board.resultLost(part)) && holds
    }
    return holds
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
