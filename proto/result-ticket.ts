/**
 * What the ticket of a result says, signed: the query, whose it is, and the coordinator that runs it; of one part of it
 * also the part, and the attempt whose rows the executor has that made it.
 */

import type { QueryId, TaskId } from './ids.ts'
import type { Signer } from './signed-text.ts'

const TICKET = 'result'

export interface TicketContent {
  readonly query: QueryId
  readonly principal: string
  readonly coordinator: string
  /** null: all of the result. */
  readonly part: { readonly index: number; readonly task: TaskId } | null
}

type Written = readonly [query: QueryId, principal: string, coordinator: string, index?: number, task?: TaskId]

export function writeTicket(
  signer: Signer, { query, principal, coordinator, part }: TicketContent, lifeMs: number,
): string {
  const content: Written = part === null ? [query, principal, coordinator]
    : [query, principal, coordinator, part.index, part.task]
  return signer.sign(TICKET, JSON.stringify(content), lifeMs)
}

/** Undefined for what is no ticket of this cluster, or has expired. */
export function readTicket(signer: Signer, handle: string): TicketContent | undefined {
  return contentOf(signer.read(TICKET, handle))
}

/** For whoever asks the coordinator that signed it, which knows whether it has expired. */
export function readTicketOfAnyAge(signer: Signer, handle: string): TicketContent | undefined {
  return contentOf(signer.readAnyAge(TICKET, handle))
}

function contentOf(content: string | undefined): TicketContent | undefined {
  if (content === undefined) return undefined
  const [query, principal, coordinator, index, task] = JSON.parse(content) as Written
  const part = index === undefined || task === undefined ? null : { index, task }
  return { query, principal, coordinator, part }
}
