/**
 * The result that a query's own tasks make, part by part: from which attempt each is read, and that it is made again if
 * it cannot be. Where it answers false, rows have gone out that do not count any more: the query has failed.
 */

import { taskId, type QueryId } from '../proto/ids.ts'
import type { Member, MemberKey } from './member.ts'
import type { KeptPart } from './result-index.ts'
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
}

export class MadeResult {
  readonly #options: MadeResultOptions
  /** By part: what is read, or was. */
  readonly #sources = new Map<number, Source>()
  /** Parts that could not be read, and that nothing newer has been heard of. */
  readonly #broken = new Set<number>()

  constructor(options: MadeResultOptions) {
    this.#options = options
  }

  /** A part is being made at `member`, or is made. */
  running({ partition, attempt, frames }: Extract<StageReport, { kind: 'result-running' }>, member: Member): boolean {
    const { query, stage, relay } = this.#options
    const known = this.#sources.get(partition)?.attempt ?? -1
    if (attempt <= known || relay.has(partition)) return true
    this.#sources.set(partition, { attempt, member: member.key })
    this.#broken.delete(partition)
    const { channel } = member
    const task = taskId(query, stage, partition, attempt)
    const fetch = (fromFrame: number, signal: AbortSignal) => channel.fetchResult(query, task, fromFrame, signal)
    return frames.length > 0 ? relay.give(partition, attempt, frames, fetch) : relay.begin(partition, attempt, fetch)
  }

  /** Changes the board; what was read of parts that this takes back goes too. */
  change(change: (board: StageBoard) => void): boolean {
    const { board, relay } = this.#options
    const before = [...board.resultEpochs]
    change(board)
    return board.resultEpochs.every((epoch, part) => epoch === before[part] || relay.drop(part))
  }

  /** After the board has heard of it. */
  executorLost(key: MemberKey): boolean {
    const { board, relay } = this.#options
    return [...this.#sources].every(([part, { member }]) =>
      member !== key || board.results[part] !== null || relay.has(part) || relay.drop(part))
  }

  /** While nothing of it has gone out it is made again. */
  broken(part: number, attempt: number): boolean {
    const { relay } = this.#options
    if (attempt !== this.#sources.get(part)?.attempt) return true
    if (!relay.drop(part)) return false
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

  /** Its parts, if each of them is complete. */
  get parts(): readonly KeptPart[] | null {
    const { query, stage, board } = this.#options
    const parts = board.results.flatMap((output, part) => output === null ? []
      : [{ member: output.member, task: taskId(query, stage, part, output.attempt) }])
    return parts.length === board.results.length ? parts : null
  }
}
