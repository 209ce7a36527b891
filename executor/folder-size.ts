/** Bytes on disk: DuckDB cannot be asked what it has written so far. What goes meanwhile does not count. */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Of the files below a folder; 0 if it is not there. */
export async function folderBytes(folder: string): Promise<number> {
  let total = 0
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name)
    total += entry.isDirectory() ? await folderBytes(path) : await fileBytes(path)
  }
  return total
}

/** 0 for a file that is not there. */
export function fileBytes(path: string): Promise<number> {
  return stat(path).then(({ size }) => size, () => 0)
}
