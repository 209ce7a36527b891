/**
 * What the machine has: the source of the configuration's defaults. Asked once, at start, so that they stay what they
 * are when the configuration is read again.
 */

import { statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'

export interface Machine {
  readonly threads: number
  /** Of the machine, or of the container if that has less. */
  readonly memoryBytes: number
  /** Free space of the disk that holds `path`, which need not exist yet. */
  freeDiskBytes(path: string): number
}

export function thisMachine(): Machine {
  const limit = process.constrainedMemory()
  const total = totalmem()
  const free = new Map<string, number>()
  return {
    threads: availableParallelism(),
    memoryBytes: limit > 0 && limit < total ? limit : total,
    freeDiskBytes: path => {
      const known = free.get(path) ?? freeDiskBytes(path)
      free.set(path, known)
      return known
    },
  }
}

function freeDiskBytes(path: string): number {
  for (;;) {
    try {
      const { bavail, bsize } = statfsSync(path)
      return bavail * bsize
    } catch (error) {
      const parent = dirname(path)
      if (parent === path) throw error
      path = parent
    }
  }
}
