/** The files of the project as the checks see them: every text that a person wrote, none that a tool made. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Source {
  /** Relative to the top of the checkout, with forward slashes. */
  readonly path: string
  readonly text: string
}

const skipped = /^(node_modules|dist|\.git|build-.*|skein-data|gen|golden)$/
const written = /\.(ts|mjs|sql|proto|md|yaml|yml|plan)$/

/** Sorted by path. */
export function sources(folder = ''): Source[] {
  return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true }).flatMap(entry => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return skipped.test(entry.name) ? [] : sources(path)
    return entry.isFile() && written.test(path) ? [{ path, text: readFileSync(join(path), 'utf8') }] : []
  }).sort((a, b) => a.path < b.path ? -1 : 1)
}

/** Prints each fault on a line of its own, then the count; the process fails if there is any. */
export function report(check: string, faults: readonly string[]): void {
  for (const fault of faults) process.stdout.write(`${fault}\n`)
  process.stdout.write(`${check}: ${faults.length === 0 ? 'ok' : `${faults.length} faults`}\n`)
  if (faults.length > 0) process.exitCode = 1
}
