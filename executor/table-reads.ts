/** How many bytes tasks have read of the remote files of each table since the start: brought for them, and at hand. */

import type { OpenFile } from '../cache/wanted-file.ts'
import type { Scan } from '../proto/gen/executor_pb.js'

/** The longest unread is forgotten. */
const MAX_TABLES = 1_000

export interface TableRead {
  readonly catalog: string
  readonly schema: string
  readonly table: string
  readonly bytesFetched: bigint
  readonly bytesCached: bigint
}

export class TableReads {
  readonly #tables = new Map<string, TableRead>()

  /** `files`: of each scan, what was opened. */
  add(scans: readonly Scan[], files: readonly (readonly OpenFile[])[]): void {
    scans.forEach(({ catalog, schema, table }, i) => {
      const fetched = (files[i] ?? []).reduce((sum, file) => sum + file.bytesFetched, 0)
      const cached = (files[i] ?? []).reduce((sum, file) => sum + file.bytesCached, 0)
      if (fetched + cached === 0) return
      const key = JSON.stringify([catalog, schema, table])
      const before = this.#tables.get(key)
      this.#tables.delete(key)
      this.#tables.set(key, {
        catalog, schema, table, bytesFetched: (before?.bytesFetched ?? 0n) + BigInt(fetched),
        bytesCached: (before?.bytesCached ?? 0n) + BigInt(cached),
      })
      const [oldest] = this.#tables.keys()
      if (this.#tables.size > MAX_TABLES && oldest !== undefined) this.#tables.delete(oldest)
    })
  }

  list(): readonly TableRead[] {
    return [...this.#tables.values()]
  }
}
