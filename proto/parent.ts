/**
 * A child process's side of its start: the launch parameters from the first line of standard input, the answer on
 * standard output, and the news that it has to stop: its parent is gone (standard input ended) or it got SIGTERM. Then
 * it may take leave first.
 */

import { createInterface } from 'node:readline'
import { delay, type Clock } from './clock.ts'
import { asQueryError, QueryError } from './errors.ts'
import type { Ready } from './launch.ts'

/** A child that cannot stop in order within this time ends itself. */
const STOP_WITHIN_MS = 6_000

/** The work of others that a process takes leave of before it stops. */
export interface Leave {
  /** Resolves when nobody needs this process any more. */
  readonly drained: () => Promise<void>
  /** It stops after so long all the same. */
  readonly withinMs: number
}

/** What `ready` tells the parent is served until `stop`. */
export interface Started {
  readonly ready: Ready
  /** Before `stop`, if the process itself got SIGTERM; not when its parent is gone or wants it gone. */
  readonly leave?: Leave
  readonly stop: () => Promise<void>
}

/**
 * Reads the parameters, starts, answers, and stops when told: the frame of every `main.ts` of ours. `start` resolves to
 * the answer and to what stops it.
 */
export function runChild<Launch>(clock: Clock, start: (launch: Launch) => Promise<Started>): void {
  const lines = createInterface({ input: process.stdin })
  const parentGone = new Promise<void>(resolve => { lines.once('close', resolve) })
  const terminated = new Promise<void>(resolve => { process.once('SIGTERM', () => resolve()) })
  const told = Promise.race([parentGone, terminated])
  process.on('SIGINT', () => undefined) // the parent stops us in order
  let leave: Leave | undefined
  const end = (): void => { clock.after(STOP_WITHIN_MS, () => process.exit(1)) }
  // also while it starts
  void parentGone.then(end)
  void terminated.then(() => { clock.after(leave?.withinMs ?? 0, end) })
  lines.once('line', line => {
    const launch = JSON.parse(line) as Launch
    start(launch).then(async started => {
      leave = started.leave
      answer(started.ready)
      await told
      await Promise.race([parentGone, leave === undefined ? undefined : left(leave, clock)])
      await started.stop()
      process.exit(0)
    }).catch((reason: unknown) => {
      const { code, message } = startError(reason)
      answer({ ready: false, code, message })
      process.exit(1)
    })
  })
}

async function left({ drained, withinMs }: Leave, clock: Clock): Promise<void> {
  await Promise.race([drained(), delay(clock, withinMs)])
}

/** A file or folder that cannot be used at the start is the data directory's, and that is the user's. */
function startError(reason: unknown): QueryError {
  const isFile = reason instanceof Error && 'code' in reason && 'syscall' in reason && 'path' in reason
  return isFile ? new QueryError('INVALID_CONFIG', reason.message, { cause: reason }) : asQueryError(reason)
}

function answer(ready: Ready): void {
  process.stdout.write(`${JSON.stringify(ready)}\n`)
}
