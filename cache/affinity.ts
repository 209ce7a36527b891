/**
 * Cache affinity: which executors should hold a file.
 *
 * Rendezvous hashing (Thaler and Ravishankar, 1998): every executor gets a score for the file, and the highest
 * scores win. When an executor leaves, only the files it held move; when one joins, it takes about 1/n of them.
 */

import type { ExecutorId } from '../proto/ids.ts'
import type { FileKey } from './key.ts'

/** A second owner, so that the loss of one executor leaves the file warm somewhere. */
export const OWNERS_PER_FILE = 2

/** The executors that should hold `file`, best first; fewer if there are not so many. */
export function owners(file: Pick<FileKey, 'bucket' | 'key'>, executors: readonly ExecutorId[]): ExecutorId[] {
  return rank(file, executors).slice(0, OWNERS_PER_FILE)
}

/**
 * Orders `executors` by preference for `file`, best first. Not by etag, so a file written anew stays with its
 * readers. The order of the argument does not matter, so coordinators agree without talking; ids must be stable over
 * restarts. Cost: one short hash per executor and one sort.
 */
export function rank(file: Pick<FileKey, 'bucket' | 'key'>, executors: readonly ExecutorId[]): ExecutorId[] {
  const hash = fnv1a(`${file.bucket}/${file.key}`)
  return executors
    .map(executor => ({ executor, score: avalanche(hash ^ fnv1a(executor)) }))
    .sort((a, b) => b.score - a.score || (a.executor < b.executor ? -1 : 1))
    .map(({ executor }) => executor)
}

/** The ranks of many files among the same executors. */
export class Ranking {
  readonly #hashed: readonly { readonly executor: ExecutorId; readonly hash: number; score: number }[]
  /** Of the last file: those of a table are in one. */
  #bucket = { name: '', hash: fnv1a('/') }

  constructor(executors: readonly ExecutorId[]) {
    // ties go by id
    this.#hashed = [...executors].sort().map(executor => ({ executor, hash: fnv1a(executor), score: 0 }))
  }

  /** All of a file that ranks depend on. */
  hash({ bucket, key }: Pick<FileKey, 'bucket' | 'key'>): number {
    if (bucket !== this.#bucket.name) this.#bucket = { name: bucket, hash: fnv1a(`${bucket}/`) }
    return fnv1a(key, this.#bucket.hash)
  }

  /** The first in the order of `rank` that is accepted, without ranking those behind it; null: none is. */
  first(hash: number, accepts: (executor: ExecutorId) => boolean): ExecutorId | null {
    for (const each of this.#hashed) each.score = avalanche(hash ^ each.hash)
    for (;;) {
      let best: { readonly executor: ExecutorId; score: number } | null = null
      for (const each of this.#hashed) if (each.score > (best?.score ?? REFUSED)) best = each
      if (best === null || accepts(best.executor)) return best?.executor ?? null
      best.score = REFUSED
    }
  }
}

/** Scores are whole numbers from 0. */
const REFUSED = -1

/** FNV-1a (Fowler, Noll, Vo), 32 bits, over UTF-16 units; `hash`: of what comes before the text. */
function fnv1a(text: string, hash = 0x811c9dc5): number {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** The final step of MurmurHash3: one changed bit in changes half of the bits out. FNV-1a alone ranks too evenly. */
function avalanche(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
