/**
 * CPU time of tasks. DuckDB's threads work for several tasks at once, so no clock tells what one of them took: the
 * process's CPU time is divided, between any two beginnings or ends of tasks, into equal shares for all that ran.
 */

export class CpuShare {
  readonly #processMs: () => number
  /** What each running task has had so far. */
  readonly #running = new Set<{ ms: number }>()
  #countedMs: number

  /** `processMs`: CPU time of the process since its start. */
  constructor(processMs: () => number) {
    this.#processMs = processMs
    this.#countedMs = processMs()
  }

  /** A task begins; what is returned ends it and answers its share in milliseconds. */
  begin(): () => number {
    const task = { ms: 0 }
    this.#divide()
    this.#running.add(task)
    return () => {
      this.#divide()
      this.#running.delete(task)
      return task.ms
    }
  }

  #divide(): void {
    const nowMs = this.#processMs()
    const share = (nowMs - this.#countedMs) / Math.max(1, this.#running.size)
    for (const task of this.#running) task.ms += share
    this.#countedMs = nowMs
  }
}

export function processCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
