/** What binding and running the statements of a session came to. Bytes are those of remote files. */

import type { TypedColumn } from '../instances.ts'

export interface Bound {
  /** JSON; empty: none. */
  readonly outline: string
  readonly columns: readonly TypedColumn[]
  readonly statementType: number
  readonly parameters: readonly { readonly name: string; readonly type: string | null }[]
  readonly bytesFetched: number
}

/** What a statement has done; `objects` if it may have made or dropped some. */
export interface Ran {
  readonly rowCount: number
  readonly changedRows: bigint | null
  readonly objects: string[]
  readonly bytesFetched: number
  readonly bytesCached: number
}

/** What a change has done, and what is the session's own after it. */
export interface Changed {
  readonly changedRows: bigint
  readonly objects: string[]
}

export interface Repeated extends Changed {
  readonly bytesFetched: number
  readonly bytesCached: number
}
