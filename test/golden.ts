/** Golden files: the expected text is a file that a reviewer reads. `GOLDEN=write` writes it instead of comparing. */

import { readFileSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { checkout } from './checkout.ts'

/** `path`: from the top of the checkout. */
export function matchGolden(t: Test, path: string, actual: string): void {
  const file = new URL(path, checkout)
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, actual)
  t.equal(actual, readFileSync(file, 'utf8'), path)
}
