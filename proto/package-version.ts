/** The version of this package. */

import { readFileSync } from 'node:fs'

/** package.json lies above the sources, and two levels above the compiled ones. */
export function packageVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as { version: string }
      return version
    } catch {
      continue
    }
  }
  return 'unknown'
}
