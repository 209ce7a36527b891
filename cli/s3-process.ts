/**
 * The S3 server of the demo: a small one with its objects in memory, which is no part of the product. It runs as a
 * process of its own from where the tests have it, and is reached by its address alone.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { QueryError } from '../proto/errors.ts'

export class S3Process {
  readonly endpoint: string
  readonly #process: ChildProcess

  private constructor(endpoint: string, process: ChildProcess) {
    this.endpoint = endpoint
    this.#process = process
  }

  /** Serves the files of `folder`. */
  static async start(folder: string): Promise<S3Process> {
    const main = fileURLToPath(new URL('../test/s3/main.js', import.meta.url))
    const child = spawn(process.execPath, [main, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
    for await (const line of createInterface({ input: child.stdout })) return new S3Process(line, child)
    throw new QueryError('UNAVAILABLE', 'the S3 server of the demo did not start')
  }

  stop(): void {
    this.#process.kill()
  }
}
