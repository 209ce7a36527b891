/**
 * The history of a shell: a file that its owner alone can read, one entry a line, oldest first. Every statement is
 * appended as it is entered, so shells beside each other lose nothing; a file that has grown long is cut at the next
 * start. What cannot be read or written leaves the shell without a history, and says so once.
 */

import { appendFileSync, chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { sqlTokens } from '../../proto/sql-tokens.ts'

/** More than a person looks back on. */
export const MAX_ENTRIES = 1_000
/** Longer statements are not typed but pasted: in characters. */
export const MAX_ENTRY = 16 * 1024
const OWNER_ONLY = 0o600

export class HistoryFile {
  /** Oldest first. */
  readonly entries: readonly string[]
  readonly #path: string | null
  readonly #warn: (message: string) => void
  #works: boolean
  #last: string

  /** null: nothing is kept. */
  constructor(path: string | null, warn: (message: string) => void) {
    this.#path = path
    this.#warn = warn
    this.#works = path !== null
    this.entries = this.#try(file => read(file)) ?? []
    this.#last = this.entries.at(-1) ?? ''
  }

  /** What is the same as the one before, or too long, is not kept. */
  add(entry: string): void {
    if (entry.trim() === '' || entry === this.#last || entry.length > MAX_ENTRY) return
    this.#last = entry
    this.#try(file => appendFileSync(file, `${entry}\n`, { mode: OWNER_ONLY }))
  }

  #try<T>(use: (file: string) => T): T | undefined {
    if (!this.#works || this.#path === null) return undefined
    try {
      return use(this.#path)
    } catch (error) {
      this.#works = false
      this.#warn(`no history is kept: ${(error as Error).message}`)
      return undefined
    }
  }
}

function read(file: string): readonly string[] {
  if (!existsSync(file)) return []
  chmodSync(file, OWNER_ONLY)
  const all = readFileSync(file, 'utf8').split('\n').filter(entry => entry !== '')
  if (all.length <= MAX_ENTRIES) return all
  const last = all.slice(-MAX_ENTRIES)
  const next = `${file}.new`
  writeFileSync(next, `${last.join('\n')}\n`, { mode: OWNER_ONLY })
  renameSync(next, file)
  return last
}

/** The statement as one line, without comments; as it is, if a text in it goes over several lines. */
export function oneLine(sql: string): string {
  let line = ''
  for (const { kind, text } of sqlTokens(sql)) {
    if (kind === 'space' || kind === 'comment') line += line.endsWith(' ') ? '' : ' '
    else if (text.includes('\n')) return sql
    else line += text
  }
  return line.trim()
}
