/** The Python of the foreign clients, named by SKEIN_PYTHON, and the scripts beside this file. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { checkout } from '../checkout.ts'

const SCRIPT_LIMIT_MS = 60_000

export interface Ended {
  readonly status: number
  readonly output: string
}

export const python = process.env['SKEIN_PYTHON'] ?? 'python3'

export function scriptPath(name: string): string {
  return fileURLToPath(new URL(`test/interop/${name}`, checkout))
}

export function runPython(parameters: readonly string[]): Promise<Ended> {
  return new Promise(resolve => {
    execFile(python, parameters, { timeout: SCRIPT_LIMIT_MS }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : 1, output: stdout + stderr + (stderr === '' ? error?.message ?? '' : '') })
    })
  })
}
