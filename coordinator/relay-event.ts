/** What the relay of a result tells the query's actor. */

import type { Clock } from '../proto/clock.ts'
import type { QueryError } from '../proto/errors.ts'
import type { SlowReaders } from './slow-readers.ts'

export type RelayEvent =
  /** Every row is in memory: no executor is needed any more. */
  | { readonly kind: 'relay-complete' }
  /** More than is held back: rows go out from now on. */
  | { readonly kind: 'relay-outgrown' }
  /** The first row of a part has gone out: no other attempt at it can count. */
  | { readonly kind: 'relay-given'; readonly part: number; readonly attempt: number }
  /** The client has taken the last row of a stream, or of each part that it reads by itself. */
  | { readonly kind: 'relay-delivered' }
  | {
    readonly kind: 'relay-broken'; readonly part: number; readonly attempt: number; readonly cause: QueryError
  }

export interface RelayOptions {
  readonly clock: Clock
  readonly holdBytes: number
  /** Of all results of the coordinator. */
  readonly slowReaders: SlowReaders
  readonly tell: (event: RelayEvent) => void
}
