/** By which caches the files of a task reach the executor that runs it. Pure. */

import { Ranking } from '../cache/affinity.ts'
import type { FileKey } from '../cache/key.ts'
import type { ExecutorId } from '../proto/ids.ts'
import type { Member } from './member.ts'
import { isPassing } from './place.ts'

export interface FilePlaces {
  /** Whether a file that this task alone reads stays out of the cache of the executor that reads it. */
  readonly isPassing: (file: FileKey) => boolean
  /** Of a file that every task reads: the address of the executor that brings it for all; empty: the reader does. */
  readonly peerOf: (file: FileKey) => string
}

/**
 * `owner`: of the task; null: nobody in particular. A second attempt names nobody: who brings a file for all may be the
 * one that cannot reach the store.
 */
export function filePlaces(
  members: readonly Pick<Member, 'id' | 'source'>[], owner: ExecutorId | null, reader: ExecutorId, attempt: number,
): FilePlaces {
  const all = members.map(({ id }) => id)
  const ranking = new Ranking(all)
  const addresses = new Map(members.map(({ id, source }) => [id, source.address]))
  return {
    isPassing: file => isPassing(file, owner, reader, all),
    peerOf: file => {
      const first = attempt === 0 ? ranking.first(ranking.hash(file), () => true) : null
      return first === null || first === reader ? '' : addresses.get(first) ?? ''
    },
  }
}
