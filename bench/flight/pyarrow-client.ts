/** pyarrow in a process of its own, told by lines what to fetch. SKEIN_PYTHON names the Python that has it. */

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { checkout } from '../../test/checkout.ts'
import { NotRun } from '../family.ts'

export interface Fetched {
  readonly rows: number
  readonly bytes: number
  /** Sum of the first column, all its digits. */
  readonly check: string
}

const python = process.env['SKEIN_PYTHON'] ?? 'python3'

/** NotRun if this Python has no pyarrow. */
export async function requirePyarrow(): Promise<string> {
  try {
    const script = 'import pyarrow, pyarrow.flight; print(pyarrow.__version__)'
    return (await promisify(execFile)(python, ['-c', script])).stdout.trim()
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)
    throw new NotRun(`${python} cannot import pyarrow.flight (${reason}); `
      + 'SKEIN_PYTHON must name a Python that has .ci/interop-requirements.txt')
  }
}

export class PyarrowClient {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** `address` is host:port. */
  constructor(address: string) {
    const script = fileURLToPath(new URL('bench/flight/fetch_pyarrow.py', checkout))
    const child = spawn(python, ['-B', script, address], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#process = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  async fetch(sql: string): Promise<Fetched> {
    this.#process.stdin?.write(`${sql}\n`)
    const line = await this.#lines.next()
    if (line.done === true) throw new Error('the pyarrow client ended')
    return JSON.parse(line.value) as Fetched
  }

  stop(): void {
    this.#process.stdin?.end()
  }
}
