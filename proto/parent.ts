/**
 * A child process's side of its start: the launch parameters from the first line of standard input, the answer on
 * standard output, orders after that, and the news that it has to stop: its parent is gone (standard input ended) or it
 * got SIGTERM. Then it may take leave first.
 */

import { createInterface } from 'node:readline'
import { delay, type Clock } from './clock.ts'
import { asQueryError, errorCode, QueryError } from './errors.ts'
import type { Order, Ready, ReloadOutcome, Report } from './launch.ts'

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
export interface Started<Change> {
  readonly ready: Ready
  /** Takes it wholly, or rejects and stays as it was. */
  readonly reload: (change: Change) => Promise<void>
  /** Before `stop`, if the process itself got SIGTERM; not when its parent is gone or wants it gone. */
  readonly leave?: Leave
  readonly stop: () => Promise<void>
}

/** Whoever started this process. */
export interface Parent {
  /** Has the configuration file read again: the keys that have changed. Rejects with what is wrong with it. */
  readonly reload: () => Promise<readonly string[]>
}

/**
 * Reads the parameters, starts, answers, and stops when told: the frame of every `main.ts` of ours. `start` resolves to
 * the answer and to what stops it.
 */
export function runChild<Launch, Change>(
  clock: Clock, start: (launch: Launch, parent: Parent) => Promise<Started<Change>>,
): void {
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
    const asking: ((outcome: ReloadOutcome) => void)[] = []
    const parent: Parent = {
      reload: async () => {
        tell({ report: 'wants-reload' })
        return changedKeys(await new Promise<ReloadOutcome>(resolve => { asking.push(resolve) }))
      },
    }
    start(launch, parent).then(async started => {
      leave = started.leave
      lines.on('line', text => {
        const order = JSON.parse(text) as Order<Change>
        if (order.order === 'reloaded') asking.shift()?.(order.outcome) // answered in the order of asking
        else void outcomeOf(started.reload(order.change)).then(outcome => tell({ report: 'reloaded', outcome }))
      })
      tell(started.ready)
      await told
      await Promise.race([parentGone, leave === undefined ? undefined : left(leave, clock)])
      await started.stop()
      process.exit(0)
    }).catch((reason: unknown) => {
      const { code, message } = startError(reason)
      tell({ ready: false, code, message })
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

/** `work` gives what has changed, or nothing that is told. */
export async function outcomeOf(work: Promise<readonly string[] | void>): Promise<ReloadOutcome> {
  try {
    return { changed: await work ?? [] }
  } catch (error) {
    const { code, message } = asQueryError(error)
    return { code, message }
  }
}

/** Throws the error that it holds. */
export function changedKeys(outcome: ReloadOutcome): readonly string[] {
  if ('changed' in outcome) return outcome.changed
  throw new QueryError(errorCode(outcome.code) ?? 'INTERNAL', outcome.message)
}

function tell(line: Ready | Report): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
