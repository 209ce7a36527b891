/**
 * The stages of one query as its actor keeps them: the outputs that count, which stages may run, what is not needed
 * because there are rows enough, and what has to be made again when outputs are lost. Gives orders to the stage actors
 * and holds nothing that they hold.
 */

import type { Fragment } from '../planner/fragment.ts'
import type { QueryError } from '../proto/errors.ts'
import { taskId, type QueryId, type TaskId } from '../proto/ids.ts'
import type { Address } from './actor/actor.ts'
import type { Member, MemberKey } from './member.ts'
import { recover, type StageView } from './recovery.ts'
import type { StageMessage } from './stage-message.ts'
import { SPARED, type Output } from './task-definition.ts'

interface Entry {
  readonly fragment: Fragment
  readonly actor: Address<StageMessage>
  /** By partition; null: still to be made. */
  readonly outputs: (Output | null)[]
  /** By partition: an output of it was there, and what has read that counts. */
  readonly wasMade: boolean[]
  /** By partition: the epoch in which it was last taken back. */
  readonly takenBack: number[]
  epoch: number
  /** Has ever been given its inputs. */
  started: boolean
  /** Has its inputs now. */
  ready: boolean
}

export interface StageStart {
  readonly fragment: Fragment
  readonly actor: Address<StageMessage>
  readonly partitions: number
}

export class StageBoard {
  readonly #entries: readonly Entry[]
  /** Whose outputs cannot be read any more; for the whole life of the query. */
  readonly #lost = new Set<MemberKey>()
  /** Outputs that could not be read though their executor lives, or that were given up. */
  readonly #unreadable = new WeakSet<Output>()

  readonly #isReceived: (partition: number) => boolean

  /** `isReceived`: of the last stage, whether every row of a partition is here: whoever made it may go. */
  constructor(stages: readonly StageStart[], isReceived: (partition: number) => boolean) {
    this.#isReceived = isReceived
    this.#entries = stages.map(({ fragment, actor, partitions }) => ({
      fragment, actor, epoch: 0, started: false, ready: false,
      outputs: Array.from({ length: partitions }, () => null),
      wasMade: Array.from({ length: partitions }, () => false),
      takenBack: Array.from({ length: partitions }, () => 0),
    }))
  }

  /** Partitions with an output, and all of them. */
  get done(): number {
    return this.#entries.reduce((sum, { outputs }) => sum + outputs.filter(output => output !== null).length, 0)
  }

  get total(): number {
    return this.#entries.reduce((sum, { outputs }) => sum + outputs.length, 0)
  }

  /** The outputs of the last stage, by partition: null where it is still to be made. */
  get results(): readonly (Output | null)[] {
    return this.#entries.at(-1)?.outputs ?? []
  }

  /** Every task of the last stage has succeeded. */
  get isMade(): boolean {
    return this.results.every(output => output !== null)
  }

  /** By partition of the last stage: grows each time its output, or what that was made of, is taken back. */
  get resultEpochs(): readonly number[] {
    return this.#entries.at(-1)?.takenBack ?? []
  }

  /** Tells the last stage. */
  tellResult(message: StageMessage): void {
    this.#entries.at(-1)?.actor.send(message)
  }

  tellAll(message: StageMessage): void {
    for (const { actor } of this.#entries) actor.send(message)
  }

  crew(members: readonly Member[]): void {
    this.tellAll({ kind: 'crew', members })
  }

  /** Gives every stage whose inputs are complete leave to run. */
  startReady(): void {
    for (const entry of this.#entries) {
      if (entry.ready) continue
      const inputs = entry.fragment.inputs.map(({ fragment }) => this.#complete(fragment))
      if (!inputs.every(input => input !== null)) continue
      entry.ready = true
      entry.started = true
      entry.actor.send({ kind: 'inputs-ready', inputs })
    }
  }

  /** An attempt that was taken back while the report was on its way does not count. */
  partitionDone(stage: number, partition: number, epoch: number, output: Output): void {
    const entry = this.#entries[stage]
    if (entry === undefined || epoch < (entry.takenBack[partition] ?? 0)) return
    if (entry.outputs[partition] === SPARED) return // who reads it may have been told so
    entry.outputs[partition] = output
    entry.wasMade[partition] = true
    // it ended just as its executor was lost: whoever needs it shall not wait for it
    if (this.#isLost(entry, output)) this.#recover()
    else this.#spare(entry)
    this.startReady()
  }

  /** Where a LIMIT reads it, nobody waits for rows that it would leave out. */
  #spare({ fragment: { stageRows = Infinity }, outputs, wasMade, actor }: Entry): void {
    const files = outputs.flatMap(output => output?.files ?? [])
    const isLeft = outputs.includes(null)
    if (!isLeft || files.reduce((rows, { rowCount }) => rows + Number(rowCount), 0) < stageRows) return
    outputs.forEach((output, partition) => {
      if (output !== null) return
      outputs[partition] = SPARED
      wasMade[partition] = true
    })
    actor.send({ kind: 'enough' })
  }

  /**
   * Gives up what `stage` and every other reader has read to the end: the disk that it takes is needed more than it is.
   * If what was made of it is lost and still needed, it is made again as if it were lost too. Answers the tasks whose
   * files are to be removed, by executor.
   */
  giveUpInputs(stage: number, query: QueryId): Map<MemberKey, TaskId[]> {
    const given = new Map<MemberKey, TaskId[]>()
    if (this.#complete(stage) === null) return given
    for (const { fragment: from } of this.#entries[stage]?.fragment.inputs ?? []) {
      const written = this.#entries[from]
      if (written === undefined || isHeldHere(written) || !this.#readByAll(from)) continue
      written.outputs.forEach((output, partition) => {
        if (output === null || output === SPARED || this.#isLost(written, output)) return
        this.#unreadable.add(output)
        const ids = given.get(output.member) ?? []
        given.set(output.member, ids)
        ids.push(taskId(query, from, partition, output.attempt))
      })
    }
    return given
  }

  #readByAll(stage: number): boolean {
    return this.#entries.every(({ fragment: { inputs } }, reader) =>
      !inputs.some(({ fragment }) => fragment === stage) || this.#complete(reader) !== null)
  }

  executorLost(key: MemberKey, cause: QueryError): void {
    this.#lost.add(key)
    this.tellAll({ kind: 'executor-lost', key, cause })
    this.#recover()
    this.startReady()
  }

  /** A task of `stage` could not read these; it waits for its inputs. */
  inputsLost(stage: number, outputs: readonly Output[]): void {
    for (const output of outputs) this.#unreadable.add(output)
    const entry = this.#entries[stage]
    if (entry !== undefined) entry.ready = false
    this.#recover()
    this.startReady()
  }

  /** This partition of the result was made but cannot be read: it is made once more. */
  resultLost(partition: number): void {
    const last = this.#entries.at(-1)
    if (last === undefined) return
    this.#takeBack(last, new Set([partition]))
    this.#recover()
    this.startReady()
  }

  #isLost(entry: Entry, output: Output): boolean {
    return !isHeldHere(entry) && (this.#lost.has(output.member) || this.#unreadable.has(output))
  }

  #complete(stage: number): readonly Output[] | null {
    const outputs = this.#entries[stage]?.outputs ?? []
    const complete = outputs.filter(output => output !== null)
    return complete.length === outputs.length ? complete : null
  }

  #recover(): void {
    const last = this.#entries.length - 1
    const views: StageView[] = this.#entries.map((entry, stage) => ({
      inputs: entry.fragment.inputs, orderSensitive: entry.fragment.orderSensitive, started: entry.started,
      outputs: entry.outputs.map((output, partition) => {
        if (output === null) return entry.wasMade[partition] === true ? 'gone' : 'none'
        return this.#isLost(entry, output) && !(stage === last && this.#isReceived(partition)) ? 'lost' : 'kept'
      }),
    }))
    const { again, changed } = recover(views)
    this.#entries.forEach((entry, stage) => {
      const partitions = again[stage] ?? new Set()
      if (partitions.size > 0) this.#takeBack(entry, partitions)
      for (const partition of changed[stage] ?? []) entry.wasMade[partition] = false
    })
    // who reads from a stage that is not complete any more waits until it is
    for (const entry of this.#entries) {
      if (!entry.ready || entry.fragment.inputs.every(({ fragment }) => this.#complete(fragment) !== null)) continue
      this.#takeBack(entry, new Set())
    }
  }

  /** With some of a stage's outputs go those that were not needed beside them. */
  #takeBack(entry: Entry, lost: ReadonlySet<number>): void {
    const spared = entry.outputs.flatMap((output, partition) => output === SPARED ? [partition] : [])
    const partitions = lost.size === 0 ? lost : new Set([...lost, ...spared])
    entry.epoch++
    entry.ready = false
    for (const partition of partitions) {
      entry.outputs[partition] = null
      entry.takenBack[partition] = entry.epoch
    }
    entry.actor.send({ kind: 'again', partitions, epoch: entry.epoch })
  }
}

/** What its tasks told came with the news of them: no executor is needed any more, and two samples are never mixed. */
function isHeldHere({ fragment }: Entry): boolean {
  return fragment.output.kind === 'sample'
}
