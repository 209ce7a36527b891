/**
 * One process a folder: a second one on the same data or cache would spoil both. The lock is a file with the holder's
 * process id and when that process was started; a holder that is gone does not hold, nor does another process that has
 * its id by now.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { QueryError } from './errors.ts'

/** Of the fields of /proc/<id>/stat behind the name: proc(5). */
const [STATE, START_TIME] = [0, 19]
/** It has ended, and nobody has asked how. */
const ENDED = ['Z', 'X']

/** Takes the folder, made if it is absent; the returned function gives it back. `what` names it in messages. */
export function lockFolder(what: string, folder: string, processId: number): () => void {
  const file = join(folder, 'skein.pid')
  const name = `${what} ${folder}`
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable(name, 'made', error)
  }
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, [processId, startTicks(processId)].join(' ').trim(), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(name, 'written', error)
      const [holder, ticks] = readLock(file, name)
      if (holder !== processId && isAlive(holder) && startTicks(holder) === ticks) {
        throw new QueryError('INVALID_CONFIG', `${name} is in use by process ${holder}`)
      }
      rmSync(file, { force: true })
    }
  }
  throw new QueryError('INVALID_CONFIG', `${name} is in use by another process`)
}

function readLock(file: string, name: string): [holder: number, ticks: string] {
  try {
    const [holder, ticks = ''] = readFileSync(file, 'utf8').split(' ')
    return [Number(holder), ticks]
  } catch (error) {
    throw unusable(name, 'locked', error)
  }
}

/** When it was started, in the kernel's ticks since its own start: tells two processes of one id apart. Or nothing. */
function startTicks(processId: number): string {
  return statOf(processId)[START_TIME] ?? ''
}

function statOf(processId: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return [] // gone, or no Linux
  }
}

function unusable(name: string, what: string, cause: unknown): QueryError {
  const { message } = cause as Error
  return new QueryError('INVALID_CONFIG', `${name} cannot be ${what}: ${message}`, { cause })
}

function isAlive(processId: number): boolean {
  if (!Number.isSafeInteger(processId) || processId <= 0 || ENDED.includes(statOf(processId)[STATE] ?? '')) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
