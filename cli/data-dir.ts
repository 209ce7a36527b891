/**
 * One process tree a data folder: a second one on the same folder would share its cache and exchange files. The lock is
 * a file with the holder's process id; a holder that is gone does not hold.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { QueryError } from '../proto/errors.ts'

/** Takes the folder, which is made if it is absent; the returned function gives it back. */
export function lockDataDir(dataDir: string, processId: number): () => void {
  const file = join(dataDir, 'skein.pid')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable(dataDir, 'made', error)
  }
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, String(processId), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(dataDir, 'written', error)
      const holder = Number(readFileSync(file, 'utf8'))
      if (isAlive(holder)) throw new QueryError('INVALID_CONFIG', `data_dir ${dataDir} is in use by process ${holder}`)
      rmSync(file, { force: true })
    }
  }
  throw new QueryError('INVALID_CONFIG', `data_dir ${dataDir} is in use by another process`)
}

function unusable(dataDir: string, what: string, cause: unknown): QueryError {
  const { message } = cause as Error
  return new QueryError('INVALID_CONFIG', `data_dir ${dataDir} cannot be ${what}: ${message}`, { cause })
}

function isAlive(processId: number): boolean {
  if (!Number.isSafeInteger(processId) || processId <= 0) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
