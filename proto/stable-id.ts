/** The id of a process that stays the same over its starts: a file in its data directory. */

import { readFile, rename, writeFile } from 'node:fs/promises'

const ID = /^[A-Za-z0-9-]{1,64}$/

/** The id in `file`; `fresh` is kept there if it has none. */
export async function stableId(file: string, fresh: string): Promise<string> {
  const kept = await readFile(file, 'utf8').then(text => text.trim(), () => undefined)
  if (kept !== undefined && ID.test(kept)) return kept
  const written = `${file}.new`
  await writeFile(written, `${fresh}\n`)
  await rename(written, file) // never half an id
  return fresh
}
