/**
 * A result that its client reads part by part, from the executors that have made them: decided once, when every part is
 * made and none has outgrown its executor's room, or never. What depends on the order in which rows are read is not
 * offered: a part that is lost later is made again, and has to have the same rows.
 */

import { isInOrder } from '../planner/fragment.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { TaskId } from '../proto/ids.ts'
import type { PlannedWork } from './plan-query.ts'

export interface OfferedPart {
  readonly task: TaskId
  /** URI of Flight at the executor that has it. */
  readonly location: string
}

export interface ResultOffer {
  readonly parts: readonly OfferedPart[]
  /** The part through this coordinator, from where it is now. */
  frames(part: number): AsyncIterable<RawFlightData>
  /** Its client has read all of them: what is lost from now on is not made again. */
  delivered(): void
}

export interface OrderedOffer extends ResultOffer {
  /** The parts follow each other in the order of the result. */
  readonly isInOrder: boolean
}

export class OfferDecision {
  readonly decided: Promise<OrderedOffer | null>
  #settle: (offer: OrderedOffer | null) => void = () => undefined
  #state: 'open' | 'offered' | 'refused' = 'open'
  #isInOrder = false

  /** `isWanted` false: nobody has asked. */
  constructor(isWanted: boolean) {
    this.decided = new Promise(resolve => { this.#settle = resolve })
    if (!isWanted) this.refuse()
  }

  get isOffered(): boolean {
    return this.#state === 'offered'
  }

  planned({ planned: { fragments } }: PlannedWork): void {
    const last = fragments.at(-1)
    this.#isInOrder = last !== undefined && isInOrder(last)
    // samples stay with the coordinator: they are never made again
    const mayDiffer = fragments.some(({ orderSensitive, output }) => orderSensitive && output.kind !== 'sample')
    if (last?.tasks === 'one' || mayDiffer) this.refuse()
  }

  refuse(): void {
    this.#decide('refused', null)
  }

  /** Every part is made: they are offered, unless `make` cannot. */
  made(make: () => ResultOffer | null): void {
    if (this.#state !== 'open') return
    const offer = make()
    if (offer === null) return this.refuse()
    this.#decide('offered', { ...offer, isInOrder: this.#isInOrder })
  }

  #decide(state: 'offered' | 'refused', offer: OrderedOffer | null): void {
    if (this.#state !== 'open') return
    this.#state = state
    this.#settle(offer)
  }
}
